//! The program is killed while it writes its report. Kills before that are tested in `mlp-sweep`.

use crate::sandbox::Sandbox;
use crate::sweep::{records, table_without_seconds};

/// Two trials, one after the other, with two checkpoints each.
const GRID: &str = "hidden = [4]\nepochs = 3\ntest_size = 50\nevaluate_train = 50\n[sweep]\nseed = [0, 1]\n";
/// The steps of the sweep: the specification; for each trial two checkpoints, the model, the record, and two removals.
const N_STEPS_OF_SWEEP: usize = 6 + 2 * (4 * 6 + 2);

fn arguments(out: &str) -> Vec<String> {
    let fixed = "sweep grid.toml --data ./digits --jobs 1 --threads 1 --checkpoint-epochs 1 --quiet --out";
    fixed.split(' ').chain([out]).map(str::to_owned).collect()
}

#[test]
fn killed_while_it_writes_its_report_the_program_writes_the_same_one_the_next_time() {
    let sandbox = Sandbox::with_digits();
    sandbox.write("grid.toml", GRID);
    sandbox.run(arguments("undisturbed")).expect_code(0);
    let table = |out: &str| table_without_seconds(&sandbox, out);
    // The first figures, the table, and the page.
    for step in (1..60).step_by(13) {
        let out = format!("kill-{step}");
        let mut command = sandbox.command(arguments(&out));
        let killed = command.env("DURABLE_FILE_FAULT", format!("kill:{}", N_STEPS_OF_SWEEP + step)).output();
        assert!(!killed.expect("the program starts").status.success(), "step {step} was not reached");
        assert_eq!(records(&sandbox, &out), records(&sandbox, "undisturbed"), "killed at step {step}");
        sandbox.run(arguments(&out)).expect_code(0);
        assert_eq!(table(&out), table("undisturbed"), "killed at step {step}");
        assert_eq!(sandbox.files(&format!("{out}/plots")).len(), sandbox.files("undisturbed/plots").len());
        let folders = [out.clone(), format!("{out}/plots")];
        let left = folders.iter().flat_map(|folder| sandbox.files(folder));
        let left: Vec<_> = left.filter(|file| file.to_string_lossy().ends_with(".tmp")).collect();
        assert!(left.is_empty() && sandbox.path(&format!("{out}/report.html")).is_file(), "{left:?}");
    }
}
