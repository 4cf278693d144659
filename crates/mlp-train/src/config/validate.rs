//! What depends on several keys or on the data, checked once.

use mlp_core::{Activation, Initializer, Loss};

use super::{Averaging, ClassWeights, MAX_PARAMETERS, Precision, TrainConfig, ValidationSplit, wording};
use crate::augmentation::Augmenter;
use crate::encoding::{Codebook, TargetEncoding};
use crate::error::{Error, Result};
use crate::optimizer::Optimizer;
use crate::schedule::Schedule;

impl TrainConfig {
    /// Checks what depends on several keys or on the data: `n_train` samples (before validation samples are split
    /// off) of `n_inputs` numbers, with `n_outputs` targets each.
    ///
    /// # Errors
    ///
    /// Says which key to change, and to what.
    pub fn validate(&self, n_train: usize, n_inputs: usize, n_outputs: usize) -> Result<()> {
        self.check_each_key()?;
        self.check_network(n_inputs, n_outputs)?;
        self.check_update()?;
        self.check_samples(n_train)
    }

    /// Checks what matters for samples with labels only: whether the outputs can say their codes, and whether every class has a
    /// weight where they are listed.
    ///
    /// # Errors
    ///
    /// For weights of other classes than there are. For softmax outputs and other codes than one-hot: the outputs sum to 1, and
    /// the codes do not. For random codes so short that two classes have the same.
    pub fn validate_codes(&self, codebook: &Codebook) -> Result<()> {
        if let Some(ClassWeights::Each(weights)) = &self.class_weights
            && weights.len() != codebook.n_classes()
        {
            let expected = format!("one number for each of the {} classes", codebook.n_classes());
            return Err(Error::of_key("class_weights", expected, weights.len().to_string()));
        }
        let sums_to_one = codebook.codes.rows().into_iter().all(|code| code.sum() == 1);
        if self.output_activation == Activation::Softmax && !sums_to_one {
            let expected = "one-hot for softmax outputs, which sum to 1 as no other codes do";
            return Err(Error::of_key("encoding", expected, self.encoding.name()));
        }
        if let TargetEncoding::Random { bits } = self.encoding
            && (0..codebook.n_classes())
                .any(|class| (0..class).any(|other| codebook.codes.row(class) == codebook.codes.row(other)))
        {
            let expected = format!("codes long enough for {} different ones", codebook.n_classes());
            return Err(Error::of_key("encoding.bits", expected, bits.to_string()));
        }
        Ok(())
    }

    /// Checks what matters for images: `size` is their height and width, `None` where samples are other numbers.
    ///
    /// # Errors
    ///
    /// For an augmentation of samples that are no images.
    pub fn validate_images(&self, size: Option<(usize, usize)>) -> Result<()> {
        let Some(augmentation) = self.augment else { return Ok(()) };
        let (expected, found) = match size {
            None => ("false for samples that are no images with height and width".to_owned(), augmentation.to_string()),
            Some((height, width)) if height.max(width) > Augmenter::MAX_SIDE => {
                let expected = format!("false for images with a side of more than {} pixels", Augmenter::MAX_SIDE);
                (expected, augmentation.to_string())
            }
            Some(_) => return Ok(()),
        };
        Err(Error::of_key("augment", expected, found))
    }

    /// Fields are public, so a value can be out of range without having gone through `set`.
    pub(crate) fn check_each_key(&self) -> Result<()> {
        let mut scratch = Self::default();
        Self::KEYS.iter().try_for_each(|key| key.set(&mut scratch, &key.get(self)))
    }

    fn check_network(&self, n_inputs: usize, n_outputs: usize) -> Result<()> {
        let n_given = self.activation.len();
        if n_given != 1 && n_given != self.hidden.len() {
            return Err(Error::of_key(
                "activation",
                format!("one activation, or one for each of the {} hidden layers", self.hidden.len()),
                format!("{n_given}"),
            ));
        }
        let n_rates = self.dropout.len();
        if n_rates != 1 && n_rates != self.hidden.len() {
            let expected = format!("one rate, or one for each of the {} hidden layers", self.hidden.len());
            return Err(Error::of_key("dropout", expected, n_rates.to_string()));
        }
        match self.n_parameters(n_inputs, n_outputs) {
            Some(n_parameters) if n_parameters <= MAX_PARAMETERS => Ok(()),
            n_parameters => Err(Error::of_key(
                "hidden",
                format!("at most {MAX_PARAMETERS} weights and biases in the whole network"),
                n_parameters.map_or("more than 64 bits can count".to_owned(), |n_parameters| n_parameters.to_string()),
            )),
        }
    }

    fn check_update(&self) -> Result<()> {
        if !self.loss.fits(self.output_activation) {
            return Err(self.loss_misfit());
        }
        if self.label_smoothing > 0.0 && !self.loss.is_cross_entropy() {
            let expected = format!("0 for the loss {}; cross-entropies are what is smoothed", self.loss);
            return Err(Error::of_key("label_smoothing", expected, self.label_smoothing.to_string()));
        }
        self.check_precision()?;
        check_decay("l2", self.learning_rate, self.l2)?;
        if let Optimizer::AdamW { decay, .. } = self.optimizer {
            check_decay("optimizer.decay", self.learning_rate, decay)?;
        }
        if let Some(Averaging::Mean { epochs }) = self.average
            && epochs > self.epochs
        {
            let expected = format!("at most the number of epochs, {}", self.epochs);
            return Err(Error::of_key("average.epochs", expected, epochs.to_string()));
        }
        match self.schedule {
            Schedule::Cosine { warmup, .. } if warmup > self.epochs as f64 => Err(Error::of_key(
                "schedule.warmup",
                format!("at most the number of epochs, {}", self.epochs),
                warmup.to_string(),
            )),
            _ => Ok(()),
        }
    }

    /// What is in range in double precision may round to 0 or 1 in single precision, and divide by zero there.
    fn check_precision(&self) -> Result<()> {
        let rounded = |number: f64| match self.precision {
            Precision::F32 | Precision::Bf16 => f64::from(number as f32),
            Precision::F64 => number,
        };
        let name = self.precision.kept().name();
        self.check_bf16()?;
        let positive = |key: &str, number: f64| {
            if rounded(number) > 0.0 {
                return Ok(());
            }
            Err(Error::of_key(key, format!("a number that is not 0 in {name}"), number.to_string()))
        };
        let below_one = |key: &str, number: f64| {
            if rounded(number) < 1.0 {
                return Ok(());
            }
            Err(Error::of_key(key, format!("a number that is below 1 in {name}"), number.to_string()))
        };
        positive("learning_rate", self.learning_rate)?;
        self.max_norm.map_or(Ok(()), |norm| positive("max_norm", norm))?;
        match self.optimizer {
            Optimizer::Sgd => Ok(()),
            Optimizer::Momentum { momentum } | Optimizer::Nesterov { momentum } => {
                below_one("optimizer.momentum", momentum)
            }
            Optimizer::Adam { beta1, beta2, epsilon } | Optimizer::AdamW { beta1, beta2, epsilon, .. } => {
                below_one("optimizer.beta1", beta1)?;
                below_one("optimizer.beta2", beta2)?;
                positive("optimizer.epsilon", epsilon)
            }
        }
    }

    /// What eight bits of a number are not enough for.
    fn check_bf16(&self) -> Result<()> {
        if self.precision != Precision::Bf16 {
            return Ok(());
        }
        if self.batch_size == 1 {
            let advice = "f32 is faster for single samples, which read weights more than they multiply";
            return Err(Error::of_key("batch_size", "2 or more for the precision bf16", "1").with_advice(advice));
        }
        if self.initializer == Initializer::Uniform01 {
            let expected = "f32 or f64 for the initializer uniform-0-1: net inputs are sums of as many positive numbers as there \
                            are inputs, and what tells them apart is lost when these are rounded to eight bits";
            return Err(Error::of_key("precision", expected, "bf16"));
        }
        Ok(())
    }

    fn loss_misfit(&self) -> Error {
        let output = self.output_activation;
        let fitting: Vec<_> = Loss::ALL.iter().filter(|loss| loss.fits(output)).map(|loss| loss.name()).collect();
        let required = self.loss.required_output().unwrap_or(output);
        let expected = format!("{} for {output} outputs", wording::alternatives(&fitting));
        Error::of_key("loss", expected, self.loss.name()).with_advice(format!("or set output_activation to {required}"))
    }

    /// A batch of one sample has no variance to normalise by: none may be left at the end of an epoch of `n_samples` either.
    fn check_batch_norm(&self, n_samples: usize) -> Result<()> {
        if !self.batch_norm || self.hidden.is_empty() {
            return Ok(());
        }
        if self.batch_size == 1 {
            let expected = "2 or more with batch_norm = true: a single sample has no variance to normalise by";
            return Err(Error::of_key("batch_size", expected, "1"));
        }
        if n_samples % self.batch_size != 1 {
            return Ok(());
        }
        let expected = format!(
            "a size that leaves none or more than one of the {n_samples} training samples for the last batch: batch_norm = true \
             normalises by the variance within it"
        );
        let fits = |&size: &usize| n_samples % size != 1;
        let (below, above) = ((2..self.batch_size).rev().find(fits), (self.batch_size + 1..=n_samples).find(fits));
        let sizes: Vec<String> = [below, above].into_iter().flatten().map(|size| size.to_string()).collect();
        let advice = format!("take {}, or another number of samples", sizes.join(" or "));
        Err(Error::of_key("batch_size", expected, self.batch_size.to_string()).with_advice(advice))
    }

    fn check_samples(&self, n_train: usize) -> Result<()> {
        if self.validation >= n_train {
            return Err(Error::of_key(
                "validation",
                format!("fewer than the {n_train} training samples"),
                self.validation.to_string(),
            ));
        }
        let n_left = n_train - self.validation;
        if self.batch_size > n_left {
            let after = if self.validation > 0 { " that validation leaves" } else { "" };
            return Err(Error::of_key(
                "batch_size",
                format!("at most the {n_left} training samples{after}"),
                self.batch_size.to_string(),
            ));
        }
        self.check_batch_norm(n_left)?;
        let needed_by = [
            (self.early_stopping.is_some(), "early_stopping watches them"),
            (matches!(self.schedule, Schedule::Plateau { .. }), "the schedule plateau watches them"),
            (self.validation_split != ValidationSplit::Random, "validation_split says which they are"),
        ];
        match needed_by.into_iter().find(|(is_needed, _)| *is_needed && self.validation == 0) {
            None => Ok(()),
            Some((_, why)) => Err(Error::of_key("validation", format!("at least 1 sample, because {why}"), "0")),
        }
    }
}

/// A step of plain descent multiplies a weight by 1 − η·γ: from η·γ = 1 on, decay overshoots zero. The other rules have
/// other factors; the bound is kept for all, since nothing useful lies beyond it.
fn check_decay(key: &str, learning_rate: f64, decay: f64) -> Result<()> {
    if learning_rate * decay < 1.0 {
        return Ok(());
    }
    Err(Error::of_key(
        key,
        format!("below {}, so that learning_rate times {key} stays below 1", 1.0 / learning_rate),
        decay.to_string(),
    ))
}
