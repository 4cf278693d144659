//! Samples that the network got wrong, what it answered, and how sure each output bit was.

use std::collections::BTreeMap;

use askama::Template;
use mlp_results::RunRecord;
use mlp_results::levels::codes;
use ndarray::Array2;

use crate::image_url;
use crate::markup::shown;

/// How many mistakes are shown at most.
const N_MISTAKES: usize = 50;
/// More outputs than these are not drawn one by one.
const N_BITS: usize = 32;

/// The first mistakes of a record, with the images that are at hand.
///
/// Each output is a bar from 0 to 1 with a line at ½; under it stands what it should be. Those on the wrong side of the line
/// are vermilion.
#[derive(Template)]
#[template(path = "mistakes.html")]
pub(super) struct Mistakes {
    /// Whether the samples are images at all, and whether any of them is at hand.
    are_images: bool,
    has_images: bool,
    mistakes: Vec<Mistake>,
}

struct Mistake {
    index: usize,
    label: String,
    answer: Option<String>,
    nearest: String,
    /// A `data:` URL.
    image: Option<String>,
    bits: Vec<Bit>,
    /// The outputs for readers who cannot see the bars.
    spoken: String,
}

struct Bit {
    output: String,
    target: &'static str,
    is_wrong: bool,
    /// In per cent.
    height: String,
}

impl Mistakes {
    /// Of a record; nothing where it has none.
    pub(super) fn new(record: &RunRecord, images: &BTreeMap<(String, usize), Array2<u8>>) -> Option<Mistakes> {
        if record.mistakes.is_empty() {
            return None;
        }
        let classes = &record.data.classes;
        let codes = codes(record);
        let image = |index: usize| images.get(&(record.trial.clone(), index));
        let mistakes = record.mistakes.iter().take(N_MISTAKES).map(|mistake| {
            let class = classes.iter().position(|class| *class == mistake.label);
            let code = class.and_then(|class| codes.as_ref()?.get(class));
            Mistake::new(mistake, code.map(Vec::as_slice), image(mistake.index))
        });
        let has_images = record.mistakes.iter().any(|mistake| image(mistake.index).is_some());
        let are_images = record.data.height > 0 && record.data.width > 0;
        Some(Mistakes { are_images, has_images, mistakes: mistakes.collect() })
    }
}

impl Mistake {
    fn new(mistake: &mlp_train::Mistake, code: Option<&[bool]>, image: Option<&Array2<u8>>) -> Mistake {
        let outputs = if mistake.outputs.len() > N_BITS { &[][..] } else { &mistake.outputs };
        let target = |bit: usize| code.and_then(|code| code.get(bit).copied());
        let spoken: Vec<String> = outputs.iter().map(|output| format!("{output:.2}")).collect();
        Mistake {
            index: mistake.index,
            label: shown(&mistake.label),
            answer: mistake.answer.as_deref().map(shown),
            nearest: shown(&mistake.nearest),
            image: image.and_then(|pixels| image_url::grey(pixels.view())),
            bits: outputs.iter().enumerate().map(|(bit, &output)| Bit::new(output, target(bit))).collect(),
            spoken: spoken.join(", "),
        }
    }
}

impl Bit {
    /// A bit is wrong if it lies on the other side of ½ than its target.
    fn new(output: f64, target: Option<bool>) -> Bit {
        let height = if output.is_finite() { output.clamp(0.0, 1.0) * 100.0 } else { 0.0 };
        Bit {
            output: format!("{output:.3}"),
            target: target.map_or("·", |target| if target { "1" } else { "0" }),
            is_wrong: target.is_some_and(|target| target != (output >= 0.5)),
            height: format!("{height:.0}"),
        }
    }
}
