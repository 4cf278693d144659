//! A folder that looks like the project to the program, and a way to call the program in it.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use mnist_io::{LabeledImages, synthetic_digits};
use tempfile::TempDir;

/// The program under test.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_xtask");

/// What of a user's environment changes how the network is reached.
const PROXY_VARIABLES: [&str; 9] = [
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "no_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "SSL_CERT_FILE",
];

/// A temporary root with `datasets/manifest.toml` and an empty package folder.
pub(crate) struct Sandbox {
    folder: TempDir,
}

/// What a call came to.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Sandbox {
    pub(crate) fn new() -> Self {
        Sandbox::in_folder(tempfile::tempdir().expect("a temporary folder"))
    }

    /// With a path that falls apart where somebody forgot to quote it.
    #[cfg(unix)]
    pub(crate) fn with_blanks_in_its_path() -> Self {
        Sandbox::in_folder(tempfile::Builder::new().prefix("with two blanks ").tempdir().expect("a temporary folder"))
    }

    fn in_folder(folder: TempDir) -> Self {
        let sandbox = Sandbox { folder };
        fs::create_dir_all(sandbox.path("xtask")).expect("a folder");
        fs::create_dir_all(sandbox.path("datasets")).expect("a folder");
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../datasets/manifest.toml");
        fs::copy(manifest, sandbox.path("datasets/manifest.toml")).expect("the manifest of the project");
        sandbox
    }

    /// With a folder `digits` of a few small images to train on.
    pub(crate) fn with_digits() -> Self {
        let sandbox = Sandbox::new();
        let (train, test) = (synthetic_digits(200, 1), synthetic_digits(100, 2));
        LabeledImages::write_folder(sandbox.path("digits"), &train, &test).expect("a small data set");
        sandbox
    }

    /// A path below the root.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file below the root.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, content).expect("a file of the sandbox");
        path
    }

    /// Writes a script that can be run. Another process writes it: one that this one starts meanwhile would inherit a file that
    /// is open for writing, and such a file cannot be run.
    #[cfg(unix)]
    pub(crate) fn write_program(&self, name: &str, script: &str) -> PathBuf {
        let path = self.path(name);
        let mut shell = Command::new("sh");
        shell.args(["-c", "printf %s \"$2\" > \"$1\" && chmod 755 \"$1\"", "sh"]).arg(&path).arg(script);
        assert!(shell.status().expect("a shell starts").success(), "{}", path.display());
        path
    }

    /// The program with `arguments`, in the root, with nothing of this test's environment that matters.
    pub(crate) fn command(&self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Command {
        let mut command = Command::new(PROGRAM);
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env("CARGO_MANIFEST_DIR", self.path("xtask"))
            .env("COLUMNS", "110")
            .stdin(Stdio::null());
        for variable in PROXY_VARIABLES {
            command.env_remove(variable);
        }
        command
    }

    /// Calls the program and waits.
    pub(crate) fn run(&self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Outcome {
        self.outcome(self.command(arguments).output().expect("the program starts"))
    }

    /// Calls the program through `sh -c`, where `"$@"` stands for the program and `arguments`.
    #[cfg(target_os = "linux")]
    pub(crate) fn run_in_shell(&self, script: &str, arguments: &[&str]) -> Outcome {
        let mut command = self.shell(script);
        command.arg(PROGRAM).args(arguments);
        self.outcome(command.output().expect("a shell starts"))
    }

    /// `sh -c` with this script, in the root.
    #[cfg(unix)]
    pub(crate) fn shell(&self, script: &str) -> Command {
        let mut command = Command::new("sh");
        command
            .args(["-c", script, "sh"])
            .current_dir(self.folder.path())
            .env("CARGO_MANIFEST_DIR", self.path("xtask"))
            .stdin(Stdio::null());
        command
    }

    /// Trains a small net on `digits` into `out`, with further arguments.
    pub(crate) fn train(&self, out: &str, arguments: &[&str]) -> Outcome {
        let fixed = ["train", "--data", "./digits", "--set", "hidden=[8]", "--set", "epochs=1", "--threads", "1"];
        self.run(fixed.iter().chain(&["--out", out]).chain(arguments))
    }

    /// The only file in `folder` with this ending.
    pub(crate) fn only_file(&self, folder: &str, ending: &str) -> PathBuf {
        let mut files = self.files(folder);
        files.retain(|file| file.to_string_lossy().ends_with(ending));
        assert_eq!(files.len(), 1, "{files:?}");
        files.remove(0)
    }

    /// The entries of a folder by name; none if there is no such folder.
    pub(crate) fn files(&self, folder: &str) -> Vec<PathBuf> {
        let Ok(entries) = fs::read_dir(self.path(folder)) else { return Vec::new() };
        let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
        files.sort();
        files
    }

    /// What a process came to, with the sandbox's own path replaced by `[root]`.
    pub(crate) fn outcome(&self, output: Output) -> Outcome {
        let root = self.folder.path().to_string_lossy().into_owned();
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).replace(&root, "[root]");
        Outcome { code: output.status.code().unwrap_or(-1), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

impl Outcome {
    /// Standard output as one line, however it was broken for the terminal.
    pub(crate) fn said(&self) -> String {
        self.stdout.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Checks the exit code, showing everything if it is another.
    #[track_caller]
    pub(crate) fn expect_code(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:#?}");
        assert!(!self.stderr.contains("panicked"), "{self:#?}");
        self
    }

    /// Checks that the errors contain `text`.
    #[track_caller]
    pub(crate) fn expect_error(self, text: &str) -> Self {
        assert!(self.stderr.contains(text), "expected {text:?} in {self:#?}");
        self
    }
}
