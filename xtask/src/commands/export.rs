//! `export`: a net as an ONNX file, for programs that know nothing of this one.

use std::path::{Path, PathBuf};

use clap::Args;
use mlp_onnx::{ExportOptions, InputKind};
use mlp_results::text::thousands;
use mlp_sweep::{AS_IT_IS, PICTURES_KEY};
use mlp_train::{AnyMlp, Decoding, SavedModel};
use serde_json::Value;

use crate::data;
use crate::failure::Failure;
use crate::models::{self, FoundModel};
use crate::output::Output;
use crate::summary::quoted;
use crate::table::wrapped;

const EXAMPLES: &str = "\
Examples:
  cargo xtask export runs/mine --onnx net.onnx
      the best net of that run
  cargo xtask export MODEL --onnx net.onnx --replace
  cargo xtask export --onnx net.onnx
      the newest net in runs/
  cargo xtask export runs/mine --onnx net.onnx --input pixels --classes
      takes images as they are stored, bytes from 0 to 255, and answers the
      index of the class as well

The file is in ONNX's IR version 7 with operator set 13, those of ONNX 1.8. Its
input is called `input`, its outputs `outputs` and `class`; a batch may have any
size. The precision stays that of the net: one that was trained with
precision=f64 takes and answers double. Its metadata hold classes, encoding,
decoding, the preparation of pictures, the trial and the whole configuration.
`cargo xtask import` reads it back. docs/onnx.md says how close other programs
come to this one's numbers.";

/// What MNIST's images are like: what `predict` makes of a photo.
const AS_MNIST: &str =
    "light writing on a dark ground, scaled into 20 x 20 pixels and centred by its mass in 28 x 28, as MNIST";

/// Write a net as an ONNX file, for onnxruntime and other programs
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Export {
    /// A model that `train` or `sweep` saved, or the folder of a run, of which the best is taken; without one, the newest
    #[arg(value_name = "MODEL|FOLDER")]
    model: Option<PathBuf>,
    /// The file to write
    #[arg(long, value_name = "FILE")]
    onnx: PathBuf,
    /// What the net is given: values, in its precision, of images from 0 to 1; or pixels, bytes from 0 to 255, which are
    /// divided by 255 within the graph
    #[arg(long, value_name = "KIND", default_value_t, value_parser = str::parse::<InputKind>)]
    input: InputKind,
    /// A second output: the index of the class, read as the net reads its answers; -1 for an answer that is no class
    #[arg(long)]
    classes: bool,
    /// Replace the file if it is there
    #[arg(long)]
    replace: bool,
}

/// Runs the command.
pub(crate) fn run(arguments: &Export, output: &mut Output) -> Result<(), Failure> {
    let model = arguments.model.as_deref().map_or_else(models::newest, models::load)?;
    require_new(&arguments.onnx, "--onnx ", arguments.replace)?;
    let options = ExportOptions::new().input(arguments.input).classes(arguments.classes);
    let options =
        preparation(&model.saved).into_iter().fold(options, |options, text| options.metadata("preparation", text));
    let trial = model.record().map(|record| record.trial);
    let options = trial.into_iter().fold(options, |options, trial| options.metadata("trial", trial));
    mlp_onnx::export(&model.saved, &options, &arguments.onnx)?;
    tell(arguments, &model, output);
    Ok(())
}

/// A file that is there is replaced where that is asked for, and only then.
pub(super) fn require_new(path: &Path, option: &str, may_replace: bool) -> Result<(), Failure> {
    if may_replace || !path.exists() {
        return Ok(());
    }
    Err(Failure::configuration(format!(
        "{option}{}: expected a name that is free, found a file; name another, or add --replace",
        path.display()
    )))
}

/// How pictures are prepared for the net, if it reads pictures.
fn preparation(model: &SavedModel) -> Option<&'static str> {
    let text = |key: &str| model.other.get(key).and_then(Value::as_str);
    let is_as_it_is = text(PICTURES_KEY) == Some(AS_IT_IS) || text("data").is_some_and(data::is_as_it_is);
    let reads_digits = model.network.n_inputs() == 28 * 28;
    if is_as_it_is { Some("pictures as they are, light on dark") } else { reads_digits.then_some(AS_MNIST) }
}

fn tell(arguments: &Export, model: &FoundModel, output: &mut Output) {
    let saved = &model.saved;
    let (n_inputs, n_outputs) = (saved.network.n_inputs(), saved.network.n_outputs());
    let sizes: Vec<String> = saved.config.sizes(n_inputs, n_outputs).iter().map(usize::to_string).collect();
    let (element, dtype) = match saved.network {
        AnyMlp::F32(_) => ("float", "np.float32"),
        AnyMlp::F64(_) => ("double", "np.float64"),
    };
    model.tell(output);
    output.line(format_args!("file     {}, {}", quoted(&arguments.onnx), sizes.join("-")));
    let n_bytes = std::fs::metadata(&arguments.onnx).map_or(0, |file| file.len());
    output.line(format_args!("         {} bytes", thousands(n_bytes)));
    let (given, dtype) = match arguments.input {
        InputKind::Values => (format!("{element} (batch, {n_inputs}); of images from 0 to 1"), dtype),
        InputKind::Pixels => (format!("uint8 (batch, {n_inputs}), pixels from 0 to 255"), "np.uint8"),
    };
    output.line(wrapped("input", &given, 9));
    output.line(wrapped("outputs", &format!("{element} (batch, {n_outputs}), {}", saved.config.output_activation), 9));
    if arguments.classes {
        let invalid = match saved.config.answers_by() {
            Decoding::Exact => "; -1 where the outputs are no class's code",
            Decoding::Nearest => "",
        };
        output.line(wrapped(
            "class",
            &format!("int64 (batch), 0 to {}{invalid}", saved.classes.len().saturating_sub(1)),
            9,
        ));
    }
    output.line("\nnext     in Python, with onnxruntime and numpy:\n");
    output.line("  import numpy as np, onnxruntime as ort");
    output.line(format_args!("  net = ort.InferenceSession({:?})", crate::places::shown(&arguments.onnx)));
    output.line(format_args!("  print(net.run(None, {{\"input\": np.zeros((1, {n_inputs}), {dtype})}}))"));
}
