//! `predict`: what a net reads in a picture, bit by bit, and what was done to the picture before.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::Args;
use mlp_train::{Classification, Classifier, Codebook, load_model};
use mnist_io::{PreparedDigit, prepare_digit, read_image};
use ndarray::{Array2, Axis};
use serde_json::{Value, json};

use crate::failure::Failure;
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

/// Runs the command. Pictures that cannot be read do not keep the others from being read; the first failure is
/// returned.
pub(crate) fn run(arguments: &Predict, output: &mut Output) -> Result<(), Failure> {
    let mut classifier = load(&arguments.model)?;
    let mut first_failure = None;
    let mut rows = Vec::new();
    let mut stems = BTreeSet::new();
    for (index, path) in arguments.images.iter().enumerate() {
        match read_one(&mut classifier, path, arguments.show.as_deref(), &mut stems) {
            Ok((prepared, answer)) if arguments.json => rows.push(as_json(path, &prepared, &answer)),
            Ok((prepared, answer)) => {
                if index > 0 {
                    output.line("");
                }
                show(path, &prepared, &answer, classifier.codebook(), output);
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

fn load(path: &Path) -> Result<Classifier, Failure> {
    let mut model = load_model(path)?;
    if model.classes.is_empty() {
        model.classes = mnist_io::digit_classes().iter().map(char::to_string).collect();
    }
    let n_bits = model.config.encoding.n_bits_of_words(&model.classes)?;
    let (n_inputs, n_outputs) = (model.network.n_inputs(), model.network.n_outputs());
    if n_inputs != 28 * 28 || n_outputs != n_bits {
        return Err(Failure::data(format!(
            "{}: expected a model with 784 inputs and {n_bits} outputs, found {n_inputs} and {n_outputs}; \
             take one trained on pictures of 28 × 28",
            path.display(),
        )));
    }
    Ok(Classifier::new(&model)?)
}

fn read_one(
    classifier: &mut Classifier,
    path: &Path,
    steps: Option<&Path>,
    stems: &mut BTreeSet<String>,
) -> Result<(PreparedDigit, Classification), Failure> {
    let photo = read_image(path)?;
    let prepared = prepare_digit(&photo).map_err(|error| {
        let is_named = error.path().is_some();
        let failure = Failure::from(error);
        let named = |failure: Failure| Failure::new(failure.code, format!("{}: {}", path.display(), failure.message));
        if is_named { failure } else { named(failure) }
    })?;
    if let Some(folder) = steps {
        prepared.write_steps(folder, &free_stem(path, stems))?;
    }
    let pixels: Vec<u8> = prepared.image.iter().copied().collect();
    let answer = classifier.classify(&pixels).map_err(|error| Failure::data(format!("{}: {error}", path.display())))?;
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

fn show(path: &Path, prepared: &PreparedDigit, answer: &Classification, codebook: &Codebook, output: &mut Output) {
    let name = path.display();
    match &answer.class {
        Some(class) => output.line(format_args!("{name}: {class}")),
        None => output.line(format_args!(
            "{name}: no class has exactly these bits; the nearest code is that of {}",
            answer.nearest()
        )),
    }
    output.line("\n  bit   output   read   sure");
    for (index, bit) in answer.bits.iter().enumerate() {
        let name = bit_name(index, codebook);
        let (value, read, sure) = (bit.output, u8::from(bit.is_one), 100.0 * bit.confidence);
        output.line(format_args!("  {name:<5} {value:>6.3}   {read:>4}   {sure:>3.0} %"));
    }
    let least = answer.least_sure_bit();
    let sure = 100.0 * answer.bits[least].confidence;
    output.line(format_args!("  least sure of bit {}: {sure:.0} %", bit_name(least, codebook)));
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

fn as_json(path: &Path, prepared: &PreparedDigit, answer: &Classification) -> Value {
    let bits: Vec<Value> = answer
        .bits
        .iter()
        .map(|bit| json!({ "output": bit.output, "read": u8::from(bit.is_one), "sure": bit.confidence }))
        .collect();
    let steps: Vec<Value> =
        prepared.steps.iter().map(|step| json!({ "name": step.name, "explanation": step.explanation })).collect();
    json!({
        "picture": path.to_string_lossy(),
        "answer": answer.class,
        "nearest": answer.nearest(),
        "bits": bits,
        "preparation": steps,
    })
}
