//! Which request is answered by what.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::body::{Body as _, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderMap};
use hyper::{Method, Request, StatusCode};
use mlp_live::Question;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::assets::asset;
use crate::events::{Events, Next, Source};
use crate::guard::{self, Refusal};
use crate::limits;
use crate::reply::{self, Reply};
use crate::site::Site;
use crate::token::Token;

/// How often listeners are looked after.
const EVERY_WATCHED: Duration = Duration::from_millis(250);
const EVERY_TRAINED: Duration = Duration::from_millis(80);

/// What all connections share.
pub(crate) struct Desk {
    pub(crate) site: Arc<Site>,
    pub(crate) token: Token,
    computing: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
    streams: Arc<Semaphore>,
}

/// Why a request gets no answer of its kind.
enum Problem {
    Refused(Refusal),
    Live(mlp_live::Error),
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Problem::Refused(refusal)
    }
}

impl From<mlp_live::Error> for Problem {
    fn from(error: mlp_live::Error) -> Self {
        Problem::Live(error)
    }
}

type Answer = Result<Reply, Problem>;

fn refused<T>(status: StatusCode, reason: &'static str) -> Result<T, Problem> {
    Err(Problem::Refused(Refusal { status, reason }))
}

impl Desk {
    pub(crate) fn new(site: Arc<Site>, token: Token) -> Self {
        let semaphore = |n| Arc::new(Semaphore::new(n));
        Desk {
            site,
            token,
            computing: semaphore(limits::N_COMPUTED),
            waiting: semaphore(limits::N_WAITING),
            streams: semaphore(limits::N_STREAMS),
        }
    }

    /// The answer to a request, whatever it is.
    pub(crate) async fn answer(&self, request: Request<Incoming>) -> Reply {
        match self.routed(request).await {
            Ok(reply) => reply,
            Err(Problem::Refused(Refusal { status, reason })) => reply::problem(status, reason),
            Err(Problem::Live(error)) => reply::failure(&error),
        }
    }

    async fn routed(&self, request: Request<Incoming>) -> Answer {
        let (head, body) = request.into_parts();
        let path = guard::admit(&head.method, &head.uri, &head.headers, &self.token)?;
        let (area, rest) = path.split_once('/').unwrap_or((path, ""));
        match (&head.method, area) {
            (&Method::GET, "events") => self.events(rest),
            (&Method::GET, "data") => self.data(rest, head.uri.query().unwrap_or_default()).await,
            (&Method::POST, "do") => self.command(rest, &head.headers, body).await,
            (&Method::GET, _) => asset(path).map_or_else(not_found, Ok),
            _ => not_found(),
        }
    }

    /// A stream of what changes.
    fn events(&self, path: &str) -> Answer {
        let Ok(permit) = Arc::clone(&self.streams).try_acquire_owned() else {
            return refused(StatusCode::SERVICE_UNAVAILABLE, "too many pages listen; close some");
        };
        let site = Arc::clone(&self.site);
        if path == "watch" {
            let source: Source = Box::new(move |known| site.watched(known));
            return Ok(stream(source, EVERY_WATCHED, permit));
        }
        match path.split_once('/') {
            Some(("session", id)) => {
                let session = site.playground.session(id)?;
                let source: Source = Box::new(move |known| match session.state(known) {
                    Some((revision, state)) => Next::State(revision, state),
                    None if session.is_gone() => Next::End,
                    None => Next::Same,
                });
                Ok(stream(source, EVERY_TRAINED, permit))
            }
            _ => not_found(),
        }
    }

    /// What is only looked at.
    async fn data(&self, path: &str, query: &str) -> Answer {
        let value = |key: &str| query_value(query, key);
        match path {
            "models" => self.computed(|site| Ok(reply::json(&site.models()))).await,
            "settings" => self.computed(|site| Ok(reply::json(&site.playground.choices()))).await,
            "sessions" => Ok(reply::json(&self.site.playground.open())),
            "session" => {
                let session = self.site.playground.session(&value("id"))?;
                let (_, state) = session.state(None).unwrap_or_default();
                Ok(reply::text(&state))
            }
            "table" => {
                let (run, since) = (value("run"), value("since").parse().unwrap_or(0));
                self.computed(move |site| Ok(reply::json(&site.watch.table(&run, since)?))).await
            }
            "report" => {
                let run = value("run");
                self.computed(move |site| Ok(reply::report(site.watch.report(&run)?))).await
            }
            _ => not_found(),
        }
    }

    /// What changes something, or comes with a body.
    async fn command(&self, path: &str, headers: &HeaderMap, body: Incoming) -> Answer {
        match path {
            "read" => {
                require_type(headers, "application/octet-stream")?;
                let bytes = received(body, limits::PICTURE).await?;
                self.computed(move |site| read(site, &bytes)).await
            }
            "train-quickly" => {
                let _: Value = command(headers, body).await?;
                self.computed(|site| Ok(reply::json(&site.draw.train_quickly()?))).await
            }
            "start" => {
                let settings = command(headers, body).await?;
                self.computed(move |site| Ok(reply::json(&json!({ "session": site.playground.start(settings)? }))))
                    .await
            }
            "session" => {
                let Order { session, order } = command(headers, body).await?;
                self.computed(move |site| Ok(reply::json(&site.playground.session(&session)?.order(order)?))).await
            }
            _ => not_found(),
        }
    }

    /// Computes on another thread, so that nobody else waits; no more at a time than there is room for.
    async fn computed(&self, work: impl FnOnce(&Site) -> Answer + Send + 'static) -> Answer {
        let Ok(_waiting) = Arc::clone(&self.waiting).try_acquire_owned() else {
            return refused(StatusCode::SERVICE_UNAVAILABLE, "too much is asked at once; try again");
        };
        let Ok(_computing) = Arc::clone(&self.computing).acquire_owned().await else {
            return refused(StatusCode::SERVICE_UNAVAILABLE, "the server is ending");
        };
        let site = Arc::clone(&self.site);
        let done = tokio::task::spawn_blocking(move || work(&site)).await;
        done.unwrap_or_else(|_| refused(StatusCode::INTERNAL_SERVER_ERROR, "a panic, which is a bug; please report it"))
    }
}

/// A command to a session.
#[derive(Deserialize)]
struct Order {
    session: String,
    order: mlp_live::Order,
}

fn stream(source: Source, every: Duration, permit: OwnedSemaphorePermit) -> Reply {
    reply::events(Events::new(source, every, permit).boxed_unsync())
}

fn not_found() -> Answer {
    refused(StatusCode::NOT_FOUND, "there is nothing at this address")
}

/// A picture, behind a line with the question as JSON. With a `width` in it, the picture is grey levels row by row.
fn read(site: &Site, bytes: &Bytes) -> Answer {
    #[derive(Deserialize)]
    struct Line {
        width: Option<usize>,
        question: Question,
    }
    let end = bytes.iter().take(limits::QUESTION).position(|&byte| byte == b'\n');
    let line = end.and_then(|end| serde_json::from_slice::<Line>(&bytes[..end]).ok().map(|line| (line, end)));
    let Some((Line { width, question }, end)) = line else {
        return refused(StatusCode::BAD_REQUEST, "expected a line of JSON with a question, and a picture behind it");
    };
    let picture = &bytes[end + 1..];
    let answer = match width {
        Some(width) => site.draw.read_drawing(width, picture.to_vec(), &question)?,
        None => site.draw.read_file(picture, &question)?,
    };
    Ok(reply::json(&answer))
}

async fn command<T: DeserializeOwned>(headers: &HeaderMap, body: Incoming) -> Result<T, Problem> {
    require_type(headers, "application/json")?;
    let bytes = received(body, limits::COMMAND).await?;
    serde_json::from_slice(&bytes).or_else(|_| refused(StatusCode::BAD_REQUEST, "expected a command as JSON"))
}

/// A type that no page of another site can send without being asked first, which is refused.
fn require_type(headers: &HeaderMap, expected: &str) -> Result<(), Problem> {
    if headers.get(CONTENT_TYPE).is_some_and(|found| found == expected) {
        return Ok(());
    }
    refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, "the Content-Type is not the one of this command")
}

/// The whole body, if it is not too long and comes in time.
async fn received(body: Incoming, limit: usize) -> Result<Bytes, Problem> {
    const TOO_LONG: &str = "the body is longer than this command may have";
    if body.size_hint().lower() > limit as u64 {
        return refused(StatusCode::PAYLOAD_TOO_LARGE, TOO_LONG);
    }
    match tokio::time::timeout(limits::BODY_TIME, Limited::new(body, limit).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(_)) => refused(StatusCode::PAYLOAD_TOO_LARGE, TOO_LONG),
        Err(_) => refused(StatusCode::REQUEST_TIMEOUT, "the body did not come in time"),
    }
}

/// The value of a key of a query, or nothing.
fn query_value(query: &str, key: &str) -> String {
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.find(|(name, _)| *name == key).map(|(_, value)| decoded(value)).unwrap_or_default()
}

/// A value of a query as it was before it was written with `%`.
fn decoded(value: &str) -> String {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let hex = after.get(..2).filter(|hex| first == b'%' && hex.iter().all(u8::is_ascii_hexdigit));
        let hex = hex.and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(if first == b'+' { b' ' } else { first });
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_of_a_query_is_read_whatever_is_in_it() {
        assert_eq!(query_value("run=a%2Fb%20c&since=3", "run"), "a/b c");
        assert_eq!(query_value("run=a%2Fb%20c&since=3", "since"), "3");
        assert_eq!(query_value("run", "run"), "");
        assert_eq!(decoded("%"), "%");
        assert_eq!(decoded("%f"), "%f");
        assert_eq!(decoded("%ff"), "\u{fffd}");
        assert_eq!(decoded("%+1"), "% 1");
    }
}
