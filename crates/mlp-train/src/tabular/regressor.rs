//! Numbers for each row.

use std::path::Path;

use mlp_core::{Activation, Initializer, Loss};
use ndarray::{Array2, ArrayView1, ArrayView2};

use super::fit::{Fitted, Wanted, check_numbers, fit};
use crate::config::{EvaluateTrain, TrainConfig};
use crate::error::{Error, ErrorKind, Result};
use crate::history::History;
use crate::model::{SavedModel, load_model};

/// A network that answers each row of a table with numbers.
///
/// ```
/// use mlp_train::ndarray::{Array2, Axis};
/// use mlp_train::tabular::MlpRegressor;
///
/// // Prices of houses by area and age.
/// let houses = Array2::from_shape_fn((60, 2), |(row, column)| [50.0 + row as f64, (row * 7 % 20) as f64][column]);
/// let prices = houses.map_axis(Axis(1), |house| 100_000.0 + 3_000.0 * house[0] - 2_000.0 * house[1]);
/// // One column of targets; there may be several.
/// let prices = prices.insert_axis(Axis(1));
///
/// let model = MlpRegressor::fit(&houses, &prices)?;
/// assert!(model.score(&houses, &prices)? > 0.99);
/// let price = model.predict(&Array2::from_elem((1, 2), 60.0))?[[0, 0]];
/// # assert!(price.is_finite());
/// # Ok::<(), mlp_train::Error>(())
/// ```
///
/// Two are equal if their histories are, too, in which are the seconds that training took: to compare what was learned, compare
/// their models (`to_model`).
#[derive(Clone, Debug, PartialEq)]
pub struct MlpRegressor {
    fitted: Fitted,
}

/// What suits the numbers of a table: 32 hidden units with tanh, outputs as they are, and their squared difference from the
/// targets; Adam at 0.01 with a cosine, 100 epochs in batches of 32.
///
/// With outputs as they are, targets may have any size, as they are scaled for the training. With others, such as sigmoids,
/// targets are taken as they are, and have to lie where the outputs do.
pub fn regressor_config() -> TrainConfig {
    TrainConfig::new()
        .hidden([32])
        .activation([Activation::Tanh])
        .initializer(Initializer::GLOROT_UNIFORM)
        .output_activation(Activation::Identity)
        .loss(Loss::Squared)
        .learning_rate(0.01)
        .epochs(100)
        .evaluate_train(EvaluateTrain::Count(256))
}

impl MlpRegressor {
    /// Learns a table as [`regressor_config`] has it: `inputs` of shape `(n_rows, n_columns)`, `targets` of shape
    /// `(n_rows, n_targets)`. A single number for each row is one column:
    /// [`insert_axis(Axis(1))`](ndarray::ArrayBase::insert_axis).
    ///
    /// # Errors
    ///
    /// As [`MlpRegressor::fit_with`].
    pub fn fit<'a, 'b>(
        inputs: impl Into<ArrayView2<'a, f64>>,
        targets: impl Into<ArrayView2<'b, f64>>,
    ) -> Result<Self> {
        Self::fit_with(&regressor_config(), inputs, targets)
    }

    /// Learns a table as `config` has it.
    ///
    /// # Errors
    ///
    /// If there is no row, or not one of targets for each; if a number is not finite; if the configuration contradicts itself, or
    /// has the loss `poisson`, whose outputs are logarithms of what is wanted; if the training diverges.
    pub fn fit_with<'a, 'b>(
        config: &TrainConfig,
        inputs: impl Into<ArrayView2<'a, f64>>,
        targets: impl Into<ArrayView2<'b, f64>>,
    ) -> Result<Self> {
        let (inputs, targets) = (inputs.into(), targets.into());
        check_numbers(inputs.nrows(), targets.nrows())?;
        if config.loss == Loss::Poisson {
            let expected = "a loss of the numbers themselves, such as squared";
            return Err(Error::of_key("loss", expected, config.loss.name()).with_advice(
                "counts are learned by mlp_train::train with this loss; the exponentials of its outputs are their means",
            ));
        }
        Ok(Self { fitted: fit(config, inputs, Wanted::Numbers(targets))? })
    }

    /// The numbers for each row, shape `(n_rows, n_targets)`.
    ///
    /// # Errors
    ///
    /// If there are not as many columns as in the table that was fitted, or a number is not finite.
    pub fn predict<'a>(&self, inputs: impl Into<ArrayView2<'a, f64>>) -> Result<Array2<f64>> {
        self.fitted.outputs(inputs.into())
    }

    /// R², the mean over the columns of targets: 1 minus the sum of squared errors over the sum of squared distances from the
    /// mean. 1 is perfect, and 0 what answering the mean would give. For a column without any variation it is 1 if every answer
    /// is exact, else 0.
    ///
    /// # Errors
    ///
    /// As [`MlpRegressor::predict`], and if there is no row, or targets of another shape than the answers.
    pub fn score<'a, 'b>(
        &self,
        inputs: impl Into<ArrayView2<'a, f64>>,
        targets: impl Into<ArrayView2<'b, f64>>,
    ) -> Result<f64> {
        let (answers, targets) = (self.predict(inputs)?, targets.into());
        if answers.dim() != targets.dim() || targets.is_empty() {
            let expected = format!("targets of shape {:?}, at least one", answers.dim());
            return Err(Error::new(ErrorKind::Samples, expected, format!("{:?}", targets.dim())));
        }
        let columns = answers.columns().into_iter().zip(targets.columns());
        Ok(columns.map(|(answers, targets)| r_squared(answers, targets)).sum::<f64>() / targets.ncols() as f64)
    }

    /// How the training went; `None` for a regressor that was loaded. With outputs as they are (`Activation::Identity`), losses and
    /// errors in it are those of targets that were scaled to a deviation of 1 in each column, as training sees them: times the
    /// deviation of a column's targets, such an error is in the unit of the table.
    pub fn history(&self) -> Option<&History> {
        self.fitted.history.as_ref()
    }

    /// The regressor as a model without classes, to which entries of one's own can be added ([`SavedModel::other`]).
    pub fn to_model(&self) -> SavedModel {
        SavedModel::new(self.fitted.mlp.clone(), self.fitted.config.clone(), Vec::<String>::new())
    }

    /// Saves the regressor in a model file (safetensors).
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        self.to_model().save(path)
    }

    /// Loads a model file without classes: one that [`MlpRegressor::save`] wrote, or any other.
    ///
    /// # Errors
    ///
    /// As [`load_model`], and if the model answers with classes.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let model = load_model(path)?;
        if !model.classes.is_empty() {
            let found = format!("one with {} classes", model.classes.len());
            let error = Error::new(ErrorKind::Model, "a model without classes", found).in_file(path);
            return Err(error.with_advice("load it as an MlpClassifier"));
        }
        Ok(Self { fitted: Fitted::of(&model) })
    }
}

fn r_squared(answers: ArrayView1<'_, f64>, targets: ArrayView1<'_, f64>) -> f64 {
    let mean = targets.iter().sum::<f64>() / targets.len() as f64;
    let unexplained: f64 = answers.iter().zip(&targets).map(|(answer, target)| (target - answer).powi(2)).sum();
    let total: f64 = targets.iter().map(|target| (target - mean).powi(2)).sum();
    match (total > 0.0, unexplained > 0.0) {
        (true, _) => 1.0 - unexplained / total,
        (false, false) => 1.0,
        (false, true) => 0.0,
    }
}
