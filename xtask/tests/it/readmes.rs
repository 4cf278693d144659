//! What the READMEs of the crates show can be copied; that it compiles elsewhere is seen by `cargo xtask check --only readmes`.

use std::fs;

use crate::metadata::root;
#[cfg(unix)]
use crate::sandbox::{PROGRAM, Sandbox};

/// The commands of the project's README, in their order, in a folder whose name has a blank, on digits that stand in for MNIST.
/// What is small is made smaller still; downloads and the reproduction have tests of their own.
#[cfg(unix)]
#[test]
fn the_commands_of_the_readme_run_in_order() {
    use mnist_io::{LabeledImages, synthetic_digits};

    let sandbox = Sandbox::with_blanks_in_its_path();
    let (train, test) = (synthetic_digits(1_200, 1), synthetic_digits(100, 2));
    LabeledImages::write_folder(sandbox.path("datasets/mnist"), &train, &test).expect("a small data set");
    let digit = train.images.index_axis(ndarray::Axis(0), 3);
    let picture = image::GrayImage::from_fn(280, 280, |x, y| image::Luma([digit[[y as usize / 10, x as usize / 10]]]));
    picture.save(sandbox.path("my-digit.jpg")).expect("a picture");

    let text = fs::read_to_string(root().join("README.md")).expect("the README");
    let blocks = text.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next());
    let mut n_run = 0;
    for line in blocks.flat_map(str::lines) {
        let command = line.split(" #").next().unwrap_or_default().trim();
        let Some(arguments) = command.strip_prefix("cargo xtask ") else { continue };
        let name = arguments.split(' ').next().unwrap_or_default();
        if ["download", "reproduce"].contains(&name) {
            continue;
        }
        let trains = ["train", "sweep"].contains(&name)
            && !["--list", "--help", "status", "--from"].iter().any(|word| arguments.contains(word));
        let smaller = if trains { " --set train_size=1200 --set test_size=100 --set epochs=1" } else { "" };
        let shell = sandbox.shell(&format!("\"$PROGRAM\" {arguments}{smaller}")).env("PROGRAM", PROGRAM).output();
        let outcome = sandbox.outcome(shell.expect("a shell starts"));
        assert_eq!(outcome.code, 0, "{line}\n{outcome:#?}");
        n_run += 1;
    }
    assert!(n_run >= 12, "{n_run} commands were run");
}

#[test]
fn a_readme_with_rust_says_what_to_depend_on_and_needs_no_generator_from_elsewhere() {
    let mut n_readmes = 0;
    for entry in fs::read_dir(root().join("crates")).expect("the crates") {
        let folder = entry.expect("a crate").path();
        let name = folder.file_name().expect("a name").to_string_lossy().into_owned();
        let text = fs::read_to_string(folder.join("README.md")).expect("a README");
        if !text.contains("\n```rust") {
            continue;
        }
        let own = format!("\n[dependencies]\n{name} = {{ path = \"crates/{name}\" }}\n");
        assert!(text.contains(&own), "{name}: expected a block that begins with {own}");
        let block =
            text.split("```toml\n[dependencies]").nth(1).and_then(|rest| rest.split("```").next()).expect(&name);
        assert!(!block.contains("rand"), "{name}: {block}");
        assert!(!text.contains("use rand"), "{name}: an example needs a generator");
        n_readmes += 1;
    }
    assert_eq!(n_readmes, 13);
}
