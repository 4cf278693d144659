//! `evaluate`: a saved model on test images, clean and disturbed.

mod images;

use std::path::{Path, PathBuf};

use clap::Args;
use mlp_core::{Kernel, Objective, Workers};
use mlp_results::text::{counted, percent, shorten};
use mlp_results::{RobustnessCurve, RunFolder, RunRecord};
use mlp_sweep::{Dataset, VALIDATION_SEEN_KEY, image_samples};
use mlp_train::{AnyMlp, Committee, ConfusionMatrix, Decoding, EpochMetrics, Evaluation, SavedModel, evaluate};
use mnist_io::{Disturbance, LabeledImages};
use serde_json::{Value, json};

use crate::commands::train::VALIDATION_SEEN;
use crate::failure::Failure;
use crate::lock;
use crate::models::{self, FoundModel};
use crate::options::{self, MachineOptions, StyleOptions};
use crate::output::{Output, notice};
use crate::progress::Progress;
use crate::reporting;
use crate::summary::{self, Reading};
use images::{MeasuredImages, Part};

const EXAMPLES: &str = "\
Examples:
  cargo xtask evaluate runs/mine/models/<TRIAL>.safetensors
  cargo xtask evaluate MODEL --disturb gaussian-blur=0.5,1,2,4
  cargo xtask evaluate MODEL --disturb salt-and-pepper=0.05,0.1
  cargo xtask evaluate runs/mine
      the best net of that run or sweep
  cargo xtask evaluate runs/a runs/b MODEL
      several nets, whose outputs are averaged
  cargo xtask evaluate MODEL --part train
      on what it learned from
  cargo xtask evaluate MODEL --data ./my-digits
      on other images

Pictures of your own become data by `data import`: with --test-share 1 all of them are for testing.

Disturbances: gaussian-blur=SIGMA (pixels), gaussian-noise=DEVIATION (grey levels), salt-and-pepper=FRACTION.
Beside a model in a folder of results, the curves are stored in robustness/ and drawn in the report.";

/// Random disturbances are drawn by this seed, so that every model sees the same ones.
const DISTURBANCE_SEED: u64 = 0;

/// Measure a saved model on test images, clean and disturbed; or several, whose outputs are averaged
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Evaluate {
    /// A model that `train` or `sweep` saved, or the folder of a run, of which the best is taken; several answer together
    #[arg(required = true, value_name = "MODEL")]
    models: Vec<PathBuf>,
    /// Which images of the data
    #[arg(long, value_enum, default_value_t = Part::Test)]
    part: Part,
    /// A disturbance of the images with one or more strengths; may be repeated
    #[arg(long, value_name = "NAME=STRENGTH,…", value_parser = disturbance)]
    disturb: Vec<Disturbances>,
    /// Images to measure on: a downloaded data set, a folder of IDX files, or "synthetic" [default: the data that the model was
    /// trained on]
    #[arg(long, value_name = "NAME|FOLDER")]
    data: Option<String>,
    #[command(flatten)]
    machine: MachineOptions,
    #[command(flatten)]
    style: StyleOptions,
}

/// One kind of disturbance in several strengths, weakest first.
#[derive(Clone, Debug)]
struct Disturbances {
    name: String,
    strengths: Vec<Disturbance>,
}

/// What curves were measured with: they belong to a trial only if its record says the same.
struct Measured<'a> {
    model: &'a SavedModel,
    data: &'a Dataset,
    n_test: usize,
    kernel: Kernel,
}

/// Runs the command.
pub(crate) fn run(arguments: &Evaluate, output: &mut Output) -> Result<(), Failure> {
    let models = models::load_all(&arguments.models)?;
    let model = &models[0];
    let kernel = arguments.machine.kernel()?;
    let found = MeasuredImages::find(&models, arguments.data.as_deref(), arguments.part)?;
    let has_seen =
        |model: &FoundModel| model.saved.other.get(VALIDATION_SEEN_KEY).and_then(Value::as_bool) == Some(true);
    if arguments.part == Part::Validation && models.iter().any(has_seen) {
        notice(format_args!("warning: {VALIDATION_SEEN}: what is measured on them flatters it"));
    }
    let images = found.images()?;
    let workers = options::team(arguments.machine.n_threads())?;
    let measure = |images: &LabeledImages| measure(&models, images, &workers, kernel);
    let clean = measure(images);
    let curves = measure_disturbed(arguments, images, &clean.metrics, &measure)?;
    if arguments.style.json {
        output.line(as_json(&models, &found, &clean, &curves));
    } else {
        introduce(&models, &found, kernel, output);
        let reading = Reading {
            encoding: model.saved.config.encoding,
            decoding: model.saved.config.answers_by(),
            n_outputs: model.saved.network.n_outputs(),
            objective: common_objective(&models),
        };
        summary::explain_metrics(&clean.metrics, images.len(), reading, output);
        show_curves(&curves, reading.decoding, output);
        if let Some(confusion) = clean.confusion.as_ref().filter(|_| !arguments.style.quiet) {
            show_confusion(confusion, &images.classes, model.saved.config.answers_by(), output);
        }
    }
    // The results are said by now, whatever becomes of storing them.
    let report = match &found.data {
        _ if models.len() > 1 => {
            if !curves.is_empty() {
                notice("note: the curves are those of several nets: they are shown here and stored nowhere");
            }
            None
        }
        Some(data) if arguments.part == Part::Test => {
            let measured = Measured { model: &model.saved, data, n_test: images.len(), kernel };
            store(&model.path, &measured, &curves)?
        }
        _ if curves.is_empty() => None,
        _ => {
            notice("note: the curves are shown here and stored nowhere: they are not those of the trial's test images");
            None
        }
    };
    if let Some(report) = report.filter(|_| arguments.style.is_talkative()) {
        output.line(format_args!("\nthe curves are in {}", summary::quoted(&report)));
    }
    Ok(())
}

/// What all of them were trained to lessen; of a committee that differs in it, no loss is said.
fn common_objective(models: &[FoundModel]) -> Option<Objective> {
    let mut objectives = models.iter().map(|model| model.saved.config.objective());
    let first = objectives.next()?;
    objectives.all(|objective| objective == first).then_some(first)
}

/// What is measured, on what.
fn introduce(models: &[FoundModel], found: &MeasuredImages, kernel: Kernel, output: &mut Output) {
    models::tell(models, output);
    output.line(format_args!("images   {}", found.description()));
    if !found.reasons.is_empty() {
        let reasons: Vec<String> = found.reasons.iter().map(|(key, value)| format!("{key} = {value}")).collect();
        output.line(format_args!("         as in its run: {}", reasons.join(", ")));
    }
    output.line(format_args!("kernel   {}\n", kernel.name()));
}

fn measure(models: &[FoundModel], images: &LabeledImages, workers: &Workers, kernel: Kernel) -> Evaluation {
    let model = &models[0].saved;
    let codebook = model.config.codebook(&images.classes);
    let objective = model.config.objective();
    if models.len() > 1 {
        let committee = Committee::new(models.iter().map(|model| &model.saved)).expect("models that were found alike");
        return committee.evaluate(&image_samples(images, &codebook), workers, kernel);
    }
    match &model.network {
        AnyMlp::F32(mlp) => evaluate(mlp, &image_samples(images, &codebook), objective, workers, kernel),
        AnyMlp::F64(mlp) => evaluate(mlp, &image_samples(images, &codebook), objective, workers, kernel),
    }
}

fn measure_disturbed(
    arguments: &Evaluate,
    test: &LabeledImages,
    clean: &EpochMetrics,
    measure: &dyn Fn(&LabeledImages) -> Evaluation,
) -> Result<Vec<RobustnessCurve>, Failure> {
    let n_points = arguments.disturb.iter().map(|disturbances| disturbances.strengths.len()).sum::<usize>();
    let progress = Progress::new(arguments.style.quiet);
    let bar = progress.steps("disturbed images", n_points as u64);
    let mut curves = Vec::new();
    for disturbances in &arguments.disturb {
        // Every curve begins with the clean images: robustness means nothing without them.
        let mut points = vec![(0.0, clean.clone())];
        for disturbance in &disturbances.strengths {
            let images = disturbance.apply(test.images.view(), DISTURBANCE_SEED)?;
            let disturbed = LabeledImages { images, labels: test.labels.clone(), classes: test.classes.clone() };
            points.push((disturbance.strength(), measure(&disturbed).metrics));
            bar.inc(1);
        }
        let (trial, disturbance) = (String::new(), disturbances.name.clone());
        curves.push(RobustnessCurve { trial, disturbance, points });
    }
    bar.finish_and_clear();
    Ok(curves)
}

/// Stores the curves beside the trial that the model belongs to, draws the report of its folder anew, and returns where
/// that is; `None`, with a notice, if the curves belong to no trial.
fn store(model: &Path, measured: &Measured<'_>, curves: &[RobustnessCurve]) -> Result<Option<PathBuf>, Failure> {
    if curves.is_empty() {
        return Ok(None);
    }
    let Some((folder, trial)) = folder_and_trial(model) else {
        notice("note: the model is not in a folder of results, so the curves are shown here and stored nowhere");
        return Ok(None);
    };
    let _lock = lock::acquire(folder.path(), "evaluate")?;
    let record = RunRecord::read(folder.record(&trial))?;
    if let Some(reason) = measured.difference(&record) {
        notice(format_args!("note: the curves are shown here and not stored beside trial {trial}: {reason}"));
        return Ok(None);
    }
    folder.add_robustness(&trial, curves)?;
    reporting::write(folder.path(), Some(measured.data)).map(Some)
}

impl Measured<'_> {
    /// Why what was measured does not belong to the trial of `record`, if it does not.
    fn difference(&self, record: &RunRecord) -> Option<String> {
        let weights = self.model.network.weights_sha256();
        let kernel = self.kernel.name();
        if record.data.sha256 != self.data.sha256() {
            return Some(format!("it was run on {}, and this is other data", record.data.name));
        }
        if record.data.test != self.n_test {
            return Some(format!(
                "it was tested on {}, and these are {}; leave out --data for the trial's own",
                counted(record.data.test, "image"),
                self.n_test
            ));
        }
        if record.weights_sha256.as_ref() != Some(&weights) {
            return Some("its record tells of other weights than the model has".to_owned());
        }
        (record.kernel != kernel).then(|| {
            format!("it was computed by the kernel {0}, and this by {kernel}; add --kernel {0}", record.kernel)
        })
    }
}

/// The folder of results that the model lies in, and its trial, if that has a record there.
fn folder_and_trial(model: &Path) -> Option<(RunFolder, String)> {
    let (folder, trial) = RunFolder::of_model(&model.canonicalize().ok()?)?;
    folder.record(&trial).is_file().then_some((folder, trial))
}

/// A column for each metric that says something of its own where answers are read like this.
fn show_curves(curves: &[RobustnessCurve], decoding: Decoding, output: &mut Output) {
    type Column = (&'static str, fn(&EpochMetrics) -> Option<f64>);
    let right: Column = ("test right", |metrics| metrics.accuracy);
    let bits: Column = ("test bits", |metrics| metrics.bit_accuracy);
    let columns: &[Column] = match decoding {
        Decoding::Exact => &[
            right,
            ("nearest code", |metrics| metrics.nearest_accuracy),
            bits,
            ("invalid", |metrics| metrics.invalid_rate),
        ],
        Decoding::Nearest => &[right, ("exact code", |metrics| metrics.exact_accuracy), bits],
    };
    for curve in curves {
        let head: String = columns.iter().map(|(name, _)| format!("{name:>14}")).collect();
        output.line(format_args!("\n{:<18}{head}", curve.disturbance));
        for (strength, metrics) in &curve.points {
            let name = if *strength == 0.0 { "clean".to_owned() } else { strength.to_string() };
            let row: String = columns.iter().map(|(_, value)| format!("{:>14}", percent(value(metrics)))).collect();
            output.line(format_args!("{name:>17} {row}"));
        }
    }
}

/// Columns of a terminal that are left for the counts of all classes.
const ROOM_FOR_CLASSES: usize = 50;

fn show_confusion(confusion: &ConfusionMatrix, classes: &[String], decoding: Decoding, output: &mut Output) {
    // Wider tables than a terminal help nobody; the report has them all.
    if classes.len() > 12 {
        return;
    }
    // Ten classes fit a terminal of 80 columns as long as no count has more than four digits.
    let widest = confusion.counts.iter().flatten().max().map_or(1, |count| count.to_string().len());
    let longest = classes.iter().map(|class| class.chars().count()).max().unwrap_or(0);
    let room = (ROOM_FOR_CLASSES / classes.len().max(1)).max(5);
    let width = (widest + 1).max((longest + 1).min(room)).max(5);
    let head: String = classes.iter().map(|class| format!("{:>width$}", shorten(class, width - 1))).collect();
    let left = classes.iter().map(|class| class.chars().count()).max().unwrap_or(0).clamp(5, 12);
    output.line("\nrows: what the image shows; columns: the answer");
    let can_be_invalid = decoding == Decoding::Exact;
    output.line(format_args!("{:<left$} {head}{}    found", "shown", if can_be_invalid { " invalid" } else { "" }));
    for (class, counts) in confusion.counts.iter().enumerate() {
        let mut line = format!("{:>left$} ", shorten(&classes[class], left));
        let (invalid, answers) = counts.split_last().unwrap_or((&0, &[]));
        for count in answers {
            line.push_str(&if *count == 0 { format!("{:>width$}", "·") } else { format!("{count:>width$}") });
        }
        let recall = (counts.iter().sum::<u64>() > 0).then(|| confusion.recall(class));
        let recall = recall.map_or("·".to_owned(), |share| percent(Some(share)));
        if can_be_invalid {
            line.push_str(&format!("{invalid:>8}"));
        }
        output.line(format_args!("{line}{recall:>9}"));
    }
}

fn as_json(models: &[FoundModel], found: &MeasuredImages, clean: &Evaluation, curves: &[RobustnessCurve]) -> Value {
    let curves: Vec<Value> =
        curves.iter().map(|curve| json!({ "disturbance": curve.disturbance, "points": curve.points })).collect();
    let mut value = json!({
        "data": found.name,
        "part": found.part.name(),
        "images": found.n_images(),
        "images_in_all": found.n_all,
        (found.part.name()): clean.metrics,
        "confusion": clean.confusion.as_ref().map(|confusion| &confusion.counts),
        "robustness": curves,
    });
    match models::paths(models).as_slice() {
        [path] => value["model"] = json!(path),
        paths => value["models"] = json!(paths),
    }
    value
}

/// `gaussian-blur=0.5,1,2`.
fn disturbance(text: &str) -> Result<Disturbances, String> {
    let (name, strengths) = text.split_once('=').ok_or_else(|| {
        format!("expected NAME=STRENGTH, such as gaussian-blur=0.5,1,2; names are {}", Disturbance::NAMES.join(", "))
    })?;
    let mut parsed = Vec::new();
    for strength in strengths.split(',') {
        let strength: f64 = strength
            .trim()
            .parse()
            .map_err(|_| format!("expected numbers separated by commas after '=', found \"{strength}\""))?;
        let disturbance = Disturbance::parse(name, strength).map_err(|error| error.to_string())?;
        // Strength 0 is the clean image, which is always measured.
        if strength != 0.0 {
            parsed.push(disturbance);
        }
    }
    parsed.sort_by(|left, right| left.strength().total_cmp(&right.strength()));
    parsed.dedup();
    Ok(Disturbances { name: name.to_owned(), strengths: parsed })
}
