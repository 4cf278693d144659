//! Runs code whose panic must not end the program: one trial of many.

use std::cell::{Cell, RefCell};
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

thread_local! {
    static IS_GUARDED: Cell<bool> = const { Cell::new(false) };
    static LAST_PANIC: RefCell<Option<String>> = const { RefCell::new(None) };
}

static HOOK: Once = Once::new();

/// The value of `run`, or the text of its panic with its place. What `run` may have left half-done must not be used
/// again.
pub(crate) fn guarded<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    HOOK.call_once(install_hook);
    let was_guarded = IS_GUARDED.replace(true);
    let result = panic::catch_unwind(AssertUnwindSafe(run));
    IS_GUARDED.set(was_guarded);
    result.map_err(|_| {
        let text = LAST_PANIC.take();
        text.unwrap_or_else(|| "panic in a worker thread".to_owned())
    })
}

/// Panics of guarded threads are kept as text; all others are shown as usual.
fn install_hook() {
    let usual = panic::take_hook();
    panic::set_hook(Box::new(move |information| {
        if !IS_GUARDED.get() {
            return usual(information);
        }
        let message = information.payload_as_str().unwrap_or("panic");
        let place = information.location().map_or(String::new(), |place| format!(" ({place})"));
        LAST_PANIC.set(Some(format!("{message}{place}")));
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_a_text_with_its_place_and_the_rest_goes_on() {
        let text = guarded(|| -> u8 { panic!("out of cheese") }).expect_err("it panics");
        assert!(text.starts_with("out of cheese (") && text.contains("guard.rs"), "{text}");
        assert_eq!(guarded(|| 7), Ok(7));
    }
}
