//! `predict`: what a net reads in a picture, bit by bit, and what was done to the picture before.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::Args;
use mlp_core::{Mlp, Real};
use mlp_train::{AnyMlp, Codebook, SavedModel, TrainConfig, load_model};
use mnist_io::{PreparationStep, PreparedDigit, prepare_digit, read_image};
use ndarray::{Array2, Axis};
use serde_json::{Value, json};

use crate::failure::{Code, Failure};
use crate::output::Output;

const EXAMPLES: &str = "\
Examples:
  cargo xtask predict runs/mine/models/<TRIAL>.safetensors photo.png
  cargo xtask predict MODEL a.png b.jpg c.png --json
  cargo xtask predict MODEL photo.jpg --show steps    the picture after each step of its preparation

Any PNG or JPEG of one character will do: dark on light or light on dark, of any size.";

/// Read the character in pictures with a saved model
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Predict {
    /// A model that `train` or `sweep` saved
    model: PathBuf,
    /// PNG or JPEG pictures of one character each
    #[arg(required = true, value_name = "IMAGE")]
    images: Vec<PathBuf>,
    /// Write the picture after each step of its preparation into this folder
    #[arg(long, value_name = "FOLDER")]
    show: Option<PathBuf>,
    /// Print JSON for machines
    #[arg(long)]
    json: bool,
}

/// A model with all that is needed to read a picture.
struct Reader {
    model: SavedModel,
    codebook: Codebook,
}

/// What the net says about one picture.
struct Answer {
    /// The class whose code the bits are, if there is one.
    exact: Option<char>,
    /// The class with the nearest code.
    nearest: char,
    outputs: Vec<f64>,
}

/// Runs the command. Pictures that cannot be read do not keep the others from being read; the first failure is
/// returned.
pub(crate) fn run(arguments: &Predict, output: &mut Output) -> Result<(), Failure> {
    let reader = Reader::load(&arguments.model)?;
    let mut first_failure = None;
    let mut rows = Vec::new();
    let mut stems = BTreeSet::new();
    for (index, path) in arguments.images.iter().enumerate() {
        match read_one(&reader, path, arguments.show.as_deref(), &mut stems) {
            Ok((prepared, answer)) if arguments.json => rows.push(as_json(path, &prepared, &answer)),
            Ok((prepared, answer)) => {
                if index > 0 {
                    output.line("");
                }
                show(path, &prepared, &answer, &reader.codebook, output);
            }
            Err(failure) => {
                if arguments.json {
                    rows.push(json!({ "picture": path.to_string_lossy(), "error": failure.to_string() }));
                }
                match first_failure {
                    None => first_failure = Some(failure),
                    Some(_) => crate::output::notice(format_args!("error: {failure}")),
                }
            }
        }
    }
    if arguments.json {
        output.line(Value::Array(rows));
    }
    first_failure.map_or(Ok(()), Err)
}

impl Reader {
    fn load(path: &Path) -> Result<Self, Failure> {
        let model = load_model(path)?;
        let unfit = |reason: String| Failure::data(format!("{}: {reason}", path.display()));
        let config = TrainConfig::from_map(&model.config).map_err(|error| unfit(error.to_string()))?;
        let classes: Vec<char> = match model.config.get("classes").and_then(Value::as_str) {
            Some(classes) => classes.chars().collect(),
            None => mnist_io::digit_classes(),
        };
        let codebook = config.encoding.codebook(&classes);
        if model.mlp.n_inputs() != 28 * 28 || model.mlp.n_outputs() != codebook.n_bits() {
            return Err(unfit(format!(
                "expected a model with 784 inputs and {} outputs, found {} and {}; take one trained on pictures of 28 × 28",
                codebook.n_bits(),
                model.mlp.n_inputs(),
                model.mlp.n_outputs()
            )));
        }
        Ok(Reader { model, codebook })
    }

    fn read(&self, image: &Array2<u8>) -> Answer {
        match &self.model.mlp {
            AnyMlp::F32(mlp) => answer(mlp, &self.codebook, image),
            AnyMlp::F64(mlp) => answer(mlp, &self.codebook, image),
        }
    }
}

fn answer<F: Real>(mlp: &Mlp<F>, codebook: &Codebook, image: &Array2<u8>) -> Answer {
    let pixels = image.iter().map(|level| F::narrow(f64::from(*level)) / F::narrow(255.0));
    let inputs = ndarray::Array1::from_iter(pixels).insert_axis(Axis(0));
    let outputs = mlp.forward(inputs.view()).row(0).to_vec();
    Answer {
        exact: codebook.decode_threshold(&outputs).map(|class| codebook.classes[class]),
        nearest: codebook.classes[codebook.decode_nearest(&outputs)],
        outputs: outputs.iter().map(|output| output.widen()).collect(),
    }
}

fn read_one(
    reader: &Reader,
    path: &Path,
    steps: Option<&Path>,
    stems: &mut BTreeSet<String>,
) -> Result<(PreparedDigit, Answer), Failure> {
    let photo = read_image(path)?;
    let prepared = prepare_digit(&photo).map_err(|error| {
        let is_named = error.path().is_some();
        let failure = Failure::from(error);
        let named = |failure: Failure| Failure::new(failure.code, format!("{}: {}", path.display(), failure.message));
        if is_named { failure } else { named(failure) }
    })?;
    if let Some(folder) = steps {
        write_steps(folder, &free_stem(path, stems), &prepared.steps)?;
    }
    let answer = reader.read(&prepared.image);
    if let Some(bit) = answer.outputs.iter().position(|output| !output.is_finite()) {
        return Err(Failure::data(format!(
            "{}: expected finite outputs, found {} at bit {}: the weights of the model are too large for its numbers; \
             take a model of a run that did not diverge",
            path.display(),
            answer.outputs[bit],
            bit + 1
        )));
    }
    Ok((prepared, answer))
}

/// The name of the picture without folder and ending, with a number behind it where an earlier picture has that name.
fn free_stem(path: &Path, stems: &mut BTreeSet<String>) -> String {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let mut free = stem.clone();
    let mut number = 1;
    while !stems.insert(free.clone()) {
        number += 1;
        free = format!("{stem}-{number}");
    }
    free
}

/// Writes each step as `<stem>-<number>-<step>.png`, small ones enlarged so that one can see something.
fn write_steps(folder: &Path, stem: &str, steps: &[PreparationStep]) -> Result<(), Failure> {
    std::fs::create_dir_all(folder).map_err(|error| Failure::io("create the folder", folder, &error))?;
    for (index, step) in steps.iter().enumerate() {
        let name: String =
            step.name.chars().map(|character| if character.is_alphanumeric() { character } else { '-' }).collect();
        let target = folder.join(format!("{stem}-{}-{name}.png", index + 1));
        let (height, width) = step.image.dim();
        let factor = (224 / height.max(width).max(1)).max(1);
        let enlarged = image::GrayImage::from_fn((width * factor) as u32, (height * factor) as u32, |x, y| {
            image::Luma([step.image[[y as usize / factor, x as usize / factor]]])
        });
        enlarged
            .save(&target)
            .map_err(|error| Failure::new(Code::InputOutput, format!("cannot write {}: {error}", target.display())))?;
    }
    Ok(())
}

fn show(path: &Path, prepared: &PreparedDigit, answer: &Answer, codebook: &Codebook, output: &mut Output) {
    let name = path.display();
    match answer.exact {
        Some(class) => output.line(format_args!("{name}: {class}")),
        None => output.line(format_args!(
            "{name}: no class has exactly these bits; the nearest code is that of {}",
            answer.nearest
        )),
    }
    output.line("\n  bit   output   read   sure");
    for (bit, value) in answer.outputs.iter().enumerate() {
        let name = bit_name(bit, codebook);
        output.line(format_args!(
            "  {name:<5} {value:>6.3}   {:>4}   {:>3.0} %",
            read(*value),
            100.0 * sureness(*value)
        ));
    }
    if let Some((bit, value)) = least_sure(&answer.outputs) {
        output.line(format_args!("  least sure of bit {}: {:.0} %", bit_name(bit, codebook), 100.0 * sureness(value)));
    }
    output.line("\nwhat the net saw:\n");
    output.text(&drawn(&prepared.image));
    output.line("\nwhat was done to the picture:");
    for (index, step) in prepared.steps.iter().enumerate() {
        output.line(format_args!("  {}. {}: {}", index + 1, step.name, step.explanation));
    }
}

/// Bits are counted from 1, the most significant first; where each output stands for a class, they bear its name.
fn bit_name(bit: usize, codebook: &Codebook) -> String {
    let is_one_hot = codebook.codes.rows().into_iter().all(|code| code.sum() == 1);
    match codebook.classes.get(bit) {
        Some(class) if is_one_hot && codebook.n_bits() == codebook.classes.len() => format!("'{class}'"),
        _ => (bit + 1).to_string(),
    }
}

fn read(output: f64) -> u8 {
    u8::from(output >= 0.5)
}

/// How far on its side of one half an output is, from 0.5 to 1.
fn sureness(output: f64) -> f64 {
    output.max(1.0 - output).min(1.0)
}

fn least_sure(outputs: &[f64]) -> Option<(usize, f64)> {
    let bits = outputs.iter().copied().enumerate();
    bits.min_by(|left, right| sureness(left.1).total_cmp(&sureness(right.1)))
}

/// Grey levels as characters, two rows of pixels a line, because characters are twice as high as wide.
fn drawn(image: &Array2<u8>) -> String {
    const RAMP: &[u8] = b" .:-=+*#%@";
    let mut text = String::new();
    for pair in image.axis_chunks_iter(Axis(0), 2) {
        let mut line = String::from("  ");
        for column in pair.columns() {
            let level = column.iter().map(|level| usize::from(*level)).sum::<usize>() / column.len();
            line.push(char::from(RAMP[(level * RAMP.len() / 256).min(RAMP.len() - 1)]));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn as_json(path: &Path, prepared: &PreparedDigit, answer: &Answer) -> Value {
    let bits: Vec<Value> = answer
        .outputs
        .iter()
        .map(|output| json!({ "output": output, "read": read(*output), "sure": sureness(*output) }))
        .collect();
    let steps: Vec<Value> =
        prepared.steps.iter().map(|step| json!({ "name": step.name, "explanation": step.explanation })).collect();
    json!({
        "picture": path.to_string_lossy(),
        "answer": answer.exact.map(String::from),
        "nearest": answer.nearest.to_string(),
        "bits": bits,
        "preparation": steps,
    })
}
