//! A table cut into rows to learn from and rows to test on.

use ndarray::{Array2, ArrayView2, Axis};

use super::classifier::class_indices;
use super::fit::check_numbers;
use crate::error::{Error, Result};
use crate::random::{Stream, generator};
use crate::stratified::{draw, numbers_by_largest_remainder, samples_of_classes};

/// The two parts of a table; `T` holds the targets: labels, or rows of numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Split<T> {
    /// The rows to learn from.
    pub train_inputs: Array2<f64>,
    /// Their targets.
    pub train_targets: T,
    /// The rows to test on.
    pub test_inputs: Array2<f64>,
    /// Their targets.
    pub test_targets: T,
    /// Which rows of the table are learnt from, in increasing order.
    pub train_rows: Vec<usize>,
    /// Which rows of the table are tested on, in increasing order.
    pub test_rows: Vec<usize>,
}

/// Cuts a table at random, so that each class has the same share of its rows tested, as nearly as whole rows allow: of
/// `n_rows` rows `test_share · n_rows`, rounded, but of every class one row at least is learnt from. The same seed gives the same
/// split.
///
/// ```
/// use mlp_train::ndarray::array;
/// use mlp_train::tabular::stratified_split;
///
/// let inputs = array![[0.0], [1.0], [2.0], [3.0], [4.0], [5.0]];
/// let split = stratified_split(&inputs, &[3000, 3000, 3000, 3000, -5, -5], 0.5, 1)?;
/// assert_eq!(split.test_targets.iter().filter(|&&label| label == -5).count(), 1);
/// assert_eq!((split.train_rows.len(), split.test_rows.len()), (3, 3));
/// # Ok::<(), mlp_train::Error>(())
/// ```
///
/// # Errors
///
/// If `test_share` is not above 0 and below 1, if it leaves no row to test or none to learn from, or if there is not one
/// label for each row.
pub fn stratified_split<'a, L: Ord + Clone>(
    inputs: impl Into<ArrayView2<'a, f64>>,
    labels: &[L],
    test_share: f64,
    seed: u64,
) -> Result<Split<Vec<L>>> {
    let inputs = inputs.into();
    let test_rows = test_rows(inputs.nrows(), labels, test_share, seed)?;
    Ok(split(inputs, test_rows, |rows| rows.iter().map(|&row| labels[row].clone()).collect()))
}

/// Cuts a table at random, for targets that are numbers, shape `(n_rows, n_targets)`.
///
/// # Errors
///
/// As [`stratified_split`].
pub fn random_split<'a, 'b>(
    inputs: impl Into<ArrayView2<'a, f64>>,
    targets: impl Into<ArrayView2<'b, f64>>,
    test_share: f64,
    seed: u64,
) -> Result<Split<Array2<f64>>> {
    let (inputs, targets) = (inputs.into(), targets.into());
    // Rows of one class.
    let test_rows = test_rows(inputs.nrows(), &vec![(); targets.nrows()], test_share, seed)?;
    Ok(split(inputs, test_rows, |rows| targets.select(Axis(0), rows)))
}

fn split<T>(inputs: ArrayView2<'_, f64>, test_rows: Vec<usize>, targets: impl Fn(&[usize]) -> T) -> Split<T> {
    let train_rows: Vec<usize> = (0..inputs.nrows()).filter(|row| test_rows.binary_search(row).is_err()).collect();
    Split {
        train_inputs: inputs.select(Axis(0), &train_rows),
        train_targets: targets(&train_rows),
        test_inputs: inputs.select(Axis(0), &test_rows),
        test_targets: targets(&test_rows),
        train_rows,
        test_rows,
    }
}

/// The rows to test on, in increasing order.
fn test_rows<L: Ord + Clone>(n_rows: usize, labels: &[L], test_share: f64, seed: u64) -> Result<Vec<usize>> {
    check_numbers(n_rows, labels.len())?;
    if !(test_share > 0.0 && test_share < 1.0) {
        return Err(Error::of_key("test_share", "a number above 0 and below 1", test_share.to_string()));
    }
    let (_, indices) = class_indices(labels);
    let rows_of_classes = samples_of_classes(indices.into_iter());
    let sizes: Vec<usize> = rows_of_classes.iter().map(Vec::len).collect();
    let n_wanted = (n_rows as f64 * test_share).round() as usize;
    let quotas: Vec<f64> = sizes.iter().map(|&size| size as f64 * test_share).collect();
    let n_test = numbers_by_largest_remainder(&sizes, &quotas, n_wanted);
    if n_test.iter().sum::<usize>() == 0 {
        let expected =
            format!("a share that leaves rows to test and to learn from, of {n_rows} rows in {} classes", sizes.len());
        return Err(Error::of_key("test_share", expected, test_share.to_string()));
    }
    Ok(draw(rows_of_classes, &n_test, &mut generator(seed, Stream::Testing)))
}
