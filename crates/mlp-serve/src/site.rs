//! The screens, and what of them is sent ready-made to all who look at the same.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use mlp_live::{Draw, Playground, Watch};
use serde_json::{Value, json};

use crate::events::Next;

/// The screens that are served.
pub struct Site {
    /// Pictures and what networks make of them.
    pub draw: Draw,
    /// Networks in training.
    pub playground: Playground,
    /// Folders of results.
    pub watch: Arc<Watch>,
    /// The list of runs as text, for all who watch.
    list: Mutex<Option<(u64, Arc<str>)>>,
    /// When somebody last looked, in seconds since 1970.
    looked: AtomicU64,
}

/// How long after the last look the folders are still read.
const INTEREST: Duration = Duration::from_secs(10);

impl Site {
    /// The site of these screens.
    pub fn new(draw: Draw, playground: Playground, watch: Arc<Watch>) -> Self {
        Site { draw, playground, watch, list: Mutex::default(), looked: AtomicU64::new(0) }
    }

    /// Whether anybody has looked at the folders lately.
    pub(crate) fn is_watched(&self) -> bool {
        let looked = Duration::from_secs(self.looked.load(Ordering::Relaxed));
        now().saturating_sub(looked) < INTEREST
    }

    fn look(&self) {
        self.looked.store(now().as_secs(), Ordering::Relaxed);
    }

    pub(crate) fn models(&self) -> Value {
        self.look();
        json!({
            "models": self.draw.models(),
            "quick": self.draw.quick(),
            "is_complete": self.watch.revision() > 0,
            "folders": self.watch.overview().runs.len(),
        })
    }

    /// The list of runs, if it is another than the one that is known.
    pub(crate) fn watched(&self, known: Option<u64>) -> Next {
        self.look();
        let revision = self.watch.revision();
        if known == Some(revision) && revision > 0 {
            return Next::Same;
        }
        let mut list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((made, text)) = &*list
            && *made == revision
            && revision > 0
        {
            return Next::State(revision, Arc::clone(text));
        }
        let overview = self.watch.overview();
        let Ok(text) = serde_json::to_string(&overview) else { return Next::Same };
        let text: Arc<str> = text.into();
        let is_new = list.as_ref().is_none_or(|(_, before)| *before != text);
        *list = Some((revision, Arc::clone(&text)));
        if known.is_some() && !is_new { Next::Same } else { Next::State(revision, text) }
    }
}

fn now() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}
