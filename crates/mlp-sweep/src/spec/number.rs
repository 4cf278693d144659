//! Numbers as people write them and TOML does not: `.001` and `1.`.

use std::ops::Range;

/// The place of the first such number in a line of TOML at or around `at`, and how to write it.
pub(super) fn incomplete(text: &str, at: usize) -> Option<(Range<usize>, String)> {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-._".contains(byte);
    let bytes = text.as_bytes();
    let at = at.min(bytes.len());
    let start = at - bytes[..at].iter().rev().take_while(|byte| is_part(byte)).count();
    let end = at + bytes[at..].iter().take_while(|byte| is_part(byte)).count();
    Some((start..end, with_all_digits(text.get(start..end)?)?))
}

/// How TOML writes the number that `text` is meant to be: with a digit before the point and one behind it. `None` where it
/// is no number, or one that TOML takes.
fn with_all_digits(text: &str) -> Option<String> {
    let (sign, rest) = match text.strip_prefix(['+', '-']) {
        Some(rest) => (text.get(..1)?, rest),
        None => ("", text),
    };
    let (mantissa, exponent) = rest.split_at(rest.find(['e', 'E']).unwrap_or(rest.len()));
    let (whole, fraction) = mantissa.split_once('.')?;
    let is_digits = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_');
    let lacks_one = whole.is_empty() != fraction.is_empty();
    // The rest is checked by reading it.
    let is_number = rest.replace('_', "").parse::<f64>().is_ok_and(f64::is_finite);
    if !(lacks_one && is_number && is_digits(whole) && is_digits(fraction)) {
        return None;
    }
    let digits = |digits: &str| if digits.is_empty() { "0".to_owned() } else { digits.to_owned() };
    Some(format!("{sign}{}.{}{exponent}", digits(whole), digits(fraction)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_lacks_a_digit_on_one_side_of_the_point_gets_it() {
        for (text, expected) in
            [(".001", "0.001"), ("1.", "1.0"), ("-.5", "-0.5"), ("+1.", "+1.0"), ("1.e-3", "1.0e-3"), (".5E2", "0.5E2")]
        {
            assert_eq!(with_all_digits(text).as_deref(), Some(expected));
            assert!(expected.parse::<f64>().is_ok());
        }
        for text in ["", ".", "1", "1.5", "1e5", ".e5", "..1", "1..", ".a", "-", "1.e", ".inf", "é.", "."] {
            assert_eq!(with_all_digits(text), None, "{text}");
        }
    }

    #[test]
    fn the_number_around_a_place_is_found() {
        let text = "rate = [.001, 1.]\n";
        assert_eq!(incomplete(text, 8), Some((8..12, "0.001".to_owned())));
        assert_eq!(incomplete(text, 16), Some((14..16, "1.0".to_owned())));
        assert_eq!(incomplete(text, 3), None);
        assert_eq!(incomplete(text, 99), None);
    }
}
