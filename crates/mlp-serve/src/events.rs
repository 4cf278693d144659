//! Server-sent events: whoever listens is sent the latest state when it has changed, and nothing in between. A client that reads
//! slowly gets fewer states, not older ones, and nothing is kept for it.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval};

/// How often something is sent where nothing changes, so that both sides notice when the other is gone.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// What is sent next: a state with its revision if it is another than the revision given.
pub(crate) type Source = Box<dyn FnMut(Option<u64>) -> Next + Send>;

/// What a source has to say.
pub(crate) enum Next {
    /// Nothing new.
    Same,
    /// A new state.
    State(u64, Arc<str>),
    /// There will be no more.
    End,
}

/// A body without end.
pub(crate) struct Events {
    source: Source,
    known: Option<u64>,
    ticks: Interval,
    latest: Instant,
    _permit: OwnedSemaphorePermit,
}

impl Events {
    pub(crate) fn new(source: Source, every: Duration, permit: OwnedSemaphorePermit) -> Self {
        let mut ticks = interval(every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Events { source, known: None, ticks, latest: Instant::now(), _permit: permit }
    }
}

impl Body for Events {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        loop {
            ready!(self.ticks.poll_tick(context));
            let known = self.known;
            match (self.source)(known) {
                Next::State(revision, state) => {
                    self.known = Some(revision);
                    self.latest = Instant::now();
                    let event = format!("data: {state}\n\n");
                    return Poll::Ready(Some(Ok(Frame::data(Bytes::from(event)))));
                }
                Next::End => return Poll::Ready(None),
                Next::Same if self.latest.elapsed() > HEARTBEAT => {
                    self.latest = Instant::now();
                    return Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b": still here\n\n")))));
                }
                Next::Same => {}
            }
        }
    }
}
