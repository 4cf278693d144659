//! `serve`, started for a test.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use crate::sandbox::Sandbox;

/// The program, serving until this value ends.
pub(super) struct Serving {
    child: Child,
    pub(super) url: String,
    _output: BufReader<ChildStdout>,
}

impl Serving {
    /// `serve` with these arguments and a port that is free, unless they name one.
    pub(super) fn start(sandbox: &Sandbox, arguments: &[&str]) -> Self {
        let mut command = sandbox.command(["serve"].iter().chain(arguments));
        if !arguments.contains(&"--port") {
            command.args(["--port", "0"]);
        }
        let mut child = command.stdout(Stdio::piped()).spawn().expect("the program starts");
        let mut output = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut line = String::new();
        output.read_line(&mut line).expect("a line");
        let url = line.trim().trim_start_matches("page").trim().to_owned();
        assert!(url.starts_with("http://127.0.0.1:"), "{line:?}");
        Serving { child, url, _output: output }
    }

    pub(super) fn port(&self) -> String {
        self.url.split(':').nth(2).and_then(|rest| rest.split('/').next()).expect("a port").to_owned()
    }

    /// The address of a screen.
    pub(super) fn at(&self, screen: &str) -> String {
        format!("{}{screen}", self.url)
    }

    /// Ends it as a crash would.
    pub(super) fn kill(mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ends");
    }

    /// Ends it as Ctrl-C does, and says with which code.
    #[cfg(unix)]
    pub(super) fn interrupt(mut self) -> Option<i32> {
        let id = self.child.id().to_string();
        let killed = std::process::Command::new("kill").args(["-INT", &id]).status().expect("kill starts");
        assert!(killed.success());
        let (ended, is_over) = mpsc::channel();
        let mut child = std::mem::replace(&mut self.child, idle());
        std::thread::spawn(move || ended.send(child.wait().expect("a state").code()));
        is_over.recv_timeout(Duration::from_secs(60)).expect("it ends soon")
    }
}

/// A process that has nothing to do.
#[cfg(unix)]
fn idle() -> Child {
    std::process::Command::new("true").spawn().expect("a process")
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Real MNIST, where this machine has it.
pub(super) fn mnist() -> Option<PathBuf> {
    let default = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../datasets/mnist");
    let folder = std::env::var_os("MNIST_DIR").map_or_else(default, PathBuf::from);
    folder.join("train-images-idx3-ubyte.gz").is_file().then_some(folder)
}
