//! The example does what it says.

#[allow(dead_code, reason = "its `main` is for people")]
#[path = "../../examples/sweep_from_rust.rs"]
mod sweep_from_rust;

use crate::small::{Place, records};

#[test]
fn the_example_finds_the_best_configuration_and_repeats_nothing() {
    let place = Place::new();
    let folder = place.folder("rates");
    let best = sweep_from_rust::best_rate(folder.path()).expect("a sweep");
    assert!(best.starts_with("best learning rate: 0.") && best.ends_with(" over 3 seeds"), "{best}");
    assert!(best.contains(" % ± "), "{best}");
    let before = records(&folder);
    assert_eq!(before.len(), 9);
    assert_eq!(sweep_from_rust::best_rate(folder.path()).expect("a sweep"), best);
    assert_eq!(records(&folder), before);
}

#[allow(dead_code, reason = "its `main` is for people")]
#[path = "../../examples/sweep_a_table.rs"]
mod sweep_a_table;

#[test]
fn the_example_of_a_table_ranks_three_widths_and_learns_the_ring() {
    let lines = sweep_a_table::widths(Place::new().folder("ring").path()).expect("a sweep");
    assert_eq!(lines.lines().count(), 3, "{lines}");
    assert!(lines.lines().next().is_some_and(|best| best.contains(" 9") && best.ends_with('%')), "{lines}");
}
