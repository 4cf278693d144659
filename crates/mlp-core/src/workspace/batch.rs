//! Where samples come from.

use ndarray::{ArrayView1, ArrayView2};

/// Where the samples of a batch come from: each row is asked for once a step, by one of the threads. For matrices there is
/// [`ArrayBatch`].
pub trait Batch<F>: Sync {
    /// The number of samples.
    fn n_samples(&self) -> usize;
    /// Writes the inputs of the sample in `row`. Where samples lie apart in memory, as in a shuffled epoch, this is the
    /// moment to [`prefetch`](crate::prefetch) one of the next batch.
    fn input(&self, row: usize, into: &mut [F]);
    /// Writes the targets of the sample in `row`.
    fn target(&self, row: usize, into: &mut [F]);
    /// What the loss of the sample in `row`, and with it its part of the gradient, is multiplied by: 1 unless samples count
    /// differently. The mean is over their number, not over the sum of these weights.
    fn weight(&self, row: usize) -> f64 {
        let _ = row;
        1.0
    }
}

/// A batch whose samples are the rows of matrices: the inputs, and the targets where a loss asks for them.
///
/// ```
/// use mlp_core::{ArrayBatch, Batch};
/// use mlp_core::ndarray::array;
///
/// let (inputs, targets) = (array![[0.0, 1.0], [1.0, 0.5]], array![[1.0], [0.0]]);
/// let batch = ArrayBatch::new(inputs.view(), targets.view());
/// assert_eq!(batch.n_samples(), 2);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ArrayBatch<'a, F> {
    inputs: ArrayView2<'a, F>,
    targets: Option<ArrayView2<'a, F>>,
}

impl<'a, F> ArrayBatch<'a, F> {
    /// A batch to learn from: `inputs` of shape `(n_samples, n_inputs)`, `targets` of shape `(n_samples, n_outputs)`.
    ///
    /// # Panics
    /// Where the numbers of samples differ.
    pub fn new(inputs: ArrayView2<'a, F>, targets: ArrayView2<'a, F>) -> ArrayBatch<'a, F> {
        let (inputs_shape, targets_shape) = (inputs.shape(), targets.shape());
        assert_eq!(
            inputs_shape[0], targets_shape[0],
            "targets of shape {targets_shape:?} for inputs of shape {inputs_shape:?}"
        );
        ArrayBatch { inputs, targets: Some(targets) }
    }

    /// A batch for [`Workspace::forward`](crate::Workspace::forward), which asks for no targets.
    pub fn without_targets(inputs: ArrayView2<'a, F>) -> ArrayBatch<'a, F> {
        ArrayBatch { inputs, targets: None }
    }
}

impl<F: Copy + Sync> Batch<F> for ArrayBatch<'_, F> {
    fn n_samples(&self) -> usize {
        self.inputs.nrows()
    }

    fn input(&self, row: usize, into: &mut [F]) {
        copy(self.inputs.row(row), into, "inputs");
    }

    /// # Panics
    /// Where the batch was made without targets.
    fn target(&self, row: usize, into: &mut [F]) {
        let targets = self.targets.expect("a batch with targets: ArrayBatch::new takes them");
        copy(targets.row(row), into, "targets");
    }
}

fn copy<F: Copy>(row: ArrayView1<'_, F>, into: &mut [F], what: &str) {
    assert_eq!(row.len(), into.len(), "{what} of a sample, and of the network");
    into.iter_mut().zip(row).for_each(|(into, &value)| *into = value);
}
