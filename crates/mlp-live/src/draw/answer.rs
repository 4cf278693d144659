//! What one network answers to one character, and why.

use std::ops::Range;
use std::time::Instant;

use mlp_core::{Activation, Mlp, Real};
use mlp_train::{AnyMlp, Classification, Codebook};
use mnist_io::PreparedCharacter;
use ndarray::{Array2, ArrayView1};
use serde::Serialize;

use super::explain::gradient_times_input;
use crate::error::{Error, Result};
use crate::pixels::Pixels;
use crate::reader::PictureReader;

/// How many classes are listed.
const N_CANDIDATES: usize = 5;

/// What a network says of a character.
#[derive(Clone, Debug, Serialize)]
pub struct CharacterAnswer {
    /// What the network saw.
    pub image: Pixels,
    /// Where it stands in the picture: columns and rows.
    pub place: [Range<u32>; 2],
    /// The class; none where the bits are those of no class.
    pub class: Option<String>,
    /// The class with the nearest code.
    pub nearest: String,
    /// How sure the network is, 0 to 1.
    pub confidence: f64,
    /// Whether each output stands for a class, and not for a bit of a code.
    pub is_one_output_a_class: bool,
    /// One an output.
    pub outputs: Vec<BitAnswer>,
    /// The nearest classes, the best first.
    pub candidates: Vec<CandidateAnswer>,
    /// One a layer.
    pub layers: Vec<LayerActivations>,
    /// Which pixels speak for what it is about (above 128), and which against (below).
    pub heat: Pixels,
    /// By how much the pixel that matters most moves it, for or against: the unit is that of the net inputs of the outputs.
    pub heat_strongest: f64,
    /// What the heat map is about, in words.
    pub heat_is_about: String,
    /// The milliseconds of the forward pass.
    pub milliseconds: f64,
}

/// One output, read as a bit.
#[derive(Clone, Debug, Serialize)]
pub struct BitAnswer {
    /// What it stands for: the value of the bit, such as `16`, or the class.
    pub name: String,
    /// The output.
    pub output: f64,
    /// Whether it counts as 1.
    pub is_one: bool,
    /// How far on its side of a half it is, 0.5 to 1.
    pub confidence: f64,
}

/// A class that an answer may mean.
#[derive(Clone, Debug, Serialize)]
pub struct CandidateAnswer {
    /// The class.
    pub class: String,
    /// The distance of its code from the outputs.
    pub distance: f64,
    /// The bits of its code.
    pub code: String,
}

/// The outputs of a layer.
#[derive(Clone, Debug, Serialize)]
pub struct LayerActivations {
    /// The name of its activation.
    pub activation: &'static str,
    /// The number of its units.
    pub n_units: usize,
    /// The value that is shown darkest, and that which is shown brightest.
    pub range: [f64; 2],
    /// One byte a unit, from the first of the range (0) to the second (255).
    pub units: Pixels,
}

pub(super) fn answer(
    reader: &mut PictureReader,
    network: &AnyMlp,
    character: &PreparedCharacter,
    about: Option<usize>,
) -> Result<CharacterAnswer> {
    let started = Instant::now();
    let answer = reader.classify(&character.image)?;
    let milliseconds = started.elapsed().as_secs_f64() * 1e3;
    let codebook = reader.classifier().codebook();
    if about.is_some_and(|output| output >= answer.bits.len()) {
        return Err(Error::request(format!("expected an output below {}, found {about:?}", answer.bits.len())));
    }
    let (weights, heat_is_about) = question(&answer, codebook, about);
    let (layers, heat) = match network {
        AnyMlp::F32(mlp) => inside(mlp, &character.image, &weights),
        AnyMlp::F64(mlp) => inside(mlp, &character.image, &weights),
    };
    let width = character.image.ncols();
    let outputs = answer.bits.iter().enumerate().map(|(index, bit)| BitAnswer {
        name: output_name(index, codebook),
        output: bit.output,
        is_one: bit.is_one,
        confidence: bit.confidence,
    });
    let candidates = answer.ranking.iter().take(N_CANDIDATES).map(|candidate| CandidateAnswer {
        class: candidate.class.clone(),
        distance: candidate.distance,
        code: code(codebook, &candidate.class).map(|bits| bits.iter().map(u8::to_string).collect()).unwrap_or_default(),
    });
    Ok(CharacterAnswer {
        image: Pixels::grey(character.image.view()),
        place: [character.columns.clone(), character.rows.clone()],
        nearest: answer.nearest().to_owned(),
        confidence: answer.confidence,
        is_one_output_a_class: codebook.has_one_output_a_class(),
        outputs: outputs.collect(),
        candidates: candidates.collect(),
        layers,
        heat_strongest: heat.iter().fold(0.0, |most, share| share.abs().max(most)),
        heat: Pixels::signed(heat.iter().copied(), width),
        heat_is_about,
        milliseconds,
        class: answer.class,
    })
}

/// What an output stands for.
fn output_name(index: usize, codebook: &Codebook) -> String {
    if codebook.has_one_output_a_class() {
        return codebook.classes[index].clone();
    }
    let from_right = codebook.n_bits() - 1 - index;
    if from_right < 63 { (1_u64 << from_right).to_string() } else { format!("2^{from_right}") }
}

fn code<'a>(codebook: &'a Codebook, class: &str) -> Option<ArrayView1<'a, u8>> {
    let index = codebook.classes.iter().position(|other| other == class)?;
    Some(codebook.codes.row(index))
}

/// The weights of the outputs in the evidence that the heat map is about, and what that is.
fn question(answer: &Classification, codebook: &Codebook, about: Option<usize>) -> (Vec<f64>, String) {
    let n_outputs = answer.bits.len();
    if let Some(output) = about {
        let weights = (0..n_outputs).map(|index| f64::from(u8::from(index == output))).collect();
        let name = output_name(output, codebook);
        let text = if codebook.has_one_output_a_class() {
            format!("what speaks for “{name}” (output {})", output + 1)
        } else {
            format!("what speaks for a 1 in bit {} (worth {name})", output + 1)
        };
        return (weights, text);
    }
    let (best, runner_up) = (&answer.ranking[0].class, answer.ranking.get(1).map(|candidate| &candidate.class));
    let bits = |class: &String| code(codebook, class).map(|bits| bits.mapv(f64::from).to_vec());
    let best_code = bits(best).unwrap_or_else(|| vec![1.0; n_outputs]);
    let other_code = runner_up.and_then(bits).unwrap_or_else(|| vec![0.0; n_outputs]);
    let weights = best_code.iter().zip(&other_code).map(|(best, other)| best - other).collect();
    let text = match runner_up {
        Some(runner_up) => format!("what speaks for “{best}” rather than “{runner_up}”"),
        None => format!("what speaks for “{best}”"),
    };
    (weights, text)
}

/// The activations of every layer, and the heat map.
fn inside<F: Real>(mlp: &Mlp<F>, image: &Array2<u8>, weights: &[f64]) -> (Vec<LayerActivations>, Vec<f64>) {
    let grey: Vec<F> = image.iter().map(|&grey| F::narrow(f64::from(grey) / 255.0)).collect();
    let sample = Array2::from_shape_vec((1, grey.len()), grey).expect("one row of all pixels");
    let activations = mlp.activations(sample.view());
    let layers = mlp.layers.iter().zip(&activations).map(|(layer, outputs)| strip(layer.activation, outputs));
    (layers.collect(), gradient_times_input(mlp, sample.view(), weights))
}

fn strip<F: Real>(activation: Activation, outputs: &Array2<F>) -> LayerActivations {
    let values: Vec<f64> = outputs.iter().map(|output| output.widen()).collect();
    let greatest = values.iter().copied().map(f64::abs).fold(0.0, f64::max).max(1e-9);
    let range = match activation {
        Activation::Sigmoid | Activation::Softmax => [0.0, 1.0],
        Activation::Tanh => [-1.0, 1.0],
        Activation::Relu => [0.0, greatest],
        Activation::Identity => [-greatest, greatest],
    };
    let byte = |value: &f64| (255.0 * ((value - range[0]) / (range[1] - range[0])).clamp(0.0, 1.0)).round() as u8;
    let bytes: Vec<u8> = values.iter().map(byte).collect();
    let row = Array2::from_shape_vec((1, bytes.len()), bytes).expect("one row of all units");
    LayerActivations { activation: activation.name(), n_units: values.len(), range, units: Pixels::grey(row.view()) }
}
