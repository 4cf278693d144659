//! MNIST and its siblings on your disk: downloads that are verified and resumable, archives unpacked, and every data set
//! put into the same form, four IDX files in a folder.
//!
//! ```no_run
//! use mnist_fetch::{Fetcher, Manifest};
//!
//! let manifest = Manifest::read("datasets")?; // or Manifest::builtin()
//! let fetched = Fetcher::new(manifest, "datasets").fetch("fashion-mnist")?;
//! let (train, test) = mnist_io::LabeledImages::load_folder(&fetched.folder)?;
//! println!("{} and {} images", train.len(), test.len());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What is known
//!
//! A [`Manifest`] lists data sets: what their files are called, how long they are, what their hashes are, on which mirrors
//! they lie, under which licence, and what to cite. [`Manifest::builtin`] knows MNIST, Fashion-MNIST, KMNIST, QMNIST and
//! four sets of EMNIST; [`Manifest::read`] reads `manifest.toml` and `own.toml` in a folder, where a user adds others.
//!
//! # What is verified, and how
//!
//! - A file that is published as it is wanted gets its name only when its length and its SHA-256 are those of the manifest
//!   (MD5 where nothing better was published: [`HashKind`] says so). Until then its bytes lie in a hidden file beside it.
//!   A copy from elsewhere that was unpacked or packed anew on its way is known by the hash of its content.
//! - An archive is verified as a whole before anything is unpacked. What comes out of it, or is converted otherwise
//!   (EMNIST's images have rows and columns exchanged, its letters count from 1, QMNIST's labels are a table), has no
//!   published hash: the number of images must be the manifest's, and the hash of the result is written into `SHA256SUMS`
//!   beside it, in the form of `sha256sum`.
//! - What is there already is verified again by every fetch, and by [`DataSet::verify`] without one; a damaged file is
//!   replaced when its successor has been verified.
//!
//! # What goes wrong, and what then
//!
//! A source that fails is asked again ([`RetryPolicy`]), if that can help; then the next one is. Bytes that have arrived are
//! kept with a note of where they came from, and the next attempt, in this process or a later one, asks for the rest, if the
//! server still has the same version of the file. A process that is killed leaves nothing under a final name that has not
//! been verified. If no source delivers, the [`Error`] says of each why:
//!
//! ```
//! use mnist_fetch::{ErrorKind, Fetcher, Manifest, Source};
//!
//! let folder = tempfile::tempdir()?;
//! let stick = tempfile::tempdir()?;
//! let fetcher = Fetcher::new(Manifest::builtin(), folder.path()).source(Source::find(stick.path())?);
//! let error = fetcher.fetch("mnist").unwrap_err();
//! assert_eq!(error.kind(), ErrorKind::Source);
//! assert!(error.failed_sources()[0].place.ends_with("train-images-idx3-ubyte.gz"));
//! assert!(!error.failed_sources()[0].reason.is_empty()); // in the words of the operating system
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Watching
//!
//! This crate prints nothing. [`Fetcher::fetch_with`] hands each [`FetchEvent`] to a closure:
//!
//! ```no_run
//! use mnist_fetch::{FetchEvent, Fetcher, Manifest};
//!
//! Fetcher::new(Manifest::builtin(), "datasets").fetch_with("mnist", |event| match event {
//!     FetchEvent::Received { file, n_received, n_total } => println!("{file}: {n_received} of {n_total} bytes"),
//!     FetchEvent::Ready(file) => println!("{} is here, verified by {}", file.path.display(), file.verified_by),
//!     _ => {}
//! })?;
//! # Ok::<(), mnist_fetch::Error>(())
//! ```

#![warn(clippy::print_stdout, clippy::print_stderr, clippy::exit)]

mod data_set;
mod error;
mod event;
mod fetcher;
mod manifest;
mod network;
mod retry;
mod source;

mod checksums;
mod convert;
mod digest;
mod http;
mod partial;
mod published;
mod transfer;

pub use data_set::{DataSet, FileReport};
pub use digest::{FileStatus, HashKind};
pub use error::{Error, ErrorKind, FailedSource, Result};
pub use event::{FetchEvent, FetchedFile, FetchedSet};
pub use fetcher::Fetcher;
pub use manifest::Manifest;
pub use network::Network;
pub use retry::RetryPolicy;
pub use source::Source;

/// Its programs are compiled with the documentation's.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
