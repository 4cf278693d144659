//! Faults of the command line and its surroundings.

use std::process::Stdio;

use crate::sandbox::Sandbox;

#[test]
fn without_arguments_help_goes_to_standard_error_with_code_2() {
    let outcome = Sandbox::new().run([] as [&str; 0]).expect_code(2);
    assert_eq!(outcome.stdout, "");
    insta::assert_snapshot!("help", outcome.stderr);
}

#[test]
fn the_help_of_each_command_has_examples() {
    let sandbox = Sandbox::new();
    for command in [
        "download",
        "data",
        "train",
        "sweep",
        "report",
        "evaluate",
        "predict",
        "export",
        "import",
        "serve",
        "reproduce",
        "bench",
        "check",
    ] {
        let outcome = sandbox.run([command, "-h"]).expect_code(0);
        assert_eq!(outcome.stderr, "");
        assert!(outcome.stdout.contains("Examples:") || command == "check", "{command}");
        let too_wide: Vec<_> = examples(&outcome.stdout).filter(|line| line.chars().count() > 80).collect();
        assert!(too_wide.is_empty(), "{command}: {too_wide:#?}");
        insta::assert_snapshot!(format!("help-{command}"), outcome.stdout);
    }
}

/// In a terminal of 80 columns, in a wider one, and where nobody knows.
#[test]
fn no_line_of_the_help_of_any_command_is_wider_than_80_columns() {
    let sandbox = Sandbox::new();
    let mut open: Vec<Vec<String>> = vec![Vec::new()];
    let mut n_commands = 0;
    while let Some(command) = open.pop() {
        n_commands += 1;
        for (flag, columns) in [("--help", Some("80")), ("--help", Some("200")), ("--help", None), ("-h", None)] {
            let mut call = sandbox.command(command.iter().map(String::as_str).chain([flag]));
            match columns {
                Some(columns) => call.env("COLUMNS", columns),
                None => call.env_remove("COLUMNS"),
            };
            let help = sandbox.outcome(call.output().expect("the program starts")).expect_code(0).stdout;
            let too_wide: Vec<_> = help.lines().filter(|line| line.chars().count() > 80).collect();
            assert!(too_wide.is_empty(), "{command:?} {flag} {columns:?}: {too_wide:#?}");
            if flag == "-h" {
                open.extend(subcommands(&help).map(|name| [command.clone(), vec![name]].concat()));
            }
        }
    }
    assert!(n_commands > 16, "{n_commands}");
}

/// The names under `Commands:`.
fn subcommands(help: &str) -> impl Iterator<Item = String> {
    let lines = help.lines().skip_while(|line| !line.starts_with("Commands:")).skip(1);
    let names = lines.take_while(|line| !line.is_empty()).filter(|line| !line.starts_with("   "));
    names.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help").map(str::to_owned)
}

/// The indented lines behind the options: commands, and what each does.
fn examples(help: &str) -> impl Iterator<Item = &str> {
    help.lines().skip_while(|line| !line.starts_with("Examples:")).filter(|line| line.starts_with("  "))
}

#[test]
fn the_long_help_of_train_shows_every_key_with_its_default() {
    let help = Sandbox::new().run(["train", "--help"]).expect_code(0).stdout;
    let defaults = mlp_train::TrainConfig::default();
    for key in mlp_train::TrainConfig::KEYS {
        assert!(help.contains(&format!("\n  {} = ", key.name)), "{}", key.name);
    }
    assert!(help.contains(&format!("batch_size = {}", defaults.batch_size)));
}

#[test]
fn unknown_flags_and_commands_are_refused_with_the_nearest_known_one() {
    let sandbox = Sandbox::new();
    let outcome = sandbox.run(["train", "--epochs", "3"]).expect_code(2);
    let outcome = outcome.expect_error("unexpected argument '--epochs'");
    let outcome = outcome
        .expect_error("`epochs` is a key of the configuration: `train` and `sweep` take it as --set epochs=VALUE");
    assert!(!outcome.stderr.contains("as a value"), "{}", outcome.stderr);
    // An option that is merely like a key is no better guess than the key.
    let outcome = sandbox.run(["train", "--seed", "3"]).expect_code(2);
    assert!(outcome.stderr.contains("--set seed=VALUE") && !outcome.stderr.contains("similar"), "{}", outcome.stderr);
    for (command, tip) in [
        (&["trian"][..], "did you mean `train`?"),
        (&["help", "trian"], "did you mean `train`?"),
        (&["repor"], "did you mean `report`?"),
        (&["data", "imprt"], "did you mean `import`?"),
        (&["status"], "cargo xtask sweep status FOLDER"),
        (&["train", "--epoch=3"], "--set epochs=VALUE"),
        (&["report", "--bye", "loss", "a"], "a similar argument exists: '--by'"),
        (&["sweep", "statsu"], "did you mean `sweep status FOLDER`?"),
        (&["sweep", "statsu", "datasets"], "cargo xtask sweep status datasets"),
        (&["sweep", "layers", "status"], "cargo xtask sweep status FOLDER"),
        (&["sweep", "laiers"], "did you mean layers?"),
    ] {
        let outcome = sandbox.run(command).expect_code(2).expect_error(tip);
        let n_tips = ["tip:", "did you mean", "is a key", "how a sweep stands:"];
        let n_tips: usize = n_tips.iter().map(|words| outcome.stderr.matches(words).count()).sum();
        assert!(n_tips <= 1, "{command:?}: {}", outcome.stderr);
        let files = "as a value";
        assert!(!outcome.stderr.contains(files), "{command:?}: {}", outcome.stderr);
    }
    sandbox.run(["train", "--kernel", "sse9"]).expect_code(2).expect_error("expected one of avx512, avx2, portable");
    sandbox.run(["train", "--threads", "0"]).expect_code(2).expect_error("1..=1024");
    sandbox.run(["predict", "model"]).expect_code(2).expect_error("<IMAGE|FOLDER>");
    assert!(sandbox.files("runs").is_empty());
}

#[test]
fn a_reader_that_has_had_enough_is_no_failure() {
    let sandbox = Sandbox::new();
    let mut child = sandbox.command(["sweep", "--list"]).stdout(Stdio::piped()).spawn().expect("the program starts");
    drop(child.stdout.take());
    assert_eq!(child.wait().expect("an end").code(), Some(0));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_behind_standard_output_is_code_5_and_no_success() {
    let sandbox = Sandbox::with_digits();
    for arguments in [&["--help"][..], &["--version"], &["sweep", "--list"], &["download", "--list"]] {
        let full = std::fs::File::options().write(true).open("/dev/full").expect("/dev/full");
        let output = sandbox.command(arguments).stdout(full).output().expect("the program starts");
        sandbox.outcome(output).expect_code(5).expect_error("cannot write to the standard output");
    }
    // A training run keeps its result all the same.
    let train = ["train", "--data", "./digits", "--set", "hidden=[8]", "--set", "epochs=1", "--out", "out"];
    let full = std::fs::File::options().write(true).open("/dev/full").expect("/dev/full");
    let output = sandbox.command(train).stdout(full).output().expect("the program starts");
    sandbox.outcome(output).expect_code(5);
    sandbox.only_file("out/trials", ".json");
}

#[test]
fn without_a_terminal_no_progress_is_drawn() {
    let outcome = Sandbox::with_digits().train("out", &[]).expect_code(0);
    assert_eq!(outcome.stderr, "");
    assert!(!outcome.stdout.contains('\r') && !outcome.stdout.contains('\u{1b}'));
}

#[cfg(unix)]
#[test]
fn arguments_that_are_not_utf8_are_paths_or_errors_but_no_panic() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let sandbox = Sandbox::with_digits();
    let strange = OsStr::from_bytes(b"out\xff\xfe");
    let plain = |text: &'static str| OsStr::new(text);
    sandbox.run([plain("train"), plain("--set"), strange]).expect_code(2);
    sandbox.run([plain("sweep"), strange]).expect_code(2);
    sandbox.run([plain("report"), strange]).expect_code(2);
    sandbox.run([plain("evaluate"), strange]).expect_code(5);
    sandbox.run([plain("predict"), strange, strange]).expect_code(5);
    let arguments = ["train", "--data", "./digits", "--set", "hidden=[8]", "--set", "epochs=1", "--out"];
    let mut arguments: Vec<&OsStr> = arguments.iter().map(OsStr::new).collect();
    arguments.push(strange);
    sandbox.run(arguments).expect_code(0);
}

#[test]
fn spaces_unicode_and_leading_dashes_in_paths_work() {
    let sandbox = Sandbox::with_digits();
    std::fs::rename(sandbox.path("digits"), sandbox.path("my dïgits 数字")).expect("a rename");
    sandbox.write("-my config.toml", "hidden = [4]\nepochs = 1\n");
    let outcome = sandbox.run([
        "train",
        "--data",
        "./my dïgits 数字",
        "--out=-out $(touch x) ü",
        "--threads=1",
        "--",
        "-my config.toml",
    ]);
    outcome.expect_code(0);
    sandbox.only_file("-out $(touch x) ü/trials", ".json");
    assert!(!sandbox.path("x").exists());
}

#[test]
fn it_runs_without_home_and_from_any_folder_below_the_project() {
    let sandbox = Sandbox::with_digits();
    std::fs::create_dir_all(sandbox.path("some/folder")).expect("folders");
    let digits = sandbox.path("digits");
    let mut command = sandbox.command(["train", "--set", "epochs=0", "--set", "name=here", "--data"]);
    let output = command
        .arg(&digits)
        .env_clear()
        .env("CARGO_MANIFEST_DIR", sandbox.path("xtask"))
        .current_dir(sandbox.path("some/folder"))
        .output()
        .expect("the program starts");
    sandbox.outcome(output).expect_code(0);
    sandbox.only_file("runs/here-digits/trials", ".json");

    let mut command = sandbox.command(["train", "--set", "epochs=0", "--set", "name=there", "--data"]);
    let output = command.arg(&digits).env_clear().current_dir(sandbox.path("some/folder")).output();
    sandbox.outcome(output.expect("the program starts")).expect_code(0);
    sandbox.only_file("runs/there-digits/trials", ".json");
}

#[cfg(unix)]
#[test]
fn a_folder_that_cannot_be_written_is_code_5() {
    use std::os::unix::fs::PermissionsExt;
    let sandbox = Sandbox::with_digits();
    std::fs::create_dir(sandbox.path("closed")).expect("a folder");
    std::fs::set_permissions(sandbox.path("closed"), std::fs::Permissions::from_mode(0o555)).expect("permissions");
    let is_root = std::fs::write(sandbox.path("closed/probe"), "").is_ok();
    if is_root {
        // Permissions do not bind the superuser; a file in the folder's place does.
        sandbox.write("occupied", "");
        sandbox.train("occupied/out", &[]).expect_code(5).expect_error("occupied");
        sandbox.train("/proc/out", &[]).expect_code(5);
    } else {
        sandbox.train("closed/out", &[]).expect_code(5).expect_error("check the permissions");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn too_few_open_files_is_code_5_with_advice() {
    let sandbox = Sandbox::with_digits();
    let arguments = ["train", "--data", "./digits", "--set", "hidden=[8]", "--set", "epochs=1", "--out", "out"];
    let outcome = sandbox.run_in_shell("ulimit -n 4; exec \"$@\"", &arguments);
    outcome.expect_code(5).expect_error("oo many open files");
}

#[cfg(target_os = "linux")]
#[test]
fn too_little_memory_for_the_data_is_code_5_with_advice() {
    let sandbox = Sandbox::new();
    let arguments = ["train", "--set", "epochs=0", "--set", "hidden=[8]", "--threads", "1", "--out", "out"];
    let outcome = sandbox.run_in_shell("ulimit -v 56000; exec \"$@\"", &arguments);
    outcome.expect_code(5).expect_error("MiB of memory");
}

#[cfg(target_os = "linux")]
#[test]
fn a_network_that_cannot_fit_into_the_allowed_memory_is_recorded_as_failed_and_not_started() {
    let sandbox = Sandbox::with_digits();
    let hidden = "hidden=[20000, 20000]";
    let arguments =
        ["train", "--data", "./digits", "--set", hidden, "--set", "epochs=1", "--threads", "1", "--out", "out"];
    let outcome = sandbox.run_in_shell("ulimit -v 500000; exec \"$@\"", &arguments);
    outcome.expect_code(7).expect_error("MiB of memory");
    let record = std::fs::read_to_string(sandbox.only_file("out/trials", ".json")).expect("a record");
    assert!(record.contains("\"status\": \"failed\""));
}

#[cfg(unix)]
#[test]
fn check_runs_its_steps_in_order_and_ends_at_the_first_that_fails() {
    let sandbox = Sandbox::new();
    std::fs::create_dir_all(sandbox.path("crates/lib")).expect("a folder");
    sandbox.write("Cargo.lock", "");
    let readme = "```toml\n[dependencies]\nlib = { path = \"crates/lib\" }\n```\n```rust\n# use lib::f;\nf();\n```\n";
    sandbox.write("crates/lib/README.md", readme);
    let script = "#!/bin/sh\necho \"$@ $RUSTDOCFLAGS\" >> \"$CALLED\"\n\
                  test \"$1\" != check || cp -r . \"$CALLED-readmes\"\ntest \"$1\" != \"$FAILING\"\n";
    let cargo = sandbox.write_program("cargo", script);
    let run = |failing: &str| {
        let mut command = sandbox.command(["check"]);
        let command = command.env("CARGO", &cargo).env("FAILING", failing).env_remove("RUSTDOCFLAGS");
        command.env("CALLED", sandbox.path("called"));
        sandbox.outcome(command.output().expect("the program starts"))
    };
    let outcome = run("none").expect_code(0);
    assert_eq!(outcome.stdout.matches("passed in").count(), 5);
    assert!(outcome.stdout.ends_with(": 1 example of 1 README\n"), "{}", outcome.stdout);
    let called = std::fs::read_to_string(sandbox.path("called")).expect("calls");
    let first_words: Vec<&str> = called.lines().filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(first_words, ["fmt", "clippy", "test", "doc", "check"]);
    assert!(called.contains("--no-deps -D warnings\n"), "{called}");
    let read = |file: &str| std::fs::read_to_string(sandbox.path("called-readmes").join(file)).expect(file);
    assert_eq!(read("lib/src/bin/lib-0.rs"), "fn main() {\nuse lib::f;\nf();\n}\n");
    let path = sandbox.path("crates/lib").canonicalize().expect("a folder");
    assert!(read("lib/Cargo.toml").ends_with(&format!("[dependencies]\nlib = {{ path = \"{}\" }}\n", path.display())));
    run("check").expect_code(7).expect_error("does not compile outside the workspace");
    let outcome = run("clippy").expect_code(7).expect_error("lints: `cargo clippy");
    assert_eq!(outcome.stdout.matches("passed in").count(), 1);
}
