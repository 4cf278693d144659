//! What constant answers reach.

use mlp_results::Overview;
use mlp_results::levels::{constant_answers, levels};
use mlp_train::Decoding;
use serde_json::json;

use crate::made_up::{self, CLASS_COUNTS, Story};

const STORY: Story = Story { accuracy: 0.9, pace: 2.0, n_epochs: 4, seed: 0 };

/// The figures of `levels.py`, which computes them from MNIST's label counts in plain Python.
#[test]
fn the_levels_of_constant_answers_on_mnist_are_those_of_the_paper() {
    let levels = constant_answers(&made_up::record(&[], STORY));
    let rounded: Vec<String> = levels
        .iter()
        .map(|l| format!("{} {:.4} {:.4} {:.4} {:.4}", l.name, l.mae, l.rmse, l.bit_accuracy, l.exact_accuracy))
        .collect();
    assert_eq!(
        rounded,
        [
            "all ones 0.4176 0.6462 0.5824 0.0000",
            "majority bits 0.2466 0.4966 0.7534 0.1135",
            "mean of bits 0.2955 0.3844 0.7534 0.1135",
            // '1', 110001, is the answer of the majority bits, too.
            "commonest class 0.2466 0.4966 0.7534 0.1135",
        ]
    );
}

#[test]
fn the_levels_follow_the_class_counts_and_the_encoding() {
    let mut record = made_up::record(&[("encoding", json!("one-hot"))], STORY);
    record.data.classes = vec!["a".to_owned(), "b".to_owned()];
    record.confusion = Some(vec![vec![30, 0, 0], vec![0, 10, 0]]);
    let levels = constant_answers(&record);
    assert_eq!(levels[0].mae, 0.5);
    assert_eq!(levels[1].mae, 0.25);
    assert_eq!(levels[1].exact_accuracy, 0.75);
    assert_eq!(levels[2].mae, 2.0 * 0.75 * 0.25);
    assert_eq!(levels.iter().map(|level| level.accuracy).collect::<Vec<_>>(), [0.75; 4]);
}

/// With ten outputs a class, no majority of bits is a class at all; the digit that there is most often is right for 11.35 %.
#[test]
fn with_one_output_a_class_the_best_constant_answer_is_the_commonest_class() {
    let record = made_up::record(&[("encoding", json!("one-hot"))], STORY);
    let levels = constant_answers(&record);
    let of = |name: &str| levels.iter().find(|level| level.name == name).unwrap();
    assert_eq!((of("commonest class").accuracy, of("commonest class").exact_accuracy), (0.1135, 0.1135));
    assert_eq!((of("majority bits").exact_accuracy, of("mean of bits").accuracy), (0.0, 0.1135));
    let trials = [record.into()];
    assert_eq!(Overview::new(&trials).best_constant(), Some(("commonest class", 0.1135)));
}

/// To all ones every code with one 1 is as near as any other: the first class is the answer, however many samples it has.
#[test]
fn of_equally_near_codes_the_first_class_is_the_answer_and_of_equal_levels_the_commonest_class_is_named() {
    let codes: Vec<Vec<bool>> = (0..3).map(|class| (0..3).map(|bit| bit == class).collect()).collect();
    for counts in [[20, 50, 30], [30, 20, 50]] {
        let levels = levels(&codes, &counts, Decoding::Nearest);
        let of = |name: &str| levels.iter().find(|level| level.name == name).unwrap().accuracy;
        let first = counts[0] as f64 / 100.0;
        assert_eq!((of("all ones"), of("commonest class")), (first, 0.5));
    }
    let equal = levels(&codes, &[10, 10, 10], Decoding::Nearest);
    assert!(equal.iter().all(|level| level.accuracy == 1.0 / 3.0));
    let mut record = made_up::record(&[("encoding", json!("one-hot"))], STORY);
    record.confusion = Some((0..10).map(|class| (0..11).map(|answer| u64::from(answer == class)).collect()).collect());
    assert_eq!(Overview::new(&[record.into()]).best_constant(), Some(("commonest class", 0.1)));
}

#[test]
fn codes_that_contradict_themselves_or_the_counts_have_no_levels() {
    assert_eq!(levels(&[vec![true, false], vec![false, true]], &[1, 2], Decoding::Exact).len(), 4);
    for (codes, counts) in [
        (vec![vec![true, false], vec![true]], vec![1, 2]),
        (vec![vec![true], vec![true, false]], vec![1, 2]),
        (vec![vec![true], vec![false]], vec![1]),
        (vec![vec![true]], vec![1, 2]),
        (vec![vec![], vec![]], vec![1, 2]),
        (vec![vec![true]], vec![0]),
        (vec![], vec![]),
    ] {
        assert!(levels(&codes, &counts, Decoding::Exact).is_empty(), "{codes:?} {counts:?}");
    }
}

#[test]
fn the_class_counts_of_the_made_up_records_are_those_of_mnist() {
    let record = made_up::record(&[], STORY);
    let sums: Vec<u64> = record.confusion.iter().flatten().map(|row| row.iter().sum()).collect();
    assert_eq!(sums, CLASS_COUNTS);
}
