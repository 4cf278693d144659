//! `import`: the net in an ONNX file as a model file.

use std::path::PathBuf;

use clap::Args;
use mlp_onnx::ImportOptions;
use mlp_train::{AnyMlp, TargetEncoding};

use crate::commands::export::require_new;
use crate::failure::Failure;
use crate::output::{Output, notice};
use crate::summary::quoted;
use crate::table::wrapped;

const EXAMPLES: &str = "\
Examples:
  cargo xtask import net.onnx net.safetensors
  cargo xtask import net.onnx net.safetensors --classes 0123456789
  cargo xtask import net.onnx net.safetensors --classes AB --encoding ascii
  cargo xtask import net.onnx net.safetensors --classes setosa,virginica

Read are nets of Gemm, or MatMul with or without Add, and behind them Sigmoid,
Tanh, Relu or, in the last layer, Softmax; before the first Flatten, Reshape,
Cast and a division by 255: as PyTorch and scikit-learn's converter write them.
Anything else is refused by the name of its node. No other file is opened,
whatever the file names. What `export` wrote comes back as it was, with its
configuration. docs/onnx.md has the details.";

/// Make a model of the net in an ONNX file
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Import {
    /// An ONNX file
    onnx: PathBuf,
    /// The model file to write
    #[arg(value_name = "MODEL")]
    model: PathBuf,
    /// What the outputs stand for: one character each, or words between commas; without it what the file says, or else
    /// the numbers 0, 1, 2, …
    #[arg(long, value_name = "CLASSES", value_parser = classes)]
    classes: Option<Classes>,
    /// How a class is written as outputs: one-hot, ascii, binary or random (16 bits); without it what the file says, or else one-hot
    #[arg(long, value_name = "NAME", value_parser = encoding)]
    encoding: Option<TargetEncoding>,
    /// Replace the model file if it is there
    #[arg(long)]
    replace: bool,
}

/// The classes that were named.
#[derive(Clone, Debug)]
struct Classes(Vec<String>);

/// Runs the command.
pub(crate) fn run(arguments: &Import, output: &mut Output) -> Result<(), Failure> {
    require_new(&arguments.model, "", arguments.replace)?;
    let options = ImportOptions::new();
    let options = arguments.classes.iter().fold(options, |options, classes| options.classes(&classes.0));
    let options = arguments.encoding.iter().fold(options, |options, &encoding| options.encoding(encoding));
    let imported = mlp_onnx::import(&arguments.onnx, &options)?;
    let model = imported.model;
    model.save(&arguments.model)?;
    imported.notes.iter().for_each(|note| notice(format_args!("note: {note}")));
    let sizes = model.config.sizes(model.network.n_inputs(), model.network.n_outputs());
    let sizes: Vec<String> = sizes.iter().map(usize::to_string).collect();
    let precision = match model.network {
        AnyMlp::F32(_) => "f32",
        AnyMlp::F64(_) => "f64",
    };
    let activations: Vec<&str> = model.config.activations().iter().map(|activation| activation.name()).collect();
    output.line(format_args!("net      {} in {precision}", sizes.join("-")));
    output.line(wrapped("units", &activations.join(", "), 9));
    if !model.classes.is_empty() {
        let classes = format!("{} as {}", mnist_io::classes_in_a_line(&model.classes), model.config.encoding);
        output.line(wrapped("classes", &classes, 9));
    }
    let path = quoted(&arguments.model);
    output.line(format_args!("model    {path}"));
    output.line(format_args!("\nnext     cargo xtask evaluate {path} --data NAME"));
    output.line(format_args!("         cargo xtask predict {path} photo.png"));
    Ok(())
}

fn classes(text: &str) -> Result<Classes, String> {
    let names: Vec<String> = if text.contains(',') {
        text.split(',').map(|name| name.trim().to_owned()).collect()
    } else {
        text.chars().map(String::from).collect()
    };
    let mut sorted = names.clone();
    sorted.sort_unstable();
    sorted.dedup();
    if names.len() < 2 || sorted.len() < names.len() || names.iter().any(String::is_empty) {
        return Err("expected at least two classes that differ, such as 0123456789 or cat,dog".to_owned());
    }
    Ok(Classes(names))
}

fn encoding(name: &str) -> Result<TargetEncoding, String> {
    TargetEncoding::from_name(name).ok_or_else(|| "expected one-hot, ascii, binary or random".to_owned())
}
