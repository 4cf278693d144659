//! Runs code whose panic must not end the program: one trial of many.
//!
//! What a panic says without a hook is its text alone; the place where it happened goes to the hook of the process, which
//! belongs to the program. A program that hands panics to [`record_panic`] gets the place into the trial's record, and
//! nothing on its screen.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::sync::{Mutex, PoisonError};

use crate::event::{Event, Observer};

thread_local! {
    static IS_GUARDED: Cell<bool> = const { Cell::new(false) };
    static LAST_PANIC: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// The value of `run`, or the text of its panic with its place. What `run` may have left half-done must not be used
/// again.
pub(crate) fn guarded<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    // What is kept of a panic that somebody caught on the way is not about this one.
    LAST_PANIC.take();
    let was_guarded = IS_GUARDED.replace(true);
    let result = panic::catch_unwind(AssertUnwindSafe(run));
    IS_GUARDED.set(was_guarded);
    // A panic of a worker thread is handed on to this one without passing its hook; the payload has the text.
    result.map_err(|payload| {
        LAST_PANIC.take().unwrap_or_else(|| text_of(payload.as_ref()).unwrap_or("panic without a text").to_owned())
    })
}

/// Runs code that tells an observer of its progress: the panic of the code is a text, as of [`guarded`], and that of the
/// observer, which belongs to the caller, goes on to the caller.
pub(crate) struct ObserverRelay<'a> {
    observer: &'a dyn Observer,
    panic: Mutex<Option<Box<dyn Any + Send>>>,
}

impl<'a> ObserverRelay<'a> {
    pub(crate) fn new(observer: &'a dyn Observer) -> Self {
        ObserverRelay { observer, panic: Mutex::new(None) }
    }

    /// [`guarded`], for code that notifies this relay and nobody else.
    pub(crate) fn guarded<T>(&self, run: impl FnOnce() -> T) -> Result<T, String> {
        let result = guarded(run);
        match self.panic.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(payload) => panic::resume_unwind(payload),
            None => result,
        }
    }
}

impl Observer for ObserverRelay<'_> {
    fn notify(&self, event: Event<'_>) {
        // Its panic is the program's, and so is what the program's hook makes of it.
        let was_guarded = IS_GUARDED.replace(false);
        let result = panic::catch_unwind(AssertUnwindSafe(|| self.observer.notify(event)));
        IS_GUARDED.set(was_guarded);
        if let Err(payload) = result {
            *self.panic.lock().unwrap_or_else(PoisonError::into_inner) = Some(payload);
            // Ends the code that was to be watched, past the hook, which has been told.
            panic::resume_unwind(Box::new("the observer panicked"));
        }
    }
}

/// What was said with a panic, if it was said in words.
fn text_of(payload: &(dyn Any + Send)) -> Option<&str> {
    payload.downcast_ref::<&str>().copied().or_else(|| payload.downcast_ref::<String>().map(String::as_str))
}

/// For the panic hook of a program: keeps the text of a panic and its place if it is one that a sweep catches, and says
/// whether it is; others are for the program's usual hook.
///
/// ```
/// let usual = std::panic::take_hook();
/// std::panic::set_hook(Box::new(move |panic| {
///     if !mlp_sweep::record_panic(panic) {
///         usual(panic);
///     }
/// }));
/// ```
pub fn record_panic(information: &PanicHookInfo<'_>) -> bool {
    if !IS_GUARDED.get() {
        return false;
    }
    let message = text_of(information.payload()).unwrap_or("panic");
    let place = information.location().map_or(String::new(), |place| format!(" ({place})"));
    LAST_PANIC.set(Some(format!("{message}{place}")));
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_a_text_and_with_a_hook_its_place_and_the_rest_goes_on() {
        // Without a hook the text alone; the place with one.
        assert_eq!(guarded(|| -> u8 { panic!("out of cheese") }), Err("out of cheese".to_owned()));
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            if !record_panic(panic) {
                usual(panic);
            }
        }));
        let text = guarded(|| -> u8 { panic!("out of cheese") }).expect_err("it panics");
        let _ = panic::take_hook();
        assert!(text.starts_with("out of cheese (") && text.contains("panics.rs"), "{text}");
        assert_eq!(guarded(|| 7), Ok(7));
    }

    #[test]
    fn a_panic_of_the_observer_is_handed_on_and_one_of_what_it_watches_is_a_text() {
        let observer = |event: Event<'_>| {
            assert!(!IS_GUARDED.get(), "its panic would be kept from the program's hook");
            if let Event::Ended = event {
                panic::panic_any(7_u8);
            }
        };
        let relay = ObserverRelay::new(&observer);
        let watched = |event| panic::catch_unwind(AssertUnwindSafe(|| relay.guarded(|| relay.notify(event))));
        assert_eq!(watched(Event::Waiting { n_trials: 1, holder: "" }).ok(), Some(Ok(())));
        let payload = watched(Event::Ended).expect_err("the observer panics");
        assert_eq!(payload.downcast_ref::<u8>(), Some(&7));
        assert_eq!(relay.guarded(|| -> u8 { panic!("out of cheese") }), Err("out of cheese".to_owned()));
    }

    #[test]
    fn a_panic_of_another_thread_that_is_handed_on_keeps_its_text() {
        let hand_on = |payload: Box<dyn Any + Send>| guarded(|| -> u8 { panic::resume_unwind(payload) });
        assert_eq!(hand_on(Box::new("out of cheese")), Err("out of cheese".to_owned()));
        assert_eq!(hand_on(Box::new("out of wine".to_owned())), Err("out of wine".to_owned()));
        assert_eq!(hand_on(Box::new(7)), Err("panic without a text".to_owned()));
    }
}
