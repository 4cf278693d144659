//! Inputs as Python has them: matrices of several types, dense or sparse.

use mlp_train::mlp_core::Real;
use ndarray::{ArrayView2, ArrayViewMut1, ArrayViewMut2, Zip};
use numpy::{PyReadonlyArray1, PyReadonlyArray2};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;

use crate::number::Number;

/// What Python handed over, borrowed.
pub(crate) enum Features<'py, F: Number> {
    /// In the network's own type.
    Own(PyReadonlyArray2<'py, F>),
    Single(PyReadonlyArray2<'py, f32>),
    Double(PyReadonlyArray2<'py, f64>),
    Bytes(PyReadonlyArray2<'py, u8>),
    Sparse(SparseArrays<'py, F>),
}

/// The arrays of a matrix in the format CSR.
pub(crate) struct SparseArrays<'py, F: Number> {
    shape: (usize, usize),
    starts: Indices<'py>,
    columns: Indices<'py>,
    values: PyReadonlyArray1<'py, F>,
}

enum Indices<'py> {
    Int(PyReadonlyArray1<'py, i32>),
    Long(PyReadonlyArray1<'py, i64>),
}

/// A view of [`Features`], for work without the interpreter.
#[derive(Clone, Copy)]
pub(crate) enum View<'a, F> {
    Own(ArrayView2<'a, F>),
    Single(ArrayView2<'a, f32>),
    Double(ArrayView2<'a, f64>),
    Bytes(ArrayView2<'a, u8>),
    Sparse(SparseView<'a, F>),
}

#[derive(Clone, Copy)]
pub(crate) struct SparseView<'a, F> {
    shape: (usize, usize),
    starts: IndexView<'a>,
    columns: IndexView<'a>,
    values: &'a [F],
}

#[derive(Clone, Copy)]
enum IndexView<'a> {
    Int(&'a [i32]),
    Long(&'a [i64]),
}

impl<'py, F: Number> Features<'py, F> {
    /// A matrix of NumPy's, or one of SciPy's in the format CSR whose values have the network's type.
    pub(crate) fn new(x: &Bound<'py, PyAny>) -> PyResult<Self> {
        if let Ok(own) = x.extract() {
            return Ok(Self::Own(own));
        }
        if let Ok(single) = x.extract() {
            return Ok(Self::Single(single));
        }
        if let Ok(double) = x.extract() {
            return Ok(Self::Double(double));
        }
        if let Ok(bytes) = x.extract() {
            return Ok(Self::Bytes(bytes));
        }
        if x.hasattr("indptr")? {
            return Ok(Self::Sparse(SparseArrays {
                shape: x.getattr("shape")?.extract()?,
                starts: Indices::new(&x.getattr("indptr")?)?,
                columns: Indices::new(&x.getattr("indices")?)?,
                values: x.getattr("data")?.extract()?,
            }));
        }
        Err(PyTypeError::new_err(
            "expected a matrix of float32, float64 or uint8, or a CSR matrix of the network's type",
        ))
    }

    pub(crate) fn view(&self) -> PyResult<View<'_, F>> {
        Ok(match self {
            Self::Own(values) => View::Own(values.as_array()),
            Self::Single(values) => View::Single(values.as_array()),
            Self::Double(values) => View::Double(values.as_array()),
            Self::Bytes(values) => View::Bytes(values.as_array()),
            Self::Sparse(SparseArrays { shape, starts, columns, values }) => View::Sparse(SparseView {
                shape: *shape,
                starts: starts.view()?,
                columns: columns.view()?,
                values: values.as_slice().map_err(PyErr::from)?,
            }),
        })
    }
}

impl<'py> Indices<'py> {
    fn new(array: &Bound<'py, PyAny>) -> PyResult<Self> {
        array.extract().map(Self::Int).or_else(|_| array.extract().map(Self::Long))
    }

    fn view(&self) -> PyResult<IndexView<'_>> {
        Ok(match self {
            Self::Int(array) => IndexView::Int(array.as_slice()?),
            Self::Long(array) => IndexView::Long(array.as_slice()?),
        })
    }
}

impl IndexView<'_> {
    /// What is negative becomes too large.
    fn get(self, position: usize) -> usize {
        match self {
            Self::Int(indices) => usize::try_from(indices[position]).unwrap_or(usize::MAX),
            Self::Long(indices) => usize::try_from(indices[position]).unwrap_or(usize::MAX),
        }
    }
}

impl<F: Real> View<'_, F> {
    /// `(n_samples, n_inputs)`
    pub(crate) fn shape(&self) -> (usize, usize) {
        match self {
            Self::Own(values) => values.dim(),
            Self::Single(values) => values.dim(),
            Self::Double(values) => values.dim(),
            Self::Bytes(values) => values.dim(),
            Self::Sparse(sparse) => sparse.shape,
        }
    }

    /// # Errors
    ///
    /// Where there are not so many columns.
    pub(crate) fn check_columns(&self, n_inputs: usize) -> PyResult<()> {
        let n_columns = self.shape().1;
        if n_columns == n_inputs {
            return Ok(());
        }
        Err(PyValueError::new_err(format!("expected {n_inputs} columns, as the network has inputs, found {n_columns}")))
    }

    /// Writes these rows as numbers of the network's type into the first of `into`.
    pub(crate) fn gather(&self, rows: impl Iterator<Item = usize>, mut into: ArrayViewMut2<'_, F>) {
        for (row, into) in rows.zip(into.rows_mut()) {
            match self {
                Self::Own(values) => convert(values, row, into, |value| value),
                Self::Single(values) => convert(values, row, into, |value| F::narrow(f64::from(value))),
                Self::Double(values) => convert(values, row, into, F::narrow),
                Self::Bytes(values) => convert(values, row, into, F::from_u8),
                Self::Sparse(sparse) => sparse.gather(row, into),
            }
        }
    }
}

fn convert<T: Copy, F>(values: &ArrayView2<'_, T>, row: usize, into: ArrayViewMut1<'_, F>, number: impl Fn(T) -> F) {
    Zip::from(into).and(values.row(row)).for_each(|into, &value| *into = number(value));
}

impl<F: Real> SparseView<'_, F> {
    /// Values that stand at one place are added.
    fn gather(&self, row: usize, mut into: ArrayViewMut1<'_, F>) {
        into.fill(F::zero());
        for position in self.starts.get(row)..self.starts.get(row + 1) {
            into[self.columns.get(position)] += self.values[position];
        }
    }
}
