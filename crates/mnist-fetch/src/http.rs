//! One request over HTTP: its limits of time, and what went wrong in words.

use std::io;
use std::time::Duration;

use ureq::http::{HeaderMap, Response};
use ureq::tls::TlsConfig;
use ureq::{Agent, Body};

use crate::network::{Network, TRUST_VARIABLE};

/// A chain of more redirects leads nowhere.
const MAX_REDIRECTS: u32 = 5;

/// The limits of one request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RequestLimits {
    /// Longest time without a single byte.
    pub(crate) stall: Duration,
    /// Longest time for all of it.
    pub(crate) total: Duration,
}

/// The part of a file that is wanted: everything from `start` on, if the file is still the one that `validator` names.
#[derive(Clone, Debug)]
pub(crate) struct Rest<'a> {
    pub(crate) start: u64,
    pub(crate) validator: &'a str,
}

/// Why a source brought nothing: its fault, and whether asking again may help, not before `wait`.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    pub(crate) reason: String,
    pub(crate) is_temporary: bool,
    pub(crate) wait: Option<Duration>,
}

impl Refusal {
    pub(crate) fn temporary(reason: impl Into<String>) -> Self {
        Refusal { reason: reason.into(), is_temporary: true, wait: None }
    }

    pub(crate) fn permanent(reason: impl Into<String>) -> Self {
        Refusal { reason: reason.into(), is_temporary: false, wait: None }
    }
}

/// Asks for `address`, or for the rest of what is there, and returns the answer, whatever its status.
pub(crate) fn get(
    network: &Network,
    address: &str,
    rest: Option<&Rest<'_>>,
    limits: RequestLimits,
) -> Result<Response<Body>, Refusal> {
    let mut request = agent(network, address, limits)?.get(address);
    if let Some(rest) = rest {
        request = request.header("Range", format!("bytes={}-", rest.start)).header("If-Range", rest.validator);
    }
    request.call().map_err(|error| classify(&error, limits.stall))
}

fn agent(network: &Network, address: &str, limits: RequestLimits) -> Result<Agent, Refusal> {
    let is_protected = address.starts_with("https://");
    let config = Agent::config_builder()
        .https_only(is_protected)
        .http_status_as_error(false)
        .max_redirects(MAX_REDIRECTS)
        .timeout_global(Some(limits.total))
        .timeout_per_read(Some(limits.stall))
        .timeout_per_write(Some(limits.stall))
        .timeout_connect(Some(limits.stall.min(limits.total)))
        .user_agent(concat!("mnist-fetch/", env!("CARGO_PKG_VERSION")))
        .accept_encoding("identity")
        .proxy(network.proxy(is_protected).map_err(Refusal::permanent)?)
        .tls_config(TlsConfig::builder().root_certs(network.roots().clone()).build())
        .build();
    Ok(config.new_agent())
}

/// A header as text.
pub(crate) fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

/// What tells this version of a file from all others: a strong ETag, or else the time of its last change.
pub(crate) fn validator(headers: &HeaderMap) -> Option<String> {
    let tag = header(headers, "etag").filter(|tag| tag.starts_with('"') && tag.ends_with('"') && tag.len() > 2);
    tag.or_else(|| header(headers, "last-modified")).map(str::to_owned)
}

/// The first byte and the length of the whole file, from `Content-Range: bytes 100-199/200`.
pub(crate) fn content_range(headers: &HeaderMap) -> Option<(u64, Option<u64>)> {
    let (range, total) = header(headers, "content-range")?.strip_prefix("bytes ")?.split_once('/')?;
    let start = range.split_once('-')?.0.trim().parse().ok()?;
    Some((start, total.trim().parse().ok()))
}

/// The refusal that a status other than success means.
pub(crate) fn refusal_of_status(response: &Response<Body>) -> Refusal {
    let status = response.status();
    let reason = format!("the server answered {} {}", status.as_u16(), status.canonical_reason().unwrap_or(""));
    let is_busy = status.is_server_error() || matches!(status.as_u16(), 408 | 425 | 429);
    Refusal { reason: reason.trim_end().to_owned(), is_temporary: is_busy, wait: retry_after(response.headers()) }
}

/// `Retry-After` in seconds; the form with a date is rare and is left to our own pauses.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    header(headers, "retry-after")?.parse().ok().map(Duration::from_secs)
}

/// The refusal that a failed request means.
fn classify(error: &ureq::Error, stall: Duration) -> Refusal {
    let reason = explain(error, stall);
    match error {
        ureq::Error::Timeout(_) | ureq::Error::Io(_) | ureq::Error::HostNotFound | ureq::Error::ConnectionFailed => {
            Refusal::temporary(reason)
        }
        _ => Refusal::permanent(reason),
    }
}

/// The refusal that a failed read of a body means.
pub(crate) fn broken(error: io::Error, stall: Duration) -> Refusal {
    Refusal::temporary(explain(&ureq::Error::from(error), stall))
}

/// What went wrong, in words that say what to look at.
fn explain(error: &ureq::Error, stall: Duration) -> String {
    match error {
        ureq::Error::Timeout(ureq::Timeout::PerRead | ureq::Timeout::PerWrite) => {
            format!("not a byte for {} s", stall.as_secs_f64())
        }
        ureq::Error::Timeout(ureq::Timeout::Global) => "not within the deadline".to_owned(),
        ureq::Error::Timeout(ureq::Timeout::Connect | ureq::Timeout::Resolve) => {
            format!("no connection within {} s", stall.as_secs_f64())
        }
        ureq::Error::HostNotFound => "no such host (is there a network?)".to_owned(),
        // The resolver of the system has no error of its own for this.
        ureq::Error::Io(error) if error.to_string().contains("lookup") => {
            format!("no such host (is there a network?): {error}")
        }
        ureq::Error::TooManyRedirects => format!("redirects more than {MAX_REDIRECTS} times"),
        ureq::Error::RequireHttpsOnly(to) => {
            format!("redirects from https to the unprotected {to}, which is not followed")
        }
        ureq::Error::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            "the connection ended in the middle".to_owned()
        }
        ureq::Error::ConnectProxyFailed(reason) => {
            format!("the proxy refused: {reason} (is the variable https_proxy, http_proxy or all_proxy right?)")
        }
        other => {
            let text = other.to_string();
            if text.to_ascii_lowercase().contains("certificate") {
                format!("{text} (for a certificate of your own, name its file in {TRUST_VARIABLE})")
            } else {
                text
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().expect("a name"), value.parse().expect("a value"))).collect()
    }

    #[test]
    fn a_weak_etag_does_not_say_that_the_bytes_are_the_same() {
        let date = "Sun, 06 Nov 1994 08:49:37 GMT";
        assert_eq!(validator(&headers(&[("etag", "\"a\""), ("last-modified", date)])).as_deref(), Some("\"a\""));
        assert_eq!(validator(&headers(&[("etag", "W/\"a\""), ("last-modified", date)])).as_deref(), Some(date));
        for nothing in ["W/\"a\"", "\"\"", "a", ""] {
            assert_eq!(validator(&headers(&[("etag", nothing)])), None, "{nothing}");
        }
    }

    #[test]
    fn a_content_range_is_read_or_refused() {
        assert_eq!(content_range(&headers(&[("content-range", "bytes 100-199/200")])), Some((100, Some(200))));
        assert_eq!(content_range(&headers(&[("content-range", "bytes 100-199/*")])), Some((100, None)));
        for nonsense in ["bytes */200", "100-199/200", "bytes 100", "bytes -5-6/7", "bytes x-6/7", ""] {
            assert_eq!(content_range(&headers(&[("content-range", nonsense)])), None, "{nonsense}");
        }
    }
}
