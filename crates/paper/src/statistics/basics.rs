//! The statistics that do not belong to the paper: everything this crate takes from elsewhere, or would, comes through here.

pub(crate) use mlp_results::interval::{interval, student_quantile, student_share_within};

/// The 0.975 quantile of the normal distribution.
pub(crate) const NORMAL_975: f64 = 1.959_964;

/// The mean; not a number of no values.
pub(crate) fn mean(values: &[f64]) -> f64 {
    mlp_results::interval::mean(values).unwrap_or(f64::NAN)
}

/// The variance of a mean of at least two values, which is the square of its standard error; 0 for fewer.
pub(crate) fn variance_of_mean(values: &[f64]) -> f64 {
    let (n, mean) = (values.len(), mean(values));
    if n < 2 {
        return 0.0;
    }
    values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / ((n - 1) * n) as f64
}
