//! Networks in training, to be watched and changed: real runs of [`train_resumable`](mlp_train::train_resumable), each on a
//! thread of its own, that wait, go on and end as they are told.

mod keep;
mod progress;
mod session;
mod settings;
mod training;
mod turns;
mod view;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread;

use mlp_core::{Kernel, Workers};

use crate::data::DataSource;
use crate::error::{Error, ErrorKind, Result};
use crate::models::lock;
use crate::watch::{Watch, short};
pub use session::{Order, Session};
pub use settings::{Choices, KeyDescription, Preset, Settings};
use training::Task;
use turns::Turns;
pub use view::{Constant, Digit, Doctor, Kept, Mode, Snapshot};

/// How many sessions there are at most; when another is started, the oldest that does nothing ends.
const N_SESSIONS_MAX: usize = 12;

/// What sessions may use.
#[derive(Clone, Debug)]
pub struct PlaygroundOptions {
    /// Threads, of all sessions together: they take turns.
    pub n_threads: usize,
    /// Bytes that the networks of all sessions together may need; as much as there is where there is none.
    pub memory: Option<u64>,
    /// The folder below which runs are kept; none can be kept where there is none.
    pub runs: Option<PathBuf>,
    /// The instruction set.
    pub kernel: Kernel,
}

impl Default for PlaygroundOptions {
    fn default() -> Self {
        PlaygroundOptions { n_threads: 1, memory: None, runs: None, kernel: Kernel::detect() }
    }
}

/// Networks in training.
///
/// ```
/// use std::sync::Arc;
///
/// use mlp_live::mlp_sweep::Dataset;
/// use mlp_live::{DataSource, Order, Playground, PlaygroundOptions, Settings};
/// use mnist_io::synthetic_digits;
///
/// let digits = || Dataset::images("digits", synthetic_digits(100, 0), synthetic_digits(50, 1)).map_err(|e| e.to_string());
/// let playground = Playground::new(vec![Arc::new(DataSource::new("digits", digits))], PlaygroundOptions::default());
///
/// let mut settings = Settings { data: "digits".to_owned(), ..Settings::default() };
/// settings.config.insert("hidden".to_owned(), [8].as_slice().into());
/// settings.config.insert("epochs".to_owned(), 2.into());
/// let session = playground.session(&playground.start(settings)?)?;
/// session.order(Order::Run)?;
/// while !session.state(None).is_some_and(|(_, state)| state.contains("\"mode\":\"finished\"")) {
///     std::thread::sleep(std::time::Duration::from_millis(10));
/// }
/// # playground.end();
/// # Ok::<(), mlp_live::Error>(())
/// ```
pub struct Playground {
    sources: Vec<Arc<DataSource>>,
    options: PlaygroundOptions,
    sessions: Mutex<BTreeMap<u64, Arc<Session>>>,
    shared: Mutex<Option<Arc<Shared>>>,
    watch: Option<Arc<Watch>>,
}

/// What the sessions share.
pub(crate) struct Shared {
    turns: Turns,
    workers: Workers,
    watch: Option<Arc<Watch>>,
}

impl Playground {
    /// Sessions train on these data.
    pub fn new(sources: Vec<Arc<DataSource>>, options: PlaygroundOptions) -> Self {
        Playground { sources, options, sessions: Mutex::default(), shared: Mutex::default(), watch: None }
    }

    /// What is kept is looked for by `watch` at once, and found there under [`Kept::run`].
    pub fn watched_by(mut self, watch: Arc<Watch>) -> Self {
        self.watch = Some(watch);
        self
    }

    /// What there is to choose from.
    pub fn choices(&self) -> Choices {
        settings::choices(self.sources.iter().map(|source| source.name().to_owned()).collect())
    }

    /// Begins a session, which measures its network as it is drawn and waits; the name of the session.
    ///
    /// # Errors
    ///
    /// If the settings cannot be, or there is no room or memory for another session.
    pub fn start(&self, settings: Settings) -> Result<String> {
        let source = self.sources.iter().find(|source| source.name() == settings.data).ok_or_else(|| {
            let known: Vec<&str> = self.sources.iter().map(|source| source.name()).collect();
            Error::request(format!("data: expected one of {}, found \"{}\"", known.join(", "), short(&settings.data)))
        })?;
        let replaced = settings.replaces.clone();
        let is_replaced = |session: &Session| replaced.as_deref() == Some(session.id());
        let task = Task::new(settings, &source.get()?, &self.options)?;
        let memory = task.memory_needed();
        let shared = self.shared()?;
        let mut sessions = lock(&self.sessions);
        sessions.retain(|_, session| !session.is_gone());
        // It ends only when nothing can be refused any more: whoever mistypes loses nothing.
        let n_others =
            |sessions: &BTreeMap<u64, Arc<Session>>| sessions.values().filter(|session| !is_replaced(session)).count();
        while n_others(&sessions) >= N_SESSIONS_MAX {
            let is_idle = |session: &Session| !session.is_at_work() && !is_replaced(session);
            let idle = sessions.iter().find(|(_, session)| is_idle(session)).map(|(number, _)| *number);
            let idle = idle.and_then(|number| sessions.remove(&number)).ok_or_else(|| {
                Error::new(ErrorKind::Busy, format!("{N_SESSIONS_MAX} networks are in training; end one first"))
            })?;
            idle.go();
        }
        let used: u64 = sessions.values().filter(|session| !is_replaced(session)).map(|session| session.memory()).sum();
        let available = self.options.memory.or_else(mlp_sweep::available_memory).unwrap_or(u64::MAX);
        if memory.saturating_add(used) > available {
            return Err(Error::new(
                ErrorKind::Busy,
                format!(
                    "the network needs about {} MiB of memory, and {} MiB are left; take fewer units or f32, or end another \
                     training",
                    memory >> 20,
                    available.saturating_sub(used) >> 20
                ),
            ));
        }
        let number = sessions.keys().next_back().map_or(1, |last| last + 1);
        let id = format!("{number}-{}", &task.trial()[..8.min(task.trial().len())]);
        let session = Arc::new(Session::new(id.clone(), memory));
        let trained = Arc::clone(&session);
        let work = move || task.run(&trained, &shared);
        thread::Builder::new().name(format!("session {number}")).spawn(work).map_err(|error| {
            Error::new(ErrorKind::Busy, format!("the system refuses a thread: {error}; end another training"))
        })?;
        sessions.values().filter(|session| is_replaced(session)).for_each(|session| session.go());
        sessions.retain(|_, session| !session.is_gone());
        sessions.insert(number, session);
        Ok(id)
    }

    /// The names of the sessions that train, or wait to: the latest first. Whoever has closed their page finds them again.
    pub fn open(&self) -> Vec<String> {
        let sessions = lock(&self.sessions);
        let open = sessions.values().filter(|session| session.is_open());
        open.map(|session| session.id().to_owned()).rev().collect()
    }

    /// The session of this name.
    ///
    /// # Errors
    ///
    /// If there is none, or no longer.
    pub fn session(&self, id: &str) -> Result<Arc<Session>> {
        let sessions = lock(&self.sessions);
        let found = sessions.values().find(|session| session.id() == id).cloned();
        found.ok_or_else(|| {
            let text =
                "this training is no longer there: the program was started anew, or many others were started since";
            Error::new(ErrorKind::Missing, text)
        })
    }

    /// Ends every session.
    pub fn end(&self) {
        lock(&self.sessions).values().for_each(|session| session.go());
    }

    /// The team of threads, made when it is first needed.
    fn shared(&self) -> Result<Arc<Shared>> {
        let mut shared = lock(&self.shared);
        if let Some(shared) = &*shared {
            return Ok(Arc::clone(shared));
        }
        let n_threads = self.options.n_threads.max(1);
        let workers = Workers::try_new(n_threads).map_err(|error| {
            Error::new(ErrorKind::Busy, format!("the system refuses a team of {n_threads} threads: {error}"))
        })?;
        let made = Arc::new(Shared { turns: Turns::default(), workers, watch: self.watch.clone() });
        *shared = Some(Arc::clone(&made));
        Ok(made)
    }
}

/// So that no thread trains on when nobody can look at it any more.
impl Drop for Playground {
    fn drop(&mut self) {
        self.end();
    }
}
