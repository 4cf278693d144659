//! What the examples make up is what they say.

use mlp_results::{Overview, RunFolder};

#[path = "../../examples/read_results.rs"]
#[allow(dead_code)] // Its main reads the arguments of the program.
mod read_results;

#[test]
fn the_made_up_folder_of_read_results_has_seven_configurations_with_intervals() {
    let dir = tempfile::tempdir().unwrap();
    let results = RunFolder::new(read_results::made_up_folder(dir.path())).read().unwrap();
    assert_eq!(results.warnings, [""; 0]);
    let overview = Overview::new(&results.trials);
    assert_eq!(overview.cells.len(), 7);
    assert!(overview.cells.iter().all(|cell| cell.interval().is_some()));
}
