//! How numbers and values are written.

use mlp_results::{Compared, ErrorKind, Metric, text};
use serde_json::json;

#[test]
fn numbers_are_written_with_the_digits_that_matter() {
    let cases =
        [(0.061726187, 3, "0.0617"), (2.039916e-5, 3, "2.04e-5"), (1234.5, 3, "1230"), (0.1, 4, "0.1"), (0.0, 3, "0")];
    for (number, n_digits, expected) in cases {
        assert_eq!(text::rounded_to(number, n_digits), expected);
    }
    for (seconds, expected) in [(0.44, "0.44 s"), (12.3, "12.3 s"), (200.0, "3 min 20 s"), (7200.0, "2 h 0 min")] {
        assert_eq!(text::duration(seconds), expected);
    }
}

#[test]
fn configuration_values_read_as_a_person_writes_them() {
    let cases = [
        (json!("sigmoid"), "sigmoid"),
        (json!([512, 256]), "512-256"),
        (json!(1.0), "1"),
        (json!(1e-7), "1e-7"),
        (json!(u64::MAX), "18446744073709551615"),
        (json!({ "name": "momentum", "momentum": 0.9 }), "momentum (momentum 0.9)"),
        (json!(null), "none"),
        (json!(false), "no"),
    ];
    for (value, expected) in cases {
        assert_eq!(text::value(&value), expected);
    }
}

#[test]
fn names_are_read_as_they_are_written_and_others_are_refused_with_all_names() {
    for metric in Metric::ALL {
        assert_eq!(metric.to_string().parse::<Metric>().unwrap(), metric);
    }
    for compared in Compared::ALL {
        assert_eq!(compared.to_string().parse::<Compared>().unwrap(), compared);
    }
    let error = "accuracy\u{1b}".parse::<Metric>().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Argument);
    insta::assert_snapshot!(error, @r#"expected a metric, found "accuracy⟨U+001B⟩"; choose one of accuracy, exact_accuracy, nearest_accuracy, bit_accuracy, invalid_rate, mae, rmse, loss; did you mean accuracy?"#);
}
