//! How much memory reading takes, counted at the allocator of this test binary, thread by thread.
#![expect(unsafe_code, reason = "an allocator that counts can only be written with it")]

use crate::fixtures::{gzip, idx_bytes};
use mnist_io::image::{DynamicImage, GrayImage, Luma};
use mnist_io::{Disturbance, ErrorKind, IdxArray, prepare_digit};
use ndarray::Array3;
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

#[test]
fn a_stream_of_unknown_length_takes_three_times_its_size_at_most() {
    let plain = idx_bytes(&[20 * MIB as u32 + 1], &vec![7; 20 * MIB + 1]);
    let (array, peak) = peak_of(|| IdxArray::from_reader(&plain[..]).unwrap());
    assert_eq!(array.shape(), [20 * MIB + 1]);
    assert!(peak < 3 * plain.len() + MIB, "{peak} bytes for {}", plain.len());
}

/// What a blur takes beyond the result and the picture between its two passes, which has four bytes for each pixel. The
/// blur goes over what it has allocated, so this bounds its work as well.
fn room_of_blur(images: &Array3<u8>, sigma: f64, kernel_size: Option<usize>) -> usize {
    let blur = Disturbance::GaussianBlur { sigma, kernel_size };
    let (result, peak) = peak_of(|| blur.apply(images.view(), 0).unwrap());
    peak - 5 * result.len()
}

#[test]
fn a_gigantic_sigma_or_kernel_takes_no_more_room_than_one_that_reaches_64_times_across() {
    let images = Array3::from_elem((1, 28, 28), 200);
    for (sigma, kernel_size) in
        [(1e9, None), (f64::MAX, None), (1e9, Some(usize::MAX)), (0.0, Some(usize::MAX)), (590.0, None)]
    {
        let room = room_of_blur(&images, sigma, kernel_size);
        assert!(room < 4 * 8 * 64 * 28 + MIB / 64, "sigma {sigma}, kernel {kernel_size:?}: {room} bytes");
    }
}

#[test]
fn a_blur_of_a_long_line_takes_room_for_the_line_and_not_for_its_square() {
    let n = 100_000;
    for shape in [(1, 1, n), (1, n, 1)] {
        let images = Array3::from_shape_fn(shape, |(_, y, x)| if (x + y) % 100 < 3 { 250 } else { 0 });
        for sigma in [1.5, 40.0, 1e9] {
            let room = room_of_blur(&images, sigma, None);
            assert!(room < 64 * n, "sigma {sigma}: {room} bytes");
        }
    }
}

#[test]
fn a_large_photo_is_made_small_without_a_copy_of_its_size() {
    let page = GrayImage::from_fn(6000, 4000, |x, y| {
        Luma([if (2900..3200).contains(&x) && (800..3200).contains(&y) { 50 } else { 190 }])
    });
    let photo = DynamicImage::from(page);
    let (prepared, peak) = peak_of(|| prepare_digit(&photo).unwrap());
    assert_eq!(prepared.image.dim(), (28, 28));
    assert!(peak < 16 * MIB, "{peak} bytes for a photo of 24 MB");
}

/// A set as large as the largest of EMNIST's: 814,255 images of 28 × 28 pixels, 638 MB unpacked.
#[test]
#[ignore = "takes a minute"]
fn a_set_of_the_size_of_emnist_by_class_takes_its_own_size_and_no_more() {
    const N_IMAGES: usize = 814_255;
    let folder = tempfile::tempdir().unwrap();
    let (images_path, labels_path) = (folder.path().join("images.gz"), folder.path().join("labels.gz"));
    // More than the 32 KiB that deflate looks back to, so that the file is about as large as one of different images.
    let digits = mnist_io::synthetic_digits(1000, 1);
    let file = std::fs::File::create(&images_path).unwrap();
    let mut encoder = flate2::write::GzEncoder::new(std::io::BufWriter::new(file), flate2::Compression::fast());
    encoder.write_all(&idx_bytes(&[N_IMAGES as u32, 28, 28], &[])).unwrap();
    for start in (0..N_IMAGES).step_by(1000) {
        let n = (N_IMAGES - start).min(1000);
        encoder.write_all(&digits.images.as_slice().unwrap()[..n * 784]).unwrap();
    }
    encoder.finish().unwrap().flush().unwrap();
    let labels: Vec<u8> = (0..N_IMAGES).map(|index| digits.labels[index % 1000]).collect();
    std::fs::write(&labels_path, gzip(&idx_bytes(&[N_IMAGES as u32], &labels))).unwrap();
    drop(labels);

    let started = std::time::Instant::now();
    let (set, peak) =
        peak_of(|| mnist_io::LabeledImages::load(&images_path, &labels_path, mnist_io::digit_classes()).unwrap());
    let (took, decoded) = (started.elapsed(), N_IMAGES * 784);
    assert_eq!(set.len(), N_IMAGES);
    assert!(peak < decoded + 3 * MIB, "{peak} bytes for {decoded}");
    let packed = images_path.metadata().unwrap().len();
    println!("{packed} bytes of gzip, {decoded} decoded, {} more at most, read in {took:?}", peak - decoded);

    let source = std::fs::File::open(&images_path).unwrap();
    let (n, peak) = peak_of(|| mnist_io::transpose_images(source, std::io::sink(), Some(N_IMAGES)).unwrap());
    assert_eq!(n, N_IMAGES);
    assert!(peak < MIB, "{peak} bytes to turn the images upright");
    println!("turned upright on the way from file to file with {peak} bytes");
}

#[test]
#[ignore = "takes a minute"]
fn ten_megabytes_that_unfold_to_ten_gigabytes_are_refused_with_no_more_memory_than_they_have() {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(&idx_bytes(&[60_000, 28, 28], &[])).unwrap();
    let zeros = vec![0; MIB];
    for _ in 0..10_240 {
        encoder.write_all(&zeros).unwrap();
    }
    let bomb = encoder.finish().unwrap();
    let started = std::time::Instant::now();
    let (result, peak) = peak_of(|| IdxArray::from_bytes(&bomb));
    let took = started.elapsed();
    let error = result.unwrap_err();
    assert_eq!((error.kind(), error.position()), (ErrorKind::Data, Some(16 + 60_000 * 784)));
    assert!(peak < 60_000 * 784 + MIB, "{peak} bytes, while an honest file of this header has 47,040,000");
    println!("{} bytes that unfold to {} were refused in {took:?} with {peak} bytes", bomb.len(), 10_240 * MIB);
}
