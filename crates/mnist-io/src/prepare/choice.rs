//! From a photo to characters, step by step; which way of seeing the photo is right is decided by the evidence of each.

use super::grey::{self, Backdrop};
use super::reading::{self, Evidence, Reading, Source};
use super::ready::{self, Ready, SmallImages};
use super::{Layout, PreparationStep, PreparedCharacter, WORKING_SIDE, check_sides, shape, strokes, to_bytes};
use image::DynamicImage;
use ndarray::Array2;

/// Does all of it; every step is added before what comes next can fail.
pub(super) fn prepare(
    photo: &DynamicImage,
    layout: Layout,
    small: SmallImages,
    steps: &mut Vec<PreparationStep>,
) -> Result<(Vec<PreparedCharacter>, f64), String> {
    if let Some(ready) = ready::ready(photo, small) {
        let Ready { image, explanation } = ready;
        steps.push(PreparationStep { name: "as it is", explanation, image: image.clone() });
        return Ok((vec![PreparedCharacter { image, columns: 0..photo.width(), rows: 0..photo.height() }], 1.0));
    }
    check_sides(photo)?;
    let backdrop = grey::backdrop(photo);
    let source = Source::new(grey::grey(photo, backdrop, WORKING_SIDE));
    let (height, width) = source.grey.dim();
    steps.push(PreparationStep {
        name: "grey",
        explanation: format!(
            "The photo of {} × {} pixels as grey levels, {width} × {height}{}.",
            photo.width(),
            photo.height(),
            match backdrop {
                Backdrop::None => "",
                Backdrop::White => "; what is transparent counts as white",
                Backdrop::Black => "; what is drawn on the transparent ground is light, so the ground counts as black",
            }
        ),
        image: to_bytes(&source.grey),
    });
    let (reading, confidence) = choose(&source, layout)?;
    tell(&reading, steps);
    let characters = strokes::characters(&reading, &source.grey, photo, steps);
    Ok((characters, confidence))
}

/// Which way is right is decided on an image of this longer side: enough for that, and five times as fast.
const CHOICE_SIDE: usize = 176;

/// Below this, nothing is read: of 700 generated pictures with writing, the best reading of two was less sure, and of pages
/// with nothing on them none was surer.
const CONFIDENCE_MIN: f64 = 0.08;

/// What every way of seeing the photo finds, with its evidence: what the weights are fitted to.
pub(super) fn all(photo: &DynamicImage, layout: Layout) -> Vec<(Vec<f32>, Vec<PreparedCharacter>)> {
    let source = Source::new(grey::grey(photo, grey::backdrop(photo), WORKING_SIDE));
    let is_single = layout == Layout::Single;
    let found = ranked(&source, is_single).0.into_iter().filter_map(|way| {
        let reading = reading::read(&source, way.is_dark, way.share, is_single).ok()?;
        Some((way.evidence.0.to_vec(), strokes::characters(&reading, &source.grey, photo, &mut Vec::new())))
    });
    found.collect()
}

/// A way of seeing the image, and what speaks for it.
struct Way {
    is_dark: bool,
    share: f32,
    evidence: Evidence,
}

/// The reading for which most speaks, and how sure that is.
fn choose(source: &Source, layout: Layout) -> Result<(Reading, f64), String> {
    let is_single = layout == Layout::Single;
    let (ways, mut refusal) = ranked(source, is_single);
    for way in ways {
        match reading::read(source, way.is_dark, way.share, is_single) {
            Ok(_) if way.evidence.probability() < CONFIDENCE_MIN => {
                return Err("nothing on it that looks like writing more than like grain, shadows or lines".to_string());
            }
            // Said of the best way alone: some other way sees two lines in many a picture.
            Ok(reading) if reading.has_two_lines => return Err("two lines of writing, one below the other".to_string()),
            Ok(reading) => return Ok((reading, way.evidence.probability())),
            Err(found) => refusal = refusal.or(Some(found)),
        }
    }
    Err(refusal.unwrap_or_default())
}

/// The ways of seeing an image in which something is found, the best first, and why the first of the others found nothing.
fn ranked(source: &Source, is_single: bool) -> (Vec<Way>, Option<String>) {
    let small = Source::new(shape::shrink_to(&source.grey, CHOICE_SIDE));
    let (mut ways, mut refusal) = (Vec::new(), None);
    for is_dark in [true, false] {
        for share in reading::RADII {
            match reading::read(&small, is_dark, share, is_single) {
                Ok(Reading { evidence, .. }) => ways.push(Way { is_dark, share, evidence }),
                Err(found) => refusal = refusal.or(Some(found)),
            }
        }
    }
    ways.sort_by(|one, other| other.evidence.score().total_cmp(&one.evidence.score()));
    (ways, refusal)
}

fn tell(reading: &Reading, steps: &mut Vec<PreparationStep>) {
    let least = reading.layers.page.fold(255.0_f32, |least, &value| least.min(value)).max(0.0);
    let greatest = reading.layers.page.fold(0.0_f32, |greatest, &value| greatest.max(value)).min(255.0);
    steps.push(PreparationStep {
        name: "ink",
        explanation: format!(
            "The writing is taken to be {} than the page, whose grey level runs from {least:.0} to {greatest:.0} and was \
             taken away.",
            if reading.is_dark { "darker" } else { "lighter" },
        ),
        image: to_bytes(&reading.layers.ink),
    });
    steps.push(PreparationStep {
        name: "threshold",
        explanation: format!(
            "Everything that differs from the page by {:.0} of 255 or more is ink (Otsu's threshold).",
            reading.raw_threshold
        ),
        image: as_bytes(&reading.raw),
    });
    steps.push(PreparationStep {
        name: "writing",
        explanation: if reading.threshold < reading.raw_threshold {
            format!("{}; the rest is ink from {:.0} on.", removed(reading), reading.threshold)
        } else {
            format!("{}.", removed(reading))
        },
        image: as_bytes(&reading.mask),
    });
}

/// What was removed, in words.
fn removed(reading: &Reading) -> String {
    let counted = |n: usize, one: &str| match n {
        0 => None,
        1 => Some(format!("one {one}")),
        n => Some(format!("{n} {one}s")),
    };
    let found: Vec<String> = [
        counted(reading.n_rules, "line through the whole picture"),
        counted(reading.writing.n_lines, "frame or line"),
        counted(reading.writing.n_edge, "part at the edge"),
        counted(reading.writing.n_specks, "speck"),
    ]
    .into_iter()
    .flatten()
    .collect();
    match found.split_last() {
        None => "All of the ink is writing".to_string(),
        Some((last, [])) => format!("Removed as no writing: {last}"),
        Some((last, before)) => format!("Removed as no writing: {} and {last}", before.join(", ")),
    }
}

fn as_bytes(mask: &Array2<bool>) -> Array2<u8> {
    mask.mapv(|is_ink| if is_ink { 255 } else { 0 })
}
