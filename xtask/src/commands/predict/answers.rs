//! How answers are told: one picture in full, many in a table, or as JSON.

use std::path::Path;

use mlp_results::text::counted;
use mlp_train::{Classification, Codebook};
use mnist_io::PreparedDigit;
use ndarray::{Array2, Axis};
use serde_json::{Value, json};

use crate::output::Output;

/// A picture and its answer in a line.
pub(super) struct Row {
    /// The picture.
    name: String,
    /// Nothing where the picture could not be read.
    answer: Option<Answer>,
}

struct Answer {
    class: Option<char>,
    nearest: char,
    /// How sure the net is of the bit that it is least sure of, from 0.5 to 1.
    least_sure: f64,
}

impl Row {
    pub(super) fn new(path: &Path, answer: Option<&Classification>) -> Self {
        let answer = answer.map(|answer| Answer {
            class: answer.class,
            nearest: answer.nearest(),
            least_sure: answer.bits[answer.least_sure_bit()].confidence,
        });
        Row { name: path.display().to_string(), answer }
    }
}

/// `photo.png: 7`.
pub(super) fn headline(row: &Row) -> String {
    let name = &row.name;
    match &row.answer {
        Some(Answer { class: Some(class), .. }) => format!("{name}: {class}"),
        Some(Answer { nearest, .. }) => {
            format!("{name}: no class has exactly these bits; the nearest code is that of {nearest}")
        }
        None => format!("{name}: not read"),
    }
}

/// Longer names stand out of the table.
const MAX_NAME: usize = 48;

/// A line for each picture.
pub(super) fn table(rows: &[Row], output: &mut Output) {
    let longest = rows.iter().map(|row| row.name.chars().count()).max().unwrap_or(0);
    let width = longest.clamp("picture".len(), MAX_NAME);
    output.line(format_args!("{:<width$}  {:>8}  {:>7}  {:>10}", "picture", "answer", "nearest", "least sure"));
    for Row { name, answer } in rows {
        match answer {
            Some(Answer { class, nearest, least_sure }) => {
                let class = class.map_or("no code".to_owned(), String::from);
                let sure = format!("{:.0} %", 100.0 * least_sure);
                output.line(format_args!("{name:<width$}  {class:>8}  {nearest:>7}  {sure:>10}"));
            }
            None => output.line(format_args!("{name:<width$}  {:>8}", "not read")),
        }
    }
    let n_read = rows.iter().filter(|row| row.answer.is_some()).count();
    if n_read < rows.len() {
        output.line(format_args!("{} read, {} not", counted(n_read, "picture"), rows.len() - n_read));
    }
}

/// Everything about one picture.
pub(super) fn show(
    row: &Row,
    prepared: &PreparedDigit,
    answer: &Classification,
    codebook: &Codebook,
    output: &mut Output,
) {
    output.line(headline(row));
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

/// Wider images are drawn with several pixels to a character.
const MAX_DRAWN: usize = 72;

/// Grey levels as characters, two rows of pixels a line, because characters are twice as high as wide.
fn drawn(image: &Array2<u8>) -> String {
    const RAMP: &[u8] = b" .:-=+*#%@";
    let n_columns = image.ncols().div_ceil(MAX_DRAWN).max(1);
    let mut text = String::new();
    for rows in image.axis_chunks_iter(Axis(0), 2 * n_columns) {
        let mut line = String::from("  ");
        for part in rows.axis_chunks_iter(Axis(1), n_columns) {
            let level = part.iter().map(|level| usize::from(*level)).sum::<usize>() / part.len();
            line.push(char::from(RAMP[(level * RAMP.len() / 256).min(RAMP.len() - 1)]));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

pub(super) fn as_json(path: &Path, prepared: &PreparedDigit, answer: &Classification) -> Value {
    let bits: Vec<Value> = answer
        .bits
        .iter()
        .map(|bit| json!({ "output": bit.output, "read": u8::from(bit.is_one), "sure": bit.confidence }))
        .collect();
    let steps: Vec<Value> =
        prepared.steps.iter().map(|step| json!({ "name": step.name, "explanation": step.explanation })).collect();
    json!({
        "picture": path.to_string_lossy(),
        "answer": answer.class.map(String::from),
        "nearest": answer.nearest().to_string(),
        "bits": bits,
        "preparation": steps,
    })
}
