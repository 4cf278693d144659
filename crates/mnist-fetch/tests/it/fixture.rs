//! A folder with a manifest, and fetches into it.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use mnist_fetch::{
    Error, ErrorKind, FetchedSet, Fetcher, FileReport, FileStatus, Manifest, Network, RetryPolicy, Source,
};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::server::Server;

/// What the only file of the set `small` holds.
pub(crate) const CONTENT: &[u8] = b"the content of the only file of a very small data set";

/// A temporary folder with `datasets/`.
pub(crate) struct Fixture {
    folder: TempDir,
}

/// One attempt at each source, and not for long.
pub(crate) const HASTY: RetryPolicy = RetryPolicy {
    stall_timeout: Duration::from_secs(2),
    deadline: Some(Duration::from_secs(6)),
    n_attempts: 1,
    pause: Duration::from_millis(500),
};

impl Fixture {
    /// With this manifest.
    pub(crate) fn with_manifest(text: &str) -> Self {
        let fixture = Fixture { folder: tempfile::tempdir().expect("a temporary folder") };
        fs::create_dir(fixture.path("datasets")).expect("a folder");
        fixture.write("datasets/manifest.toml", text);
        fixture
    }

    /// With a manifest that knows one set, `small`, with one file on `mirrors`.
    pub(crate) fn new(mirrors: &[&str]) -> Self {
        let (length, sha256) = (CONTENT.len(), hex::encode(Sha256::digest(CONTENT)));
        Fixture::with_manifest(&format!(
            "[small]\ntitle = \"small\"\nclasses = \"0123456789\"\nmirrors = {mirrors:?}\n\
             files = [{{ name = \"file.gz\", bytes = {length}, sha256 = \"{sha256}\" }}]\n"
        ))
    }

    /// With a set `small` on these servers, in this order.
    pub(crate) fn on(servers: &[&Server]) -> Self {
        Fixture::new(&servers.iter().map(|server| server.address.as_str()).collect::<Vec<_>>())
    }

    /// A path below the folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file below the folder.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, content).expect("a file of the fixture");
        path
    }

    /// Replaces `from` by `to` in the manifest.
    pub(crate) fn edit_manifest(&self, from: &str, to: &str) {
        let text = fs::read_to_string(self.path("datasets/manifest.toml")).expect("a manifest");
        self.write("datasets/manifest.toml", text.replace(from, to));
    }

    /// The names in a folder, sorted; none if there is no such folder.
    pub(crate) fn names(&self, folder: &str) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.path(folder)) else { return Vec::new() };
        let mut names: Vec<String> =
            entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    /// A fetcher of the manifest's sets that knows nothing of this process's environment.
    pub(crate) fn fetcher(&self) -> Fetcher {
        let manifest = Manifest::read(self.path("datasets")).expect("a valid manifest");
        Fetcher::new(manifest, self.path("datasets")).network(Network::default())
    }

    /// A network that trusts the certificate of a server, if it has one.
    pub(crate) fn trusting(&self, server: &Server) -> Network {
        if server.certificate.is_empty() {
            return Network::default();
        }
        let path = self.write("authority.pem", &server.certificate);
        Network::from_variables(|name| (name == "SSL_CERT_FILE").then(|| path.clone().into_os_string()))
            .expect("a certificate")
    }

    /// Fetches from what is called `from` in the folder.
    pub(crate) fn fetch_from(&self, name: &str, from: &str) -> Result<FetchedSet, Error> {
        self.fetcher().source(Source::find(self.path(from)).expect("a source")).fetch(name)
    }

    /// What is in the place of the only file of `small`.
    pub(crate) fn small(&self) -> Vec<u8> {
        fs::read(self.path("datasets/small/file.gz")).expect("the file")
    }

    /// Nothing under the final name, and nothing half-finished beside it.
    #[track_caller]
    pub(crate) fn assert_nothing_arrived(&self) {
        let names = self.names("datasets/small");
        assert!(names.iter().all(|name| name == ".lock"), "{names:?}");
    }

    /// The file and the lock, and nothing half-finished beside them.
    #[track_caller]
    pub(crate) fn assert_arrived(&self) {
        assert_eq!(self.small(), CONTENT);
        assert_eq!(self.names("datasets/small"), [".lock", "file.gz"]);
    }

    /// What the files of a set are worth.
    pub(crate) fn verify(&self, name: &str) -> Vec<FileStatus> {
        let manifest = Manifest::read(self.path("datasets")).expect("a valid manifest");
        let folder = self.path("datasets").join(name);
        let reports = manifest.find(name).expect("a set").verify(&folder).map(|report| report.expect("it is readable"));
        reports.map(|report: FileReport| report.status).collect()
    }
}

/// Checks the kind of an error, and that its text contains `text`.
#[track_caller]
pub(crate) fn expect_error<T: std::fmt::Debug>(result: Result<T, Error>, kind: ErrorKind, text: &str) -> Error {
    let error = result.expect_err("it fails");
    assert_eq!(error.kind(), kind, "{error}");
    assert!(error.to_string().contains(text), "expected {text:?} in {error}");
    error
}
