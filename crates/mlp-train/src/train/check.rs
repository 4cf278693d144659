//! What does not fit together is refused before anything is computed.

use mlp_core::{Activation, BatchNorm, Gradients, Kernel, Mlp, Real};
use ndarray::Array1;

use crate::checkpoint::{Checkpoint, CheckpointNorm, Progressed};
use crate::config::{Precision, TrainConfig, ValidationMetric, ValidationSplit};
use crate::data::{Samples, Targets};
use crate::error::{Error, ErrorKind, Result};
use crate::metrics::EpochMetrics;
use crate::schedule::Schedule;
use crate::train::Setup;
use crate::unfolded::{Initial, Unfolded};

pub(super) fn check<F: Real>(
    config: &TrainConfig,
    train: &Samples<'_, F>,
    test: Option<&Samples<'_, F>>,
    setup: &Setup<'_, F>,
) -> Result<()> {
    train.check().map_err(about_training)?;
    if let Some(test) = test {
        test.check().map_err(about_test)?;
        check_test_shape("inputs", train.n_inputs(), test.n_inputs())?;
        check_test_shape("targets", train.n_outputs(), test.n_outputs())?;
    }
    config.validate(train.n_samples(), train.n_inputs(), train.n_outputs()).map_err(about_configuration)?;
    if config.precision.kept() != Precision::of::<F>() {
        let (expected, found) = (Precision::of::<F>().name(), config.precision.name());
        let expected = format!("{expected}, the type of the numbers that train was called with");
        return Err(about_configuration(Error::of_key("precision", expected, found)));
    }
    match train.targets {
        Targets::Labels { codebook, .. } => config.validate_codes(codebook).map_err(about_configuration)?,
        Targets::Values(_) => {
            train.check_targets(config.loss).map_err(about_training)?;
            test.map_or(Ok(()), |test| test.check_targets(config.loss).map_err(about_test))?;
        }
    }
    if let Targets::Values(_) = train.targets {
        check_without_labels(config).map_err(about_configuration)?;
    }
    config.validate_images(train.image_size()).map_err(about_configuration)?;
    if config.precision == Precision::Bf16 && setup.kernel == Kernel::Reference {
        let expected = "f32 or f64 for the kernel reference, which rounds nothing to bf16";
        return Err(about_configuration(Error::of_key("precision", expected, config.precision.name())));
    }
    setup.initial.as_ref().map_or(Ok(()), |initial| check_initial(config, initial, train.n_inputs(), train.n_outputs()))
}

/// What only labels make possible.
fn check_without_labels(config: &TrainConfig) -> Result<()> {
    let watched = [
        config.early_stopping.map(|rule| ("early_stopping.metric", rule.metric)),
        match config.schedule {
            Schedule::Plateau { metric, .. } => Some(("schedule.metric", metric)),
            _ => None,
        },
    ];
    let of_labels = |metric: ValidationMetric| metric.of(&EpochMetrics::default()).is_none();
    if let Some((key, metric)) = watched.into_iter().flatten().find(|(_, metric)| of_labels(*metric)) {
        let expected = "validation.loss, validation.mae or validation.rmse for samples without labels";
        return Err(Error::of_key(key, expected, metric.name()));
    }
    if config.validation_split == ValidationSplit::Stratified {
        return Err(Error::of_key("validation_split", "random for samples without labels", "stratified"));
    }
    if config.class_weights.is_some() {
        return Err(Error::of_key(
            "class_weights",
            "false for samples without labels",
            config.get("class_weights").to_string(),
        ));
    }
    if config.label_smoothing > 0.0 {
        let found = config.label_smoothing.to_string();
        return Err(Error::of_key("label_smoothing", "0 for samples without labels", found));
    }
    Ok(())
}

fn about_configuration(error: Error) -> Error {
    error.about("configuration")
}

fn about_training(error: Error) -> Error {
    error.about("training samples")
}

fn about_test(error: Error) -> Error {
    error.about("test samples")
}

fn check_test_shape(what: &str, expected: usize, found: usize) -> Result<()> {
    if expected == found {
        return Ok(());
    }
    let expected = format!("{expected} {what} in each, as in the training samples");
    Err(about_test(Error::new(ErrorKind::Samples, expected, found.to_string())))
}

fn check_initial<F: Real>(config: &TrainConfig, initial: &Initial<F>, n_inputs: usize, n_outputs: usize) -> Result<()> {
    let (mlp, norm) = match initial {
        Initial::Plain(mlp) => (mlp, None),
        Initial::Unfolded(Unfolded { mlp, norm }) => (mlp, Some(norm)),
    };
    let refused = |expected: String, found: String| {
        Err(Error::new(ErrorKind::Model, format!("{expected} as configured"), found).about("initial network"))
    };
    let (expected, found) = (described_config(config, n_inputs, n_outputs), described_network(mlp));
    if expected != found {
        return refused(expected, found);
    }
    let expected = if config.batch_norm { "one with batch normalisation" } else { "one without batch normalisation" };
    match norm {
        None if !config.batch_norm => Ok(()),
        None => refused(expected.to_owned(), "one without".to_owned()),
        Some(norm) if config.batch_norm && fits(norm, mlp) => Ok(()),
        Some(_) if config.batch_norm => refused(expected.to_owned(), "one with that of another network".to_owned()),
        Some(_) => refused(expected.to_owned(), "one with it".to_owned()),
    }
}

/// Whether there are as many numbers as hidden units.
fn fits<F: Real>(norm: &BatchNorm<F>, mlp: &Mlp<F>) -> bool {
    let n_hidden = mlp.layers.len() - 1;
    norm.layers.len() == n_hidden
        && norm.layers.iter().zip(&mlp.layers).all(|(norm, layer)| {
            [&norm.scale, &norm.mean, &norm.variance].iter().all(|row| row.len() == layer.weights.ncols())
        })
}

pub(super) fn check_checkpoint<F: Real>(
    config: &TrainConfig,
    start: &Checkpoint<F>,
    n_inputs: usize,
    n_outputs: usize,
    n_train: usize,
) -> Result<()> {
    let check = |what: &str, is_right: bool, expected: String, found: String| {
        if is_right {
            return Ok(());
        }
        Err(Error::at(ErrorKind::Checkpoint, what, expected, found).about("checkpoint"))
    };
    let (expected, found) = (config.average.is_some(), start.average.is_some());
    let described = |is_there: bool| if is_there { "one" } else { "none" }.to_owned();
    check("mean of the weights", expected == found, described(expected), described(found))?;
    let average = start.average.iter().map(|average| ("mean of the weights", average));
    for (what, mlp) in [("network", &start.mlp), ("kept network", &start.kept)].into_iter().chain(average) {
        let (expected, found) = (described_config(config, n_inputs, n_outputs), described_network(mlp));
        check(what, expected == found, expected, found)?;
    }
    let fits = |slot: &Gradients<F>| {
        slot.layers.len() == start.mlp.layers.len()
            && slot.layers.iter().zip(&start.mlp.layers).all(|(state, layer)| {
                let n_biases = |bias: &Option<ndarray::Array1<F>>| bias.as_ref().map(|bias| bias.len());
                state.weights.dim() == layer.weights.dim() && n_biases(&state.bias) == n_biases(&layer.bias)
            })
    };
    let (n_slots, n_found) = (config.optimizer.n_slots(), start.slots.len());
    let numbers_kept = |n_slots: usize| format!("{n_slots} numbers for each parameter");
    check("optimiser's state", n_slots == n_found, numbers_kept(n_slots), numbers_kept(n_found))?;
    check(
        "optimiser's state",
        start.slots.iter().all(fits),
        "the shape of the network".to_owned(),
        "another".to_owned(),
    )?;

    check_norm(config, start, &check)?;

    let Progressed { epoch, batches, .. } = start.progressed;
    let (last, n_measured) = (config.epochs + 1, start.history.epochs.len());
    check(
        "epoch",
        (1..=last).contains(&epoch),
        format!(
            "1 to {}, or {last} at the end of the run; what goes on for longer is a run of more epochs",
            config.epochs
        ),
        epoch.to_string(),
    )?;
    check("epochs measured", n_measured == epoch, epoch.to_string(), n_measured.to_string())?;
    let n_batches = if epoch == last { 0 } else { n_train.div_ceil(config.batch_size) };
    check("batches", batches <= n_batches, format!("at most {n_batches}"), batches.to_string())?;
    let (best, n_seconds) = (start.history.best_epoch, start.history.seconds_evaluate.len());
    check("best epoch", best < n_measured, format!("below {n_measured}"), best.to_string())?;
    check("seconds", n_seconds == n_measured, n_measured.to_string(), n_seconds.to_string())
}

/// Whether a checkpoint has what batch normalisation needs, and nothing of it where there is none.
fn check_norm<F: Real>(
    config: &TrainConfig,
    start: &Checkpoint<F>,
    check: &impl Fn(&str, bool, String, String) -> Result<()>,
) -> Result<()> {
    let what = "batch normalisation";
    let described = |is_there: bool| if is_there { "one" } else { "none" }.to_owned();
    let (expected, found) = (config.batch_norm, start.norm.is_some());
    check(what, expected == found, described(expected), described(found))?;
    let Some(CheckpointNorm { moment, slots, average, kept }) = &start.norm else { return Ok(()) };
    let of_slot = |slot: &Vec<Array1<F>>| slot.iter().map(Array1::len).eq(config.hidden.iter().copied());
    let is_right = [moment, kept].into_iter().chain(average).all(|norm| fits(norm, &start.mlp))
        && average.is_some() == start.average.is_some()
        && slots.len() == start.slots.len()
        && slots.iter().all(of_slot);
    check(what, is_right, "the shape of the network".to_owned(), "another".to_owned())
}

fn described_config(config: &TrainConfig, n_inputs: usize, n_outputs: usize) -> String {
    described(&config.sizes(n_inputs, n_outputs), &config.activations(), &config.bias.to_string())
}

fn described_network<F: Real>(mlp: &Mlp<F>) -> String {
    let activations: Vec<_> = mlp.layers.iter().map(|layer| layer.activation).collect();
    let mut biases: Vec<_> = mlp.layers.iter().map(|layer| layer.bias.is_some()).collect();
    biases.dedup();
    let bias = if let [bias] = biases[..] { bias.to_string() } else { "true in some layers".to_owned() };
    described(&mlp.sizes(), &activations, &bias)
}

fn described(sizes: &[usize], activations: &[Activation], bias: &str) -> String {
    let names: Vec<_> = activations.iter().map(|activation| activation.name()).collect();
    format!("layers {sizes:?} with activations {} and bias = {bias}", names.join(", "))
}
