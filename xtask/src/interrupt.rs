//! Ctrl-C and SIGTERM: the first asks to stop, the second ends the process at once.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use crate::failure::{Code, Failure};

/// A flag that the first signal raises. Files are replaced by renaming, so even the second one damages nothing.
pub(crate) fn stop_flag() -> Result<Arc<AtomicBool>, Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    let exit_code = i32::from(Code::Interrupted.number());
    for signal in [SIGINT, SIGTERM] {
        flag::register_conditional_shutdown(signal, exit_code, Arc::clone(&stop))
            .and_then(|_| flag::register(signal, Arc::clone(&stop)))
            .map_err(|error| Failure::new(Code::InputOutput, format!("cannot watch for signal {signal}: {error}")))?;
    }
    Ok(stop)
}
