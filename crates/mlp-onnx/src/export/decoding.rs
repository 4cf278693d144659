//! The index of the class, from the outputs, in standard operators.
//!
//! With one output a class it is the index of the largest output. With codes it is, exactly, that of the code that the
//! outputs spell, or −1; by the nearest code, that with the least Euclidean distance, in double precision as
//! [`Codebook::decode_nearest`](mlp_train::Codebook::decode_nearest) computes it. Of several the first is taken.

use mlp_core::Mlp;
use mlp_train::{Codebook, Decoding, SavedModel};
use serde_json::json;

use super::graph::{Attribute, Graph, column};
use super::{CLASS, OUTPUTS};
use crate::element::Element;
use crate::error::{Error, Result};
use crate::schema::element;
use crate::wire::Message;

/// Over the classes of a row, without keeping the axis.
const OVER_CLASSES: [(&str, Attribute<'static>); 2] = [("axis", Attribute::Int(1)), ("keepdims", Attribute::Int(0))];

/// Adds what computes the class, and returns its description as an output.
pub(super) fn add<F: Element>(model: &SavedModel, mlp: &Mlp<F>, graph: &mut Graph) -> Result<Message> {
    let codebook = codebook(model, mlp.n_outputs())?;
    match codebook.decoding {
        Decoding::Nearest if is_largest(&codebook) => graph.node("ArgMax", &[OUTPUTS], CLASS, &OVER_CLASSES),
        Decoding::Nearest => nearest(&codebook, graph),
        Decoding::Exact => exact::<F>(&codebook, graph),
    }
    let description = match codebook.decoding {
        Decoding::Nearest => "The index of the class with the nearest code, one for each sample",
        Decoding::Exact => {
            "The index of the class that the outputs spell, one for each sample; -1 where they spell none"
        }
    };
    Ok(column(CLASS, element::INT64, description))
}

/// The code of each class as a text of zeros and ones.
pub(super) fn codes_in_text(model: &SavedModel) -> String {
    let codebook = model.config.codebook(&model.classes);
    let codes = codebook.codes.rows().into_iter();
    let texts: Vec<String> = codes.map(|code| code.iter().map(u8::to_string).collect()).collect();
    json!(texts).to_string()
}

fn codebook(model: &SavedModel, n_outputs: usize) -> Result<Codebook> {
    if model.classes.is_empty() {
        let error = Error::options("classes", "a model that names its classes", "one that names none");
        return Err(error.with_advice("leave the second output out"));
    }
    let encoding = model.config.encoding;
    if let Err(error) = encoding.check_classes(&model.classes) {
        return Err(Error::options("encoding", error.expected(), error.found()));
    }
    let n_bits = encoding.n_bits(&model.classes);
    if n_bits != n_outputs {
        let n_classes = model.classes.len();
        let expected = format!("a network with {n_bits} outputs, for the {encoding} codes of {n_classes} classes");
        return Err(Error::options("classes", expected, n_outputs.to_string()));
    }
    Ok(model.config.codebook(&model.classes))
}

/// Whether each class has the output with its own index.
fn is_largest(codebook: &Codebook) -> bool {
    codebook.has_one_output_a_class() && codebook.codes.diag().iter().all(|&bit| bit == 1)
}

/// The least Σ (output − bit)².
fn nearest(codebook: &Codebook, graph: &mut Graph) {
    let (n_classes, n_bits) = codebook.codes.dim();
    graph.constant("codes", &[1, n_classes, n_bits], codebook.codes.iter().map(|&bit| f64::from(bit)));
    graph.integers("axis_of_classes", &[1], &[1]);
    graph.integers("axis_of_bits", &[1], &[2]);
    graph.node("Cast", &[OUTPUTS], "outputs_as_double", &[("to", Attribute::Int(element::DOUBLE))]);
    graph.node("Unsqueeze", &["outputs_as_double", "axis_of_classes"], "outputs_for_classes", &[]);
    graph.node("Sub", &["outputs_for_classes", "codes"], "differences", &[]);
    graph.node("Mul", &["differences", "differences"], "squares", &[]);
    graph.node("ReduceSum", &["squares", "axis_of_bits"], "squared_distances", &[("keepdims", Attribute::Int(0))]);
    graph.node("ArgMin", &["squared_distances"], CLASS, &OVER_CLASSES);
}

/// The number of wrong bits is Σ |read − bit| = Σ read · (1 − 2·bit) + Σ bit, a product of small integers, which single
/// precision holds exactly.
fn exact<F: Element>(codebook: &Codebook, graph: &mut Graph) {
    let (n_classes, n_bits) = codebook.codes.dim();
    let signs = codebook.codes.t().mapv(|bit| 1.0 - 2.0 * f32::from(bit));
    let ones = codebook.codes.rows().into_iter().map(|code| code.iter().map(|&bit| f32::from(bit)).sum::<f32>());
    graph.constant("half", &[], [F::narrow(0.5)]);
    graph.constant("signs_of_bits", &[n_bits, n_classes], signs.iter().copied());
    graph.constant("ones_of_codes", &[n_classes], ones);
    graph.constant("half_a_bit", &[], [0.5_f32]);
    graph.integers("no_class", &[], &[-1]);
    graph.node("GreaterOrEqual", &[OUTPUTS, "half"], "is_one", &[]);
    graph.node("Cast", &["is_one"], "bits", &[("to", Attribute::Int(element::FLOAT))]);
    graph.node("Gemm", &["bits", "signs_of_bits", "ones_of_codes"], "wrong_bits", &[]);
    graph.node("ArgMin", &["wrong_bits"], "best_class", &OVER_CLASSES);
    let axes = [("axes", Attribute::Ints(&[1])), ("keepdims", Attribute::Int(0))];
    graph.node("ReduceMin", &["wrong_bits"], "fewest_wrong_bits", &axes);
    graph.node("Less", &["fewest_wrong_bits", "half_a_bit"], "is_class", &[]);
    graph.node("Where", &["is_class", "best_class", "no_class"], CLASS, &[]);
}
