//! How much anybody may ask for, so that nobody can ask for everything.

use std::time::Duration;

/// Connections at a time; more are closed at once.
pub(crate) const N_CONNECTIONS: usize = 512;
/// Streams of events at a time.
pub(crate) const N_STREAMS: usize = 256;
/// Requests that are computed at a time; others wait.
pub(crate) const N_COMPUTED: usize = 4;
/// Requests that wait to be computed or are; more are refused.
pub(crate) const N_WAITING: usize = 128;
/// Bytes of a request's head.
pub(crate) const HEAD: usize = 16 << 10;
/// Header lines.
pub(crate) const N_HEADERS: usize = 64;
/// Bytes of a body that is a command.
pub(crate) const COMMAND: usize = 64 << 10;
/// Bytes of a body that is a picture.
pub(crate) const PICTURE: usize = 32 << 20;
/// Bytes of the line in front of a picture.
pub(crate) const QUESTION: usize = 4 << 10;
/// How long a client may take to send the head of a request, or none at all.
pub(crate) const HEAD_TIME: Duration = Duration::from_secs(15);
/// How long it may take to send the body.
pub(crate) const BODY_TIME: Duration = Duration::from_secs(30);
/// How long it may read nothing of what it is sent.
pub(crate) const WRITE_TIME: Duration = Duration::from_secs(20);
