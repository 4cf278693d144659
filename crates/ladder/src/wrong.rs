//! The digits that remain wrong, as pictures.

use mlp_report::canvas::{Anchor, Canvas};
use mlp_report::{image_url, palette};
use mlp_train::Mistake;
use mnist_io::LabeledImages;
use ndarray::Axis;

/// In pixels, of one image.
const SIDE: f64 = 56.0;
const COLUMNS: usize = 10;
/// In pixels, between images, with room for a line of text below.
const STEP: (f64, f64) = (72.0, 88.0);
const MARGIN: f64 = 12.0;

/// An SVG document with the images of `mistakes`, each with its label and the answer; nothing if there are none.
pub(crate) fn wrong_digits(mistakes: &[Mistake], images: &LabeledImages) -> Option<String> {
    if mistakes.is_empty() {
        return None;
    }
    let n_rows = mistakes.len().div_ceil(COLUMNS);
    let size = (2.0 * MARGIN + STEP.0 * COLUMNS as f64, 2.0 * MARGIN + STEP.1 * n_rows as f64);
    let mut canvas = Canvas::new(size.0, size.1);
    for (place, mistake) in mistakes.iter().enumerate() {
        let (column, row) = (place % COLUMNS, place / COLUMNS);
        let at = (MARGIN + STEP.0 * column as f64, MARGIN + STEP.1 * row as f64);
        if let Some(url) = image_url::grey(images.images.index_axis(Axis(0), mistake.index)) {
            canvas.image(&url, at, (SIDE, SIDE));
        }
        let answer = mistake.answer.as_deref().unwrap_or("no digit");
        let text = format!("{} read as {answer}", mistake.label);
        canvas.text(&text, (at.0 + SIDE / 2.0, at.1 + SIDE + 12.0), Anchor::Middle, 11.0, palette::INK, false);
    }
    Some(
        canvas.finish(
            "Digits that remain wrong",
            "Test images that the best nets answer wrongly, with label and answer.",
        ),
    )
}
