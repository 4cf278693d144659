//! How answers are told: one picture in full, many in a table, or as JSON.

use std::path::Path;

use mlp_results::text::counted;
use mlp_train::{Classification, Codebook, Decoding};
use ndarray::{Array2, Axis, concatenate};
use serde_json::{Value, json};

use super::pictures::{Character, Reading};
use crate::models::{self, FoundModel};
use crate::output::Output;

/// A picture and its answer in a line.
pub(super) struct Row {
    /// The picture.
    name: String,
    /// One for each character; nothing where the picture could not be read.
    answers: Vec<Answer>,
    /// How sure the preparation is that it found the writing.
    found: f64,
}

struct Answer {
    class: Option<String>,
    nearest: String,
    /// How sure the net is, from 0 to 1.
    confidence: f64,
}

impl Row {
    pub(super) fn new(path: &Path, reading: Option<&Reading>) -> Self {
        let answers = reading.iter().flat_map(|reading| &reading.characters).map(|Character { answer, .. }| Answer {
            class: answer.class.clone(),
            nearest: answer.nearest().to_owned(),
            confidence: answer.confidence,
        });
        let found = reading.map_or(0.0, |reading| reading.found);
        Row { name: path.display().to_string(), answers: answers.collect(), found }
    }

    /// What is said of the picture in one word: `7`, or `1 9 8 4`, a `?` where the bits are those of no class.
    fn text(&self) -> String {
        let answers: Vec<String> =
            self.answers.iter().map(|answer| answer.class.as_deref().unwrap_or("?").to_owned()).collect();
        answers.join(" ")
    }
}

/// `photo.png: 7`.
pub(super) fn headline(row: &Row) -> String {
    let name = &row.name;
    match &row.answers[..] {
        [] => format!("{name}: not read"),
        [Answer { class: None, nearest, .. }] => {
            format!("{name}: no class has exactly these bits; the nearest code is that of {nearest}")
        }
        _ => format!("{name}: {}", row.text()),
    }
}

/// How many classes are listed.
const N_CANDIDATES: usize = 5;

/// Longer names stand out of the table.
const MAX_NAME: usize = 48;

/// A line for each picture.
pub(super) fn table(rows: &[Row], output: &mut Output) {
    let longest = rows.iter().map(|row| row.name.chars().count()).max().unwrap_or(0);
    let width = longest.clamp("picture".len(), MAX_NAME);
    output.line(format_args!("{:<width$}  {:>8}  {:>7}  {:>10}", "picture", "answer", "nearest", "in all"));
    for row in rows {
        let name = &row.name;
        let least = sure_in_all(row.answers.iter(), row.found);
        let sure = format!("{:.0} %", 100.0 * least);
        match &row.answers[..] {
            [] => output.line(format_args!("{name:<width$}  {:>8}", "not read")),
            [Answer { class, nearest, .. }] => {
                let class = class.as_deref().unwrap_or("no code");
                output.line(format_args!("{name:<width$}  {class:>8}  {nearest:>7}  {sure:>10}"));
            }
            answers => {
                let nearest: Vec<String> = answers.iter().map(|answer| answer.nearest.to_string()).collect();
                output.line(format_args!("{name:<width$}  {:>8}  {:>7}  {sure:>10}", row.text(), nearest.join(" ")));
            }
        }
    }
    let n_read = rows.iter().filter(|row| !row.answers.is_empty()).count();
    if n_read < rows.len() {
        output.line(format_args!("{} read, {} not", counted(n_read, "picture"), rows.len() - n_read));
    }
}

/// Of the least sure character, and of the place of the writing: the chance that both are right, if one says nothing of the
/// other.
fn sure_in_all<'a>(answers: impl Iterator<Item = &'a Answer>, found: f64) -> f64 {
    answers.map(|answer| answer.confidence).fold(1.0, f64::min) * found
}

/// Everything about one picture.
pub(super) fn show(row: &Row, reading: &Reading, codebook: &Codebook, output: &mut Output) {
    output.line(headline(row));
    match &reading.characters[..] {
        [one] => show_bits(&one.answer, codebook, output),
        row => show_row(row, output),
    }
    show_doubts(reading, output);
    output.line("\nwhat the net saw:\n");
    let images: Vec<_> = reading.characters.iter().map(|character| character.image.view()).collect();
    if let Ok(side_by_side) = concatenate(Axis(1), &images) {
        output.text(&drawn(&side_by_side));
    }
    output.line("\nwhat was done to the picture:");
    for (index, step) in reading.steps.iter().enumerate() {
        output.line(format_args!("  {}. {}: {}", index + 1, step.name, step.explanation));
    }
}

fn show_bits(answer: &Classification, codebook: &Codebook, output: &mut Output) {
    if codebook.decoding == Decoding::Nearest && codebook.has_one_output_a_class() {
        return show_outputs(answer, codebook, output);
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
}

/// The classes with the largest outputs, where each output stands for a class.
fn show_outputs(answer: &Classification, codebook: &Codebook, output: &mut Output) {
    output.line("\n  class   output");
    for candidate in answer.ranking.iter().take(N_CANDIDATES) {
        let bit = codebook.classes.iter().position(|class| *class == candidate.class);
        let value = bit.map_or(f64::NAN, |bit| answer.bits[bit].output);
        output.line(format_args!("  {:<5}   {value:>6.3}", candidate.class));
    }
    output.line(format_args!("  sure: {:.0} %", 100.0 * answer.confidence));
}

/// A line for each character of a row, with its box.
fn show_row(characters: &[Character], output: &mut Output) {
    output.line("\n  answer   nearest         sure   box: left, top, width × height");
    for Character { columns, rows, answer, .. } in characters {
        let class = answer.class.as_deref().unwrap_or("no code");
        let sure = format!("{:.0} %", 100.0 * answer.confidence);
        let size = (columns.end - columns.start, rows.end - rows.start);
        output.line(format_args!(
            "  {class:<7}  {:<7}  {sure:>11}   {}, {}, {} × {}",
            answer.nearest(),
            columns.start,
            rows.start,
            size.0,
            size.1
        ));
    }
}

/// Below this, it is said that something else may be the writing.
const DOUBTFUL: f64 = 0.8;

/// A character so much wider than it is high may be two.
const WIDE: f64 = 1.4;

fn show_doubts(reading: &Reading, output: &mut Output) {
    output.line(format_args!("  sure that this is the writing: {:.0} %", 100.0 * reading.found));
    // Of several, that all are right is less likely than that the least sure one is.
    let of = if reading.characters.len() > 1 { "sure of the least sure one" } else { "sure in all" };
    if reading.characters.iter().any(|character| character.answer.class.is_none()) {
        output.line("  sure in all: of no answer, as bits that are the code of no class are none");
    } else {
        output.line(format_args!("  {of}: {:.0} %", 100.0 * least_sure(reading) * reading.found));
    }
    if reading.found < DOUBTFUL {
        output.line("  doubtful: see the steps below, and the pictures of them that --show writes");
    }
    let is_wide = |one: &Character| {
        let (width, height) = (one.columns.end - one.columns.start, one.rows.end - one.rows.start);
        f64::from(width) > WIDE * f64::from(height)
    };
    if reading.found < 1.0 && reading.characters.iter().any(is_wide) {
        output.line("  a character is much wider than high: two that touch are read as one");
    }
}

/// Bits are counted from 1, the most significant first; where each output stands for a class, they bear its name.
fn bit_name(bit: usize, codebook: &Codebook) -> String {
    match codebook.classes.get(bit) {
        Some(class) if codebook.has_one_output_a_class() => format!("'{class}'"),
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

/// With the models where several answered.
pub(super) fn as_json(path: &Path, reading: &Reading, models: &[FoundModel]) -> Value {
    let steps: Vec<Value> =
        reading.steps.iter().map(|step| json!({ "name": step.name, "explanation": step.explanation })).collect();
    let characters: Vec<Value> = reading.characters.iter().map(character_as_json).collect();
    let all = |text: fn(&Classification) -> Option<String>| -> Option<String> {
        reading.characters.iter().map(|character| text(&character.answer)).collect()
    };
    let mut value = json!({
        "picture": path.to_string_lossy(),
        "answer": all(|answer| answer.class.clone()),
        "nearest": all(|answer| Some(answer.nearest().to_string())),
        "sure": least_sure(reading),
        "sure_of_writing": reading.found,
        "sure_in_all": least_sure(reading) * reading.found,
        "preparation": steps,
    });
    if models.len() > 1 {
        value["models"] = json!(models::paths(models));
    }
    match &characters[..] {
        [one] => value["bits"] = one["bits"].clone(),
        _ => value["characters"] = Value::Array(characters),
    }
    value
}

fn least_sure(reading: &Reading) -> f64 {
    reading.characters.iter().map(|character| character.answer.confidence).fold(1.0, f64::min)
}

fn character_as_json(character: &Character) -> Value {
    let Character { columns, rows, answer, .. } = character;
    let bits: Vec<Value> = answer
        .bits
        .iter()
        .map(|bit| json!({ "output": bit.output, "read": u8::from(bit.is_one), "sure": bit.confidence }))
        .collect();
    json!({
        "answer": answer.class,
        "sure": answer.confidence,
        "nearest": answer.nearest(),
        "box": [columns.start, rows.start, columns.end - columns.start, rows.end - rows.start],
        "bits": bits,
    })
}
