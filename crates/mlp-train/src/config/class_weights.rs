//! What samples count by their class.

/// What the loss of a training sample is multiplied by, from its class: rare classes can count more.
#[derive(Clone, Debug, PartialEq)]
pub enum ClassWeights {
    /// n / (k·n_c), where n_c of n training samples are of class c, and k classes occur: every class counts the same in the sum
    /// of an epoch, and a sample counts 1 in the mean.
    Balanced,
    /// One weight for each class in their order, each at least 0 and not all 0.
    Each(Vec<f64>),
}

impl ClassWeights {
    /// The name of the weights that follow from the samples.
    pub(crate) const BALANCED: &'static str = "balanced";

    /// The weight of each class, where there are so many training samples of each; of a class without samples 1 if it is to
    /// follow from their number.
    ///
    /// ```
    /// use mlp_train::ClassWeights;
    ///
    /// assert_eq!(ClassWeights::Balanced.of_classes(&[6, 3, 0, 3]), [4.0 / 6.0, 4.0 / 3.0, 1.0, 4.0 / 3.0]);
    /// assert_eq!(ClassWeights::Each(vec![1.0, 5.0]).of_classes(&[70, 30]), [1.0, 5.0]);
    /// ```
    pub fn of_classes(&self, n_samples: &[usize]) -> Vec<f64> {
        match self {
            Self::Each(weights) => weights.clone(),
            Self::Balanced => {
                let n_classes = n_samples.iter().filter(|&&n_samples| n_samples > 0).count();
                let share = n_samples.iter().sum::<usize>() as f64 / n_classes as f64;
                n_samples.iter().map(|&n_samples| if n_samples == 0 { 1.0 } else { share / n_samples as f64 }).collect()
            }
        }
    }
}
