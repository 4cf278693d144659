//! Reading and writing sound IDX files.

use crate::fixtures::{gzip, idx_bytes, two_images};
use mnist_io::{ErrorKind, IdxArray, IdxElement};
use ndarray::{ArrayD, IxDyn, array};
use proptest::prelude::*;
use std::io::Read;

#[test]
fn every_element_type_is_big_endian_with_its_own_code() {
    let cases: [(IdxArray, &[u8]); 6] = [
        (array![1_u8, 255].into_dyn().into(), &[0, 0, 0x08, 1, 0, 0, 0, 2, 1, 255]),
        (array![1_i8, -1].into_dyn().into(), &[0, 0, 0x09, 1, 0, 0, 0, 2, 1, 255]),
        (array![1_i16, -2].into_dyn().into(), &[0, 0, 0x0B, 1, 0, 0, 0, 2, 0, 1, 255, 254]),
        (array![66051_i32].into_dyn().into(), &[0, 0, 0x0C, 1, 0, 0, 0, 1, 0, 1, 2, 3]),
        (array![1.0_f32].into_dyn().into(), &[0, 0, 0x0D, 1, 0, 0, 0, 1, 0x3F, 0x80, 0, 0]),
        (array![-2.0_f64].into_dyn().into(), &[0, 0, 0x0E, 1, 0, 0, 0, 1, 0xC0, 0, 0, 0, 0, 0, 0, 0]),
    ];
    for ((array, bytes), element) in cases.into_iter().zip(IdxElement::ALL) {
        let mut written = Vec::new();
        array.write_to(&mut written).unwrap();
        assert_eq!(written, bytes, "{element}");
        assert_eq!(IdxArray::from_bytes(bytes).unwrap(), array);
        assert_eq!(array.element(), element);
    }
}

#[test]
fn content_decides_whether_a_file_is_packed_and_its_name_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let plain_called_gz = folder.path().join("images.gz");
    let packed_called_plain = folder.path().join("images");
    std::fs::write(&plain_called_gz, two_images()).unwrap();
    std::fs::write(&packed_called_plain, gzip(&two_images())).unwrap();
    let expected = IdxArray::from_bytes(&two_images()).unwrap();
    assert_eq!(IdxArray::read(plain_called_gz).unwrap(), expected);
    assert_eq!(IdxArray::read(packed_called_plain).unwrap(), expected);
}

#[test]
fn several_gzip_members_are_one_stream_whose_length_must_fit() {
    let bytes = two_images();
    for cut in [0, 3, 16, 700, bytes.len()] {
        let members = [gzip(&bytes[..cut]), gzip(&bytes[cut..])].concat();
        assert_eq!(IdxArray::from_bytes(&members).unwrap(), IdxArray::from_bytes(&bytes).unwrap());
    }
    let twice = [gzip(&bytes), gzip(&bytes)].concat();
    let error = IdxArray::from_bytes(&twice).unwrap_err();
    assert_eq!((error.kind(), error.position(), error.is_position_unpacked()), (ErrorKind::Data, Some(1584), true));
}

#[test]
fn a_reader_that_gives_one_byte_at_a_time_is_read_to_its_end() {
    struct Drop<'a>(&'a [u8]);
    impl Read for Drop<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let n = buffer.len().min(1);
            self.0.read(&mut buffer[..n])
        }
    }
    let expected = IdxArray::from_bytes(&two_images()).unwrap();
    assert_eq!(IdxArray::from_reader(Drop(&two_images())).unwrap(), expected);
    assert_eq!(IdxArray::from_reader(Drop(&gzip(&two_images()))).unwrap(), expected);
}

#[test]
fn a_reader_that_fails_is_an_io_error() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::from_raw_os_error(5))
        }
    }
    let fails_later = two_images();
    assert_eq!(IdxArray::from_reader(Broken).unwrap_err().kind(), ErrorKind::Io);
    let error = IdxArray::from_reader(fails_later[..1000].chain(Broken)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    assert!(error.io_error().is_some());
}

#[test]
fn writing_replaces_a_file_whole_and_leaves_nothing_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("array");
    std::fs::write(&path, "what was there before").unwrap();
    let array = IdxArray::F32(array![[1.0, f32::NAN]].into_dyn());
    array.write(&path).unwrap();
    assert_eq!(IdxArray::read(&path).unwrap().shape(), [1, 2]);
    array.write_gzip(&path).unwrap();
    assert_eq!(std::fs::read(&path).unwrap()[..2], [0x1f, 0x8b]);
    assert_eq!(IdxArray::read(&path).unwrap().shape(), [1, 2]);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[cfg(unix)]
#[test]
fn a_written_file_has_the_permissions_of_an_ordinary_one() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let (ours, ordinary) = (folder.path().join("ours"), folder.path().join("ordinary"));
    IdxArray::U8(array![1].into_dyn()).write(&ours).unwrap();
    std::fs::write(&ordinary, "1").unwrap();
    let mode = |path| std::fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode(&ours), mode(&ordinary));
}

#[test]
fn a_failed_write_leaves_the_old_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("array");
    std::fs::write(&path, "old").unwrap();
    let error = IdxArray::U8(ArrayD::zeros(IxDyn(&[2, 0]))).write(&path).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Argument);
    assert_eq!(std::fs::read(&path).unwrap(), b"old");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    let nowhere = IdxArray::U8(array![1].into_dyn()).write(folder.path().join("no/such/folder")).unwrap_err();
    assert_eq!(nowhere.kind(), ErrorKind::Io);
}

#[test]
fn a_shape_that_the_format_cannot_hold_is_refused() {
    for shape in [vec![], vec![0], vec![3, 0], vec![1; 256]] {
        let array = IdxArray::U8(ArrayD::zeros(IxDyn(&shape)));
        let error = array.write_to(Vec::new()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Argument, "{shape:?}");
    }
    let greatest_rank = IdxArray::U8(ArrayD::zeros(IxDyn(&[1; 255])));
    let mut bytes = Vec::new();
    greatest_rank.write_to(&mut bytes).unwrap();
    assert_eq!(IdxArray::from_bytes(&bytes).unwrap(), greatest_rank);
}

#[test]
fn an_array_of_any_memory_layout_is_written_in_its_logical_order() {
    let transposed = array![[1_u8, 2, 3], [4, 5, 6]].reversed_axes().into_dyn();
    let mut bytes = Vec::new();
    IdxArray::U8(transposed).write_to(&mut bytes).unwrap();
    assert_eq!(bytes, idx_bytes(&[3, 2], &[1, 4, 2, 5, 3, 6]));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_was_written_is_read_again_to_the_bit(
        shape in proptest::collection::vec(1_usize..6, 1..5), element in 0_usize..6, seed: u64,
    ) {
        let n: usize = shape.iter().product();
        let bits: Vec<u64> = (0..n as u64).map(|i| (seed ^ i).wrapping_mul(0x9E37_79B9_7F4A_7C15)).collect();
        let shape = IxDyn(&shape);
        let array = match IdxElement::ALL[element] {
            IdxElement::U8 => IdxArray::U8(ArrayD::from_shape_vec(shape, bits.iter().map(|&b| b as u8).collect()).unwrap()),
            IdxElement::I8 => IdxArray::I8(ArrayD::from_shape_vec(shape, bits.iter().map(|&b| b as i8).collect()).unwrap()),
            IdxElement::I16 => IdxArray::I16(ArrayD::from_shape_vec(shape, bits.iter().map(|&b| b as i16).collect()).unwrap()),
            IdxElement::I32 => IdxArray::I32(ArrayD::from_shape_vec(shape, bits.iter().map(|&b| b as i32).collect()).unwrap()),
            IdxElement::F32 => IdxArray::F32(ArrayD::from_shape_vec(shape, bits.iter().map(|&b| f32::from_bits(b as u32)).collect()).unwrap()),
            IdxElement::F64 => IdxArray::F64(ArrayD::from_shape_vec(shape, bits.iter().map(|&b| f64::from_bits(b)).collect()).unwrap()),
        };
        let (mut plain, mut packed, mut again) = (Vec::new(), Vec::new(), Vec::new());
        array.write_to(&mut plain).unwrap();
        array.write_gzip_to(&mut packed).unwrap();
        // Compared as bytes, since a NaN is not equal to itself.
        IdxArray::from_bytes(&packed).unwrap().write_to(&mut again).unwrap();
        prop_assert_eq!(&again, &plain);
        let read = IdxArray::from_reader(&plain[..]).unwrap();
        prop_assert_eq!(read.shape(), array.shape());
        prop_assert_eq!(read.element(), array.element());
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), is_idx_like: bool) {
        let mut bytes = bytes;
        if is_idx_like {
            bytes.splice(..0, [0, 0, 8]);
        }
        let _ = IdxArray::from_bytes(&bytes);
        let _ = IdxArray::from_bytes(&gzip(&bytes));
        let _ = IdxArray::from_reader(&bytes[..]);
    }
}
