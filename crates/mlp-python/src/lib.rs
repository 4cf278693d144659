//! The compiled half of the Python package `mlp_lab`: training and answering on NumPy arrays.
//!
//! What belongs to scikit-learn's interface is written in Python (`python/mlp_lab/`): parameters, validation, labels,
//! stopping. Here is what takes time, on [`mlp_train`]'s steps: `trainer` takes them over an epoch, `gradient` gives loss
//! and gradient to an optimiser of SciPy's, `outputs` answers. All of them let other Python threads run meanwhile, and look
//! for signals about twenty times a second; a panic becomes a `RuntimeError`.
//!
//! | argument | taken without a copy | copied |
//! |---|---|---|
//! | inputs, dense | `float32` and `float64` in any layout, where the network computes in that type | other real types and `uint8`, batch by batch; never as a whole |
//! | inputs, sparse | the three arrays of a CSR matrix | rows become dense batch by batch |
//! | targets | the network's type | |
//! | weights | | in and out, once for each call |

#![warn(clippy::print_stdout, clippy::print_stderr, clippy::exit)]

mod diagnosis;
mod features;
mod gradient;
mod model_file;
mod network;
mod number;
mod outputs;
mod python_error;
mod signals;
mod team;
mod trainer;

use pyo3::prelude::*;

/// The version of the package.
#[pyfunction]
fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

/// What `mlp_lab._native` holds.
#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<trainer::Trainer>()?;
    module.add_class::<gradient::Objective>()?;
    module.add_function(wrap_pyfunction!(outputs::outputs, module)?)?;
    module.add_function(wrap_pyfunction!(team::available_threads, module)?)?;
    module.add_function(wrap_pyfunction!(team::kernel, module)?)?;
    module.add_function(wrap_pyfunction!(version, module)?)?;
    module.add_function(wrap_pyfunction!(diagnosis::diagnose, module)?)?;
    module.add_function(wrap_pyfunction!(model_file::codes, module)?)?;
    module.add_function(wrap_pyfunction!(model_file::load_model, module)?)?;
    module.add_function(wrap_pyfunction!(model_file::save_model, module)?)?;
    module.add_function(wrap_pyfunction!(model_file::to_onnx, module)?)?;
    module.add_function(wrap_pyfunction!(model_file::write_file, module)?)?;
    Ok(())
}
