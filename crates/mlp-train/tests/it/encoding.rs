//! Codes of classes and their decoding.

use mlp_train::{Codebook, TargetEncoding, TrainConfig};
use proptest::prelude::*;

fn digits() -> Vec<char> {
    ('0'..='9').collect()
}

fn outputs_of_code(codebook: &Codebook, class: usize) -> Vec<f32> {
    codebook.codes.row(class).iter().map(|&bit| f32::from(bit)).collect()
}

/// How many of all answers of zeros and ones are no class.
fn n_invalid(codebook: &Codebook) -> usize {
    let n_bits = codebook.n_bits();
    (0..1_u32 << n_bits)
        .filter(|code| {
            let outputs: Vec<f32> = (0..n_bits).map(|bit| (code >> bit & 1) as f32).collect();
            codebook.decode_threshold(&outputs).is_none()
        })
        .count()
}

#[test]
fn the_ascii_codes_of_digits_are_their_code_points_in_six_bits() {
    let codebook = TargetEncoding::Ascii.codebook(&digits());
    assert_eq!(codebook.codes.dim(), (10, 6));
    assert_eq!(codebook.codes.row(0).to_vec(), [1, 1, 0, 0, 0, 0]);
    assert_eq!(codebook.codes.row(9).to_vec(), [1, 1, 1, 0, 0, 1]);
}

#[test]
fn letters_need_seven_bits() {
    let letters: Vec<char> = ('A'..='Z').collect();
    let codebook = TargetEncoding::Ascii.codebook(&letters);
    assert_eq!(codebook.codes.dim(), (26, 7));
    assert_eq!(codebook.codes.row(0).to_vec(), [1, 0, 0, 0, 0, 0, 1]);
}

#[test]
fn the_binary_code_is_the_index_in_as_few_bits_as_possible() {
    let n_bits = |n_classes| TargetEncoding::Binary.codebook(&vec!['x'; n_classes]).n_bits();
    assert_eq!([1, 2, 3, 4, 5, 8, 9, 10, 16, 17].map(n_bits), [1, 1, 2, 2, 3, 3, 4, 4, 4, 5]);
    let codebook = TargetEncoding::Binary.codebook(&digits());
    assert_eq!(codebook.codes.row(9).to_vec(), [1, 0, 0, 1]);
}

#[test]
fn the_length_of_a_code_is_known_without_the_codes() {
    for classes in [digits(), ('A'..='Z').collect(), vec!['x'], Vec::new()] {
        for encoding in TargetEncoding::ALL {
            assert_eq!(encoding.n_bits(&classes), encoding.codebook(&classes).n_bits(), "{encoding}");
        }
    }
}

#[test]
fn random_codes_are_always_the_same_and_lie_far_apart() {
    let least_distance = |bits: usize| {
        let codes = TargetEncoding::Random { bits }.codebook(&digits()).codes;
        let pairs = (0..10).flat_map(|one| (0..one).map(move |other| (one, other)));
        pairs.map(|(one, other)| codes.row(one).iter().zip(codes.row(other)).filter(|(a, b)| a != b).count()).min()
    };
    assert_eq!([4, 8, 16, 32, 64].map(least_distance), [1, 2, 6, 13, 29].map(Some));
    let codebook = TargetEncoding::Random { bits: 16 }.codebook(&digits());
    assert_eq!(codebook.codes.row(3).to_vec(), [1, 0, 0, 1, 1, 1, 1, 1, 0, 1, 1, 0, 0, 1, 0, 0]);
}

#[test]
fn random_codes_of_no_possible_length_are_refused() {
    for bits in [0, 65, usize::MAX] {
        let encoding = TargetEncoding::Random { bits };
        let error = TrainConfig::new().encoding(encoding).validate(10, 4, 4).unwrap_err();
        assert_eq!(error.key(), Some("encoding.bits"));
        let panic = std::panic::catch_unwind(|| encoding.codebook(&digits())).unwrap_err();
        let text = panic.downcast_ref::<String>().unwrap();
        assert_eq!(*text, format!("random codes have 1 to 64 bits, not {bits}"));
    }
}

#[test]
fn every_code_decodes_to_its_class_in_both_ways() {
    for encoding in TargetEncoding::ALL {
        let codebook = encoding.codebook(&digits());
        for class in 0..10 {
            let outputs = outputs_of_code(&codebook, class);
            assert_eq!(codebook.decode_threshold(&outputs), Some(class), "{encoding}");
            assert_eq!(codebook.decode_nearest(&outputs), class, "{encoding}");
        }
    }
}

#[test]
fn fifty_four_of_sixty_four_ascii_answers_are_no_digit() {
    assert_eq!(n_invalid(&TargetEncoding::Ascii.codebook(&digits())), 54);
    assert_eq!(n_invalid(&TargetEncoding::Binary.codebook(&digits())), 6);
    assert_eq!(n_invalid(&TargetEncoding::OneHot.codebook(&digits())), 1024 - 10);
}

#[test]
fn an_output_of_exactly_a_half_counts_as_one() {
    let codebook = TargetEncoding::Ascii.codebook(&digits());
    assert_eq!(codebook.decode_threshold(&[0.5_f64, 0.5, 0.4, 0.0, 0.0, 0.5]), Some(1));
}

#[test]
fn of_two_codes_at_the_same_distance_the_first_is_nearest() {
    let codebook = TargetEncoding::Ascii.codebook(&digits());
    assert_eq!(codebook.decode_nearest(&[1.0_f32, 1.0, 0.0, 0.0, 0.0, 0.5]), 0);
    assert_eq!(codebook.decode_nearest(&[f32::NAN; 6]), 0);
}

#[test]
#[should_panic(expected = "5 outputs cannot be decoded by codes of 6 bits")]
fn decoding_the_wrong_number_of_outputs_panics() {
    TargetEncoding::Ascii.codebook(&digits()).decode_threshold(&[0.0_f32; 5]);
}

proptest! {
    #[test]
    fn outputs_nearer_to_a_code_than_a_half_decode_to_it(class in 0_usize..10, errors in prop::collection::vec(0.0_f64..0.49, 16)) {
        for encoding in TargetEncoding::ALL {
            let codebook = encoding.codebook(&digits());
            let outputs: Vec<f64> = codebook.codes.row(class).iter().zip(&errors)
                .map(|(&bit, error)| (f64::from(bit) - error).abs())
                .collect();
            prop_assert_eq!(codebook.decode_threshold(&outputs), Some(class));
        }
    }
}

#[test]
fn classes_may_be_words_and_more_than_a_byte_counts_unless_codes_are_ascii() {
    let names: Vec<String> = (0..1000).map(|class| format!("class {class}")).collect();
    for (encoding, n_bits) in [(TargetEncoding::Binary, 10), (TargetEncoding::OneHot, 1000)] {
        let codebook = encoding.codebook(&names);
        assert_eq!((codebook.n_classes(), codebook.n_bits()), (1000, n_bits));
        assert_eq!(encoding.n_bits(&names), n_bits);
        let outputs: Vec<f32> = codebook.codes.row(777).iter().map(|&bit| f32::from(bit)).collect();
        assert_eq!(codebook.decode_threshold(&outputs), Some(777));
        assert_eq!(codebook.classes[codebook.decode_nearest(&outputs)], "class 777");
    }
    // Characters as texts have the codes of the characters.
    let digits: Vec<char> = ('0'..='9').collect();
    let texts: Vec<String> = digits.iter().map(char::to_string).collect();
    for encoding in TargetEncoding::ALL {
        assert_eq!(encoding.codebook(&texts), encoding.codebook(&digits));
    }
    let error = TargetEncoding::Ascii.check_classes(&["a", "T-shirt"]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "encoding: expected one-hot, binary or random where a class is a word, such as \"T-shirt\", found ascii"
    );
}
