//! `predict`: what a net reads in pictures, bit by bit, and what was done to each picture before.

mod answers;
mod pictures;

use std::path::PathBuf;

use clap::Args;
use mnist_io::Layout;
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::models::{self, FoundModel};
use crate::output::{Output, notice};
use answers::Row;
use pictures::{Picture, Reader};

const EXAMPLES: &str = "\
Examples:
  cargo xtask predict runs/mine/models/<TRIAL>.safetensors photo.png
  cargo xtask predict photo.png
      with the newest net in runs/
  cargo xtask predict runs/mine photo.png
      the best net of that run or sweep
  cargo xtask predict runs/a runs/b MODEL photo.png
      several nets, whose outputs are averaged
  cargo xtask predict MODEL a.png b.jpg c.png --json
  cargo xtask predict MODEL pictures/ --quiet
      every picture in a folder, as a table
  cargo xtask predict MODEL photo.jpg --show steps
      the picture after each step of its preparation

Any PNG, JPEG, WebP, BMP or GIF picture will do, of any size: ink dark on light or light on dark, a pen, a marker or
chalk, on paper with lines or squares, in a frame, in a shadow. Characters that stand beside each other are read as a
row; --single takes all ink for one. A picture of 28 × 28 pixels, light on
black, is taken as it is, and turned round first where it is dark on white. A net that
learned from other pictures than handwriting, or from pictures taken as they are, is given every picture as it is; one
that reads images of another size than 28 × 28 is given a picture of exactly that size as it is, light on dark, and any
other prepared and scaled. docs/pictures.md says what is done to a picture, and how many are read.";

/// Read the character in pictures with a saved model
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Predict {
    /// A model that `train` or `sweep` saved, or the folder of a run, of which the best is taken; without one, the newest.
    /// Several models answer together. Behind the first, what ends in .safetensors or holds trials/ is one
    #[arg(required = true, value_name = "[MODEL] IMAGE|FOLDER")]
    named: Vec<PathBuf>,
    /// Write the picture after each step of its preparation into this folder
    #[arg(long, value_name = "FOLDER")]
    show: Option<PathBuf>,
    /// All ink of a picture is one character, whatever stands apart
    #[arg(long)]
    single: bool,
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
    let (models, images) = models_and_images(&arguments.named)?;
    let layout = if arguments.single { Layout::Single } else { Layout::Row };
    let mut reader = Reader::new(&models, layout, arguments.show.as_deref())?;
    let is_chosen = models.len() > 1 || models.iter().any(FoundModel::is_chosen);
    if is_chosen && !arguments.json {
        models::tell(&models, output);
        output.line("");
    }
    let pictures = pictures::find(&images);
    let has_table = pictures.len() > 1 && !arguments.json;
    let mut first_failure = None;
    let (mut rows, mut values) = (Vec::new(), Vec::new());
    for (index, Picture { path, is_there }) in pictures.into_iter().enumerate() {
        let read = is_there.and_then(|()| reader.read(&path));
        let row = Row::new(&path, read.as_ref().ok());
        match read {
            Ok(reading) if arguments.json => values.push(answers::as_json(&path, &reading, &models)),
            Ok(_) if arguments.quiet && has_table => {}
            Ok(_) if arguments.quiet => output.line(answers::headline(&row)),
            Ok(reading) => {
                if index > 0 {
                    output.line("");
                }
                answers::show(&row, &reading, reader.codebook(), output);
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

/// The models among what was named, or the newest where only pictures were named; and the pictures. What comes first is a model
/// unless it is seen to be a picture; behind it, it is the other way round.
fn models_and_images(named: &[PathBuf]) -> Result<(Vec<FoundModel>, Vec<PathBuf>), Failure> {
    let (mut model_paths, mut images) = (Vec::new(), Vec::new());
    for (index, path) in named.iter().enumerate() {
        let is_model = !pictures::seems_to_be(path) && (index == 0 || models::seems_to_be(path));
        if is_model { model_paths.push(path) } else { images.push(path.clone()) }
    }
    if images.is_empty() {
        let what = "expected <IMAGE|FOLDER> behind the model, found nothing; name a picture, or a folder of pictures";
        return Err(Failure::configuration(what));
    }
    let models = if model_paths.is_empty() { vec![models::newest()?] } else { models::load_all(model_paths)? };
    Ok((models, images))
}
