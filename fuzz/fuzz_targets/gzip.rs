//! A whole file packed with gzip, and then damaged: refused, or read as what was packed. Bytes at random hardly ever get
//! past the checksum, so here the packing is done, and the damage is what is random.

#![no_main]

use std::cell::RefCell;

use arbitrary::Arbitrary;
use flate2::{Compress, Compression, Crc, FlushCompress, Status};
use libfuzzer_sys::fuzz_target;
use mnist_io::{ErrorKind, IdxArray};

/// What is done to a file that was packed.
#[derive(Arbitrary, Debug)]
enum Damage {
    None,
    Flip { bit: u16 },
    Replace { offset: u16, byte: u8 },
    CutOff { length: u16 },
    Append { bytes: [u8; 3] },
    Remove { offset: u16 },
}

#[derive(Arbitrary, Debug)]
struct Case<'a> {
    /// The type, rank and dimensions are taken from here, so that most files are whole before they are damaged.
    dimensions: [u8; 3],
    rank: u8,
    level: u8,
    /// Where the stream is cut into members.
    cut: u16,
    is_honest: bool,
    damage: [Damage; 2],
    content: &'a [u8],
}

fuzz_target!(|case: Case<'_>| {
    let plain = plain_file(&case);
    let packed = [&plain[..usize::from(case.cut).min(plain.len())], &plain[usize::from(case.cut).min(plain.len())..]]
        .map(|part| pack(part, case.level))
        .concat();
    let mut damaged = packed.clone();
    case.damage.iter().for_each(|damage| apply(damage, &mut damaged));

    let expected = IdxArray::from_bytes(&plain);
    match IdxArray::from_bytes(&damaged) {
        Ok(array) => {
            // Damage that left nothing of gzip may have left a file of its own, and a part of what was no file may be
            // one; all else is what was packed.
            if let (true, Ok(expected)) = (damaged.starts_with(&[0x1f, 0x8b]), expected) {
                assert_eq!(array, expected);
            }
        }
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Data, "{error}");
            assert!(damaged != packed || expected.is_err(), "an undamaged file is refused: {error}");
        }
    }
});

/// An IDX file of u8 whose header fits its content, unless it is to be dishonest.
fn plain_file(case: &Case<'_>) -> Vec<u8> {
    let rank = usize::from(case.rank % 3) + 1;
    let shape: Vec<u32> = case.dimensions[..rank].iter().map(|length| u32::from(length % 32) + 1).collect();
    let n_elements = shape.iter().product::<u32>() as usize;
    let mut bytes = vec![0, 0, 8, rank as u8];
    shape.iter().for_each(|length| bytes.extend(length.to_be_bytes()));
    if case.is_honest {
        bytes.extend(case.content.iter().copied().chain(std::iter::repeat(7)).take(n_elements));
    } else {
        bytes.extend(case.content);
    }
    bytes
}

/// A gzip member, with a compressor that is made once for each level: making one takes longer than all the rest.
fn pack(bytes: &[u8], level: u8) -> Vec<u8> {
    COMPRESSORS.with_borrow_mut(|compressors| {
        let compressor = &mut compressors[usize::from(level % 10)];
        compressor.reset();
        let mut packed = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
        packed.reserve(bytes.len() + bytes.len() / 8 + 256);
        let status = compressor.compress_vec(bytes, &mut packed, FlushCompress::Finish);
        assert_eq!(status.expect("packing into memory"), Status::StreamEnd);
        let mut checksum = Crc::new();
        checksum.update(bytes);
        packed.extend(checksum.sum().to_le_bytes());
        packed.extend((bytes.len() as u32).to_le_bytes());
        packed
    })
}

thread_local! {
    static COMPRESSORS: RefCell<[Compress; 10]> =
        RefCell::new(std::array::from_fn(|level| Compress::new(Compression::new(level as u32), false)));
}

fn apply(damage: &Damage, bytes: &mut Vec<u8>) {
    let n_bytes = bytes.len();
    if n_bytes == 0 {
        return;
    }
    match *damage {
        Damage::None => {}
        Damage::Flip { bit } => bytes[usize::from(bit) / 8 % n_bytes] ^= 1 << (bit % 8),
        Damage::Replace { offset, byte } => bytes[usize::from(offset) % n_bytes] = byte,
        Damage::CutOff { length } => bytes.truncate(usize::from(length) % (n_bytes + 1)),
        Damage::Append { bytes: more } => bytes.extend(more),
        Damage::Remove { offset } => drop(bytes.remove(usize::from(offset) % n_bytes)),
    }
}
