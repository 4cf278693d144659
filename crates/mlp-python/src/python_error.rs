//! What goes wrong, as Python's exceptions.

use std::any::Any;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use mlp_train::mlp_core::NonFinite;
use pyo3::PyErr;
use pyo3::exceptions::{PyOSError, PyRuntimeError, PyValueError};
use pyo3::prelude::*;

/// Does `work` without holding the interpreter. A panic becomes a `RuntimeError`: what it leaves behind is of no use, and
/// is not used.
pub(crate) fn detached<T: Send>(py: Python<'_>, work: impl FnOnce() -> T + Send) -> PyResult<T> {
    py.detach(|| catch_unwind(AssertUnwindSafe(work))).map_err(|panic| {
        PyRuntimeError::new_err(format!("a fault of this package, please report it: {}", message(&*panic)))
    })
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("a panic without words")
}

/// What the project's libraries say: an `OSError` where the system was at fault, a `ValueError` else.
pub(crate) fn of_project(error: mlp_train::Error) -> PyErr {
    match error.io_error() {
        Some(cause) => os_error(cause, error.to_string()),
        None => PyValueError::new_err(error.to_string()),
    }
}

/// What cannot be exported.
pub(crate) fn of_onnx(error: mlp_onnx::Error) -> PyErr {
    PyValueError::new_err(error.to_string())
}

/// A file that could not be written.
pub(crate) fn of_system(path: &Path, error: &io::Error) -> PyErr {
    os_error(error, format!("{}: {error}", path.display()))
}

/// Python chooses the subclass by the number: `FileNotFoundError`, `PermissionError`, …
fn os_error(cause: &io::Error, message: String) -> PyErr {
    match cause.raw_os_error() {
        Some(number) => PyOSError::new_err((number, message)),
        None => PyOSError::new_err(message),
    }
}

/// Training that broke. The first sentence is scikit-learn's.
pub(crate) fn not_finite(NonFinite { layer }: NonFinite) -> PyErr {
    PyValueError::new_err(format!(
        "Solver produced non-finite parameter weights. The input data may contain large values and need to be \
         preprocessed. (It was noticed in coefs_[{layer}]; a lower learning_rate_init helps, too.)"
    ))
}
