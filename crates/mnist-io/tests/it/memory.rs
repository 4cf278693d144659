//! How much memory reading takes, counted at the allocator of this test binary, thread by thread.

use crate::fixtures::{gzip, idx_bytes};
use mnist_io::{ErrorKind, IdxArray};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::io::{Read, Write};

struct Counting;

thread_local! {
    static LIVE: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
}

fn count(change: isize) {
    // While a thread ends, its counters may be gone already.
    let _ = LIVE.try_with(|live| {
        live.set(live.get() + change);
        let _ = PEAK.try_with(|peak| peak.set(peak.get().max(live.get())));
    });
}

// SAFETY: every call is passed on to the system's allocator unchanged; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: the caller's promises are the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        // SAFETY: the caller's promises are the same.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The most that `work` held at a time beyond what there was before, in bytes.
fn peak_of<T>(work: impl FnOnce() -> T) -> (T, usize) {
    let before = LIVE.get();
    PEAK.set(before);
    let result = work();
    (result, (PEAK.get() - before) as usize)
}

const MIB: usize = 1 << 20;

/// A gzip stream of `n_mib` MiB of zeros after a header that promises `n_promised` bytes.
fn bomb(n_promised: u32, n_mib: usize) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(&idx_bytes(&[n_promised], &[])).unwrap();
    for _ in 0..n_mib {
        encoder.write_all(&vec![0; MIB]).unwrap();
    }
    encoder.finish().unwrap()
}

#[test]
fn a_bomb_is_refused_one_byte_after_its_promise() {
    let bomb = bomb(1000, 64);
    assert!(64 * MIB / bomb.len() > 900, "{} bytes", bomb.len());
    for read in [|bytes: &[u8]| IdxArray::from_bytes(bytes), |bytes: &[u8]| IdxArray::from_reader(bytes)] {
        let (result, peak) = peak_of(|| read(&bomb));
        let error = result.unwrap_err();
        assert_eq!((error.kind(), error.position()), (ErrorKind::Data, Some(1008)));
        assert!(peak < MIB / 2, "{peak} bytes");
    }
}

#[test]
fn an_honest_file_takes_its_own_size() {
    let n = 32 * MIB;
    let packed = bomb(n as u32, 32);
    let (array, peak) = peak_of(|| IdxArray::from_bytes(&packed).unwrap());
    assert_eq!(array.shape(), [n]);
    assert!(peak < n + MIB, "{peak} bytes for {n}");
}

#[test]
fn a_header_that_promises_too_much_costs_nothing() {
    let plain = idx_bytes(&[u32::MAX, 28, 28], &[0; 1000]);
    for bytes in [gzip(&plain), plain.clone()] {
        for read in [|bytes: &[u8]| IdxArray::from_bytes(bytes), |bytes: &[u8]| IdxArray::from_reader(bytes)] {
            let (result, peak) = peak_of(|| read(&bytes));
            assert_eq!(result.unwrap_err().kind(), ErrorKind::Data);
            assert!(peak < MIB, "{peak} bytes");
        }
    }
}

#[test]
fn an_endless_stream_is_left_when_its_promise_is_fulfilled() {
    let endless = [0, 0, 8, 1, 0, 0, 0, 10].chain(std::io::repeat(1));
    assert_eq!(IdxArray::from_reader(endless).unwrap_err().position(), Some(18));
}
