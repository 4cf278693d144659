//! Files that are put right on the way.

use crate::fixtures::{gzip, idx_bytes, two_images};
use mnist_io::{ErrorKind, IdxArray, LabelSource, convert_labels, synthetic_digits, transpose_images};
use ndarray::{Array2, Axis};

fn transposed(source: &[u8], n_images: Option<usize>) -> mnist_io::Result<Vec<u8>> {
    let mut target = Vec::new();
    transpose_images(source, &mut target, n_images)?;
    Ok(target)
}

fn converted(source: &[u8], labels: LabelSource, n_labels: Option<usize>) -> mnist_io::Result<Vec<u8>> {
    let mut target = Vec::new();
    convert_labels(source, &mut target, labels, n_labels)?;
    Ok(target)
}

#[test]
fn images_that_were_transposed_are_upright_again() {
    let digits = synthetic_digits(50, 3);
    let mut lying = digits.images.clone();
    lying.swap_axes(1, 2);
    let mut bytes = Vec::new();
    IdxArray::U8(lying.as_standard_layout().into_owned().into_dyn()).write_gzip_to(&mut bytes).unwrap();
    let upright = IdxArray::from_bytes(&transposed(&bytes, Some(50)).unwrap()).unwrap();
    assert_eq!(upright, IdxArray::U8(digits.images.into_dyn()));
}

#[test]
fn the_class_of_a_table_of_labels_is_taken_from_its_column() {
    let table = Array2::from_shape_fn((100, 8), |(row, column)| (10 * column + row % 10) as i32);
    let mut bytes = Vec::new();
    IdxArray::I32(table.clone().into_dyn()).write_gzip_to(&mut bytes).unwrap();
    for column in [0, 3, 7] {
        let labels = converted(&bytes, LabelSource { column, first: 10 * column as i32 }, Some(100)).unwrap();
        let expected = table.index_axis(Axis(1), 0).mapv(|label| label as u8);
        assert_eq!(IdxArray::from_bytes(&labels).unwrap(), IdxArray::U8(expected.into_dyn()));
    }
    let error = converted(&bytes, LabelSource { column: 8, first: 0 }, None).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Data);
}

#[test]
fn a_file_cut_off_or_with_a_flipped_bit_gives_an_error_or_the_same_content() {
    let packed = gzip(&two_images());
    let expected = transposed(&packed, None).unwrap();
    for length in 0..packed.len() {
        assert_eq!(transposed(&packed[..length], None).unwrap_err().kind(), ErrorKind::Data, "{length} bytes");
    }
    for bit in 0..8 * packed.len() {
        let mut damaged = packed.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        match transposed(&damaged, None) {
            Ok(content) => assert_eq!(content, expected, "bit {bit}"),
            Err(error) => assert_eq!(error.kind(), ErrorKind::Data, "bit {bit}: {error}"),
        }
    }
}

#[test]
fn what_does_not_fit_is_refused_with_the_reason() {
    let (labels, images) = (idx_bytes(&[3], &[1, 2, 3]), two_images());
    let text = |result: mnist_io::Result<Vec<u8>>| result.unwrap_err().to_string();
    let from_one = LabelSource { column: 0, first: 1 };
    let texts = [
        text(transposed(&labels, None)),
        text(transposed(&images, Some(3))),
        text(transposed(&[&images[..], &[0]].concat(), None)),
        text(converted(&images, from_one, None)),
        text(converted(&labels, from_one, Some(4))),
        text(converted(&labels, LabelSource { column: 0, first: 2 }, None)),
        text(converted(&gzip(&labels), LabelSource { column: 0, first: -254 }, None)),
    ];
    insta::assert_snapshot!(texts.join("\n"));
}

#[test]
fn a_header_that_promises_too_much_is_an_error_when_the_content_ends() {
    let plain = idx_bytes(&[1, u32::MAX, u32::MAX], &[0; 100]);
    assert_eq!(transposed(&plain, None).unwrap_err().kind(), ErrorKind::Data);
    let plain = idx_bytes(&[u32::MAX, 28, 28], &[0; 1000]);
    assert_eq!(transposed(&gzip(&plain), None).unwrap_err().kind(), ErrorKind::Data);
}
