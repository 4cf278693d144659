//! `predict`: what a net reads in pictures, bit by bit, and what was done to each picture before.

mod answers;
mod pictures;

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::models;
use crate::output::{Output, notice};
use answers::Row;
use pictures::{Picture, Reader};

const EXAMPLES: &str = "\
Examples:
  cargo xtask predict runs/mine/models/<TRIAL>.safetensors photo.png
  cargo xtask predict runs/mine photo.png             the best net of that run or sweep
  cargo xtask predict MODEL a.png b.jpg c.png --json
  cargo xtask predict MODEL pictures/ --quiet         every picture in a folder, as a table
  cargo xtask predict MODEL photo.jpg --show steps    the picture after each step of its preparation

Any PNG or JPEG of one character will do: dark on light or light on dark, of any size. A net that reads images of
another size than 28 × 28 is given a picture of exactly that size as it is, light on dark, and any other prepared and
scaled.";

/// Read the character in pictures with a saved model
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Predict {
    /// A model that `train` or `sweep` saved, or the folder of a run, of which the best is taken
    model: PathBuf,
    /// PNG or JPEG pictures of one character each, or folders of them
    #[arg(required = true, value_name = "IMAGE|FOLDER")]
    images: Vec<PathBuf>,
    /// Write the picture after each step of its preparation into this folder
    #[arg(long, value_name = "FOLDER")]
    show: Option<PathBuf>,
    /// Only the answers: no bits, no drawing, no steps
    #[arg(long, short)]
    quiet: bool,
    /// Print JSON for machines
    #[arg(long)]
    json: bool,
}

/// Runs the command. Pictures that cannot be read do not keep the others from being read; the first failure is
/// returned.
pub(crate) fn run(arguments: &Predict, output: &mut Output) -> Result<(), Failure> {
    let model = models::load(&arguments.model)?;
    let mut reader = Reader::new(&model, arguments.show.as_deref())?;
    if model.is_chosen() && !arguments.json {
        model.tell(output);
        output.line("");
    }
    let pictures = pictures::find(&arguments.images);
    let has_table = pictures.len() > 1 && !arguments.json;
    let mut first_failure = None;
    let (mut rows, mut values) = (Vec::new(), Vec::new());
    for (index, Picture { path, is_there }) in pictures.into_iter().enumerate() {
        let read = is_there.and_then(|()| reader.read(&path));
        let row = Row::new(&path, read.as_ref().ok().map(|(_, answer)| answer));
        match read {
            Ok((prepared, answer)) if arguments.json => values.push(answers::as_json(&path, &prepared, &answer)),
            Ok(_) if arguments.quiet && has_table => {}
            Ok(_) if arguments.quiet => output.line(answers::headline(&row)),
            Ok((prepared, answer)) => {
                if index > 0 {
                    output.line("");
                }
                answers::show(&row, &prepared, &answer, reader.codebook(), output);
            }
            Err(failure) => {
                if arguments.json {
                    values.push(json!({ "picture": path.to_string_lossy(), "error": failure.to_string() }));
                }
                match first_failure {
                    None => first_failure = Some(failure),
                    Some(_) => notice(format_args!("error: {failure}")),
                }
            }
        }
        rows.push(row);
    }
    if arguments.json {
        output.line(Value::Array(values));
    } else if has_table {
        if !arguments.quiet {
            output.line("");
        }
        answers::table(&rows, output);
    }
    first_failure.map_or(Ok(()), Err)
}
