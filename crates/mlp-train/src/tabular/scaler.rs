//! Columns brought to mean 0 and deviation 1.

use ndarray::{Array2, ArrayView2, Axis};

use crate::data::check_finite;
use crate::error::{Error, ErrorKind, Result};

/// Shifts and scales each column by its mean and its standard deviation: z = (x − mean) / deviation.
///
/// [`MlpClassifier`](super::MlpClassifier) and [`MlpRegressor`](super::MlpRegressor) do this by themselves; this is for a
/// training loop of one's own.
///
/// ```
/// use mlp_train::ndarray::array;
/// use mlp_train::tabular::StandardScaler;
///
/// let table = array![[1.0, 500.0], [3.0, 700.0]];
/// let scaler = StandardScaler::fit(&table)?;
/// assert_eq!((scaler.mean(), scaler.deviation()), (&[2.0, 600.0][..], &[1.0, 100.0][..]));
/// assert_eq!(scaler.transform(&table)?, array![[-1.0, -1.0], [1.0, 1.0]]);
/// assert_eq!(scaler.inverse_transform(&array![[0.0, 2.0]])?, array![[2.0, 800.0]]);
/// # Ok::<(), mlp_train::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct StandardScaler {
    mean: Vec<f64>,
    deviation: Vec<f64>,
}

impl StandardScaler {
    /// The means and deviations of the columns of `rows`, shape `(n_rows, n_columns)`. A deviation is the root of the mean
    /// squared distance from the mean; that of a column that is the same in every row counts as 1.
    ///
    /// # Errors
    ///
    /// If there is no row or no column, if a number is not finite, or if a column's numbers are so large that their squares
    /// overflow.
    pub fn fit<'a>(rows: impl Into<ArrayView2<'a, f64>>) -> Result<Self> {
        let rows = rows.into();
        for (count, what) in [(rows.nrows(), "row"), (rows.ncols(), "column")] {
            if count == 0 {
                return Err(Error::new(ErrorKind::Samples, format!("at least one {what}"), "none"));
            }
        }
        check_finite(rows, "input")?;
        let (mean, deviation): (Vec<f64>, Vec<f64>) =
            rows.columns().into_iter().map(|column| moments(column.iter())).unzip();
        match mean.iter().zip(&deviation).position(|(mean, deviation)| !(mean + deviation).is_finite()) {
            None => Ok(Self { mean, deviation }),
            Some(column) => {
                let expected = "numbers whose squares can be summed";
                let found = format!("a column {column} whose deviation is too large for a number");
                Err(Error::new(ErrorKind::Samples, expected, found).with_advice("measure it in another unit"))
            }
        }
    }

    /// The mean of each column.
    pub fn mean(&self) -> &[f64] {
        &self.mean
    }

    /// The standard deviation of each column, above 0.
    pub fn deviation(&self) -> &[f64] {
        &self.deviation
    }

    /// The rows with each column shifted and scaled.
    ///
    /// # Errors
    ///
    /// If there are not as many columns as in the rows that were fitted.
    pub fn transform<'a>(&self, rows: impl Into<ArrayView2<'a, f64>>) -> Result<Array2<f64>> {
        self.map(rows.into(), |value, mean, deviation| (value - mean) / deviation)
    }

    /// The rows as they were before [`StandardScaler::transform`].
    ///
    /// # Errors
    ///
    /// As [`StandardScaler::transform`].
    pub fn inverse_transform<'a>(&self, rows: impl Into<ArrayView2<'a, f64>>) -> Result<Array2<f64>> {
        self.map(rows.into(), |value, mean, deviation| value * deviation + mean)
    }

    fn map(&self, rows: ArrayView2<'_, f64>, new: impl Fn(f64, f64, f64) -> f64) -> Result<Array2<f64>> {
        if rows.ncols() != self.mean.len() {
            let expected = format!("{} columns, as in the rows that were fitted", self.mean.len());
            return Err(Error::new(ErrorKind::Samples, expected, rows.ncols().to_string()));
        }
        let mut rows = rows.to_owned();
        for (column, mut values) in rows.axis_iter_mut(Axis(1)).enumerate() {
            let (mean, deviation) = (self.mean[column], self.deviation[column]);
            values.mapv_inplace(|value| new(value, mean, deviation));
        }
        Ok(rows)
    }
}

/// Mean and standard deviation, summed in order.
fn moments<'a>(values: impl ExactSizeIterator<Item = &'a f64> + Clone) -> (f64, f64) {
    let first = *values.clone().next().expect("a column has rows");
    if values.clone().all(|&value| value == first) {
        return (first, 1.0);
    }
    let n_values = values.len() as f64;
    let mean = values.clone().sum::<f64>() / n_values;
    let variance = values.map(|value| (value - mean) * (value - mean)).sum::<f64>() / n_values;
    // The squares of tiny differences may all be rounded to 0.
    (mean, if variance > 0.0 { variance.sqrt() } else { 1.0 })
}
