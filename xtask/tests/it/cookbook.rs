//! docs/cookbook.md does what it says: its commands run, in order, in a folder whose name has a blank; its Python program
//! too, where it can; its Rust is what stands in the examples, which are compiled with the tests.

use std::fs;

use crate::metadata::root;

fn page() -> String {
    fs::read_to_string(root().join("docs/cookbook.md")).expect("the page")
}

/// The code as a text in which no line begins with blanks, so that an excerpt need not be indented as its file is.
fn flush_left(code: &str) -> String {
    code.lines().map(|line| line.trim_start().to_owned() + "\n").collect()
}

#[test]
fn rust_on_the_page_is_what_stands_in_the_examples() {
    let page = page();
    let (mut n_excerpts, mut example) = (0, None);
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if let Some((_, link)) = line.split_once("](../crates/") {
            example = link.split_once(".rs)").map(|(path, _)| format!("crates/{path}.rs"));
        }
        if line == "```rust" {
            let excerpt: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            let path = example.take().unwrap_or_else(|| panic!("no example is named before {excerpt:#?}"));
            let file = fs::read_to_string(root().join(&path)).unwrap_or_else(|error| panic!("{path}: {error}"));
            let is_there = flush_left(&file).contains(&flush_left(&excerpt.join("\n")));
            assert!(is_there, "{path} does not have these lines: {excerpt:#?}");
            n_excerpts += 1;
        }
    }
    assert!(n_excerpts >= 3, "{n_excerpts} excerpts were found");
}

#[test]
fn every_example_that_the_page_runs_exists() {
    let mut n_examples = 0;
    for line in page().lines().filter(|line| line.starts_with("cargo run ")) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let after = |option: &str| words[words.iter().position(|word| *word == option).expect(line) + 1];
        let path =
            root().join("crates").join(after("-p")).join("examples").join(after("--example")).with_extension("rs");
        assert!(path.is_file(), "{line}: there is no {}", path.display());
        n_examples += 1;
    }
    assert!(n_examples >= 8, "{n_examples} examples were found");
}

#[cfg(unix)]
mod commands {
    use std::io::{Write as _, stderr};
    use std::process::Command;

    use serde_json::Value;

    use super::*;
    use crate::sandbox::{PROGRAM, Sandbox};

    /// What `cargo xtask` does, with the program under test; examples are left out, as they are compiled elsewhere.
    const CARGO: &str = "set -eu\ncargo() { if [ \"$1\" = xtask ]; then shift; \"$PROGRAM\" \"$@\"; fi; }\n";
    /// Stands in for Python where it lacks the packages.
    const NO_PYTHON: &str = "python3() { :; }\n";

    /// A fenced block of the page.
    struct Block {
        language: String,
        /// The last line before it that is not blank.
        before: String,
        code: String,
    }

    fn blocks(page: &str) -> Vec<Block> {
        let (mut blocks, mut before, mut lines) = (Vec::new(), "", page.lines());
        while let Some(line) = lines.next() {
            if let Some(language) = line.strip_prefix("```") {
                let code: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
                blocks.push(Block {
                    language: language.to_owned(),
                    before: before.to_owned(),
                    code: code.join("\n") + "\n",
                });
            } else if !line.trim().is_empty() {
                before = line;
            }
        }
        blocks
    }

    fn has_python() -> bool {
        let installed = Command::new("python3").args(["-c", "import numpy, safetensors"]).output();
        installed.is_ok_and(|output| output.status.success())
    }

    /// The file that the text before a block tells the reader to save it as.
    fn file_name(block: &Block) -> &str {
        let (_, after) =
            block.before.split_once("this as `").unwrap_or_else(|| panic!("no file is named: {}", block.before));
        after.split('`').next().expect("a name")
    }

    #[test]
    fn the_commands_and_the_python_program_of_the_page_run_in_order() {
        let sandbox = Sandbox::with_blanks_in_its_path();
        let has_python = has_python();
        if !has_python {
            // Straight to the terminal: the test harness would swallow what `eprintln!` writes.
            let _ =
                writeln!(stderr(), "SKIPPED: python3 with numpy and safetensors is needed for the cookbook's NumPy");
        }
        let prelude = if has_python { CARGO.to_owned() } else { CARGO.to_owned() + NO_PYTHON };
        let (mut n_run, mut numpy_says) = (0, None);
        for block in blocks(&page()) {
            match block.language.as_str() {
                "sh" => {
                    let output = sandbox.shell(&(prelude.clone() + &block.code)).env("PROGRAM", PROGRAM).output();
                    let outcome = sandbox.outcome(output.expect("a shell starts"));
                    let outcome = outcome.expect_code(0);
                    if block.code.starts_with("python3") {
                        numpy_says = Some(outcome.stdout);
                    }
                    n_run += 1;
                }
                "toml" | "python" => {
                    sandbox.write(file_name(&block), &block.code);
                }
                "rust" => {}
                other => panic!("a block of {other:?}, which nobody checks"),
            }
        }
        assert!(n_run >= 5, "{n_run} blocks were run");
        assert!(numpy_says.is_some(), "the page shows the forward pass in NumPy");
        if has_python {
            let record = fs::read(sandbox.only_file("first/trials", ".json")).expect("a record");
            let record: Value = serde_json::from_slice(&record).expect("JSON");
            let last = record["epochs"].as_array().and_then(|epochs| epochs.last()).expect("an epoch");
            let share = last["test"]["accuracy"].as_f64().expect("a share");
            let n_images = record["data"]["test"].as_f64().expect("a number of images");
            let expected = format!("{} of {n_images} test images are read right\n", (share * n_images).round());
            assert_eq!(numpy_says.as_deref(), Some(expected.as_str()));
        }
    }
}
