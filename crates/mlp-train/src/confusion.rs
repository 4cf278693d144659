//! Which classes are taken for which.

use serde::{Deserialize, Serialize};

/// How often each class was answered for each label.
///
/// The answer is read by the codebook's [`Decoding`](crate::Decoding); an exact one may be no class at all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfusionMatrix {
    /// A row for each label, a column for each answer; the last column counts the invalid answers:
    /// `n_classes` rows of `n_classes + 1`.
    pub counts: Vec<Vec<u64>>,
}

impl ConfusionMatrix {
    /// A matrix of zeros.
    pub fn new(n_classes: usize) -> Self {
        Self { counts: vec![vec![0; n_classes + 1]; n_classes] }
    }

    /// Counts one sample; `answer` is `None` for a code that is no class.
    ///
    /// # Panics
    ///
    /// If `label` or `answer` is no class.
    pub fn add(&mut self, label: usize, answer: Option<usize>) {
        let n_classes = self.n_classes();
        assert!(answer.is_none_or(|answer| answer < n_classes), "answer {answer:?} of {n_classes} classes");
        self.counts[label][answer.unwrap_or(n_classes)] += 1;
    }

    /// The number of classes.
    pub fn n_classes(&self) -> usize {
        self.counts.len()
    }

    /// Of the samples answered as `class`, the fraction that are of that class; 0 if it was never answered.
    ///
    /// # Panics
    ///
    /// If `class` is no class.
    pub fn precision(&self, class: usize) -> f64 {
        fraction(self.counts[class][class], self.counts.iter().map(|row| row[class]).sum())
    }

    /// Of the samples of `class`, the fraction that were answered as that class; 0 if there are none.
    ///
    /// # Panics
    ///
    /// If `class` is no class.
    pub fn recall(&self, class: usize) -> f64 {
        fraction(self.counts[class][class], self.counts[class].iter().sum())
    }
}

fn fraction(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}
