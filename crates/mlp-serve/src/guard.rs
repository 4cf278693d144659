//! Who is let in. Every page that is open in the browser can send requests to this machine; none but our own may.

use hyper::header::{HOST, HeaderMap, HeaderName, ORIGIN};
use hyper::{Method, StatusCode, Uri};

use crate::token::Token;

/// A request that is not answered, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) reason: &'static str,
}

const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The path behind the token of a request that is let in.
///
/// *Host.* A page of another site can get its own name to mean 127.0.0.1 and then talks to us as to itself; but its requests
/// name it. So only names of this machine pass, at any port, because a tunnel may have another one.
/// *Origin.* What a page of another site sends names that site. Browsers that say how a request came about
/// (`Sec-Fetch-Site`) are believed as well.
/// *Token.* What other programs and other users of the machine send does not know it.
pub(crate) fn admit<'a>(method: &Method, uri: &'a Uri, headers: &HeaderMap, token: &Token) -> Result<&'a str, Refusal> {
    let refuse = |status, reason| Err(Refusal { status, reason });
    if method != Method::GET && method != Method::POST {
        return refuse(StatusCode::METHOD_NOT_ALLOWED, "only GET and POST are answered");
    }
    let Some(host) = only(headers, &HOST).filter(|host| is_this_machine(host)) else {
        return refuse(StatusCode::MISDIRECTED_REQUEST, "the Host of a request must be 127.0.0.1 or localhost");
    };
    let is_own_origin = |origin: &str| origin.strip_prefix("http://") == Some(host);
    if headers.contains_key(ORIGIN) && !only(headers, &ORIGIN).is_some_and(is_own_origin) {
        return refuse(StatusCode::FORBIDDEN, "a page of another origin sent this request");
    }
    if headers.contains_key(FETCH_SITE) && !matches!(only(headers, &FETCH_SITE), Some("same-origin" | "none")) {
        return refuse(StatusCode::FORBIDDEN, "a page of another site sent this request");
    }
    let inner = uri.path().strip_prefix('/').unwrap_or_default();
    let (given, path) = inner.split_once('/').unwrap_or((inner, ""));
    if !token.is(given) {
        return refuse(StatusCode::FORBIDDEN, "open the whole address that the program printed: it holds a token");
    }
    Ok(path)
}

/// The value of a header that is there exactly once.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(first)
}

fn is_this_machine(host: &str) -> bool {
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => (name, Some(port)),
        Some(_) => (host, None),
        None => (host, None),
    };
    let is_port = port.is_none_or(|port| port.parse::<u16>().is_ok());
    is_port && ["127.0.0.1", "localhost", "[::1]"].contains(&name.to_ascii_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_machine_pass() {
        for host in ["127.0.0.1", "127.0.0.1:8080", "localhost:1", "LOCALHOST", "[::1]:80"] {
            assert!(is_this_machine(host), "{host}");
        }
        for host in [
            "",
            "example.org",
            "127.0.0.1.example.org",
            "localhost.example.org:80",
            "127.0.0.1:",
            "127.0.0.1:x",
            "127.0.0.1:99999",
            "0.0.0.0",
            "evil@127.0.0.1",
            "127.0.0.1:80:80",
            "[::1",
        ] {
            assert!(!is_this_machine(host), "{host}");
        }
    }
}
