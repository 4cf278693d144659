//! Which classes are taken for which.

use mlp_results::{RunRecord, text};
use mlp_train::Decoding;

use crate::canvas::{Anchor, Canvas, Paint};
use crate::chart::lettering::FONT;
use crate::chart::{self, WIDTH, text_width};
use crate::palette;

/// So many characters of a class are written.
const N_CHARACTERS: usize = 12;

/// How many classes are drawn at most: beyond, the cells are too small to see.
const N_CLASSES: usize = 64;

/// The confusion matrix of `record` as an SVG document: a row for each label, a column for each answer, the last one
/// for answers that are no class, where there can be any. Right answers are blue, wrong ones vermilion; the stronger, the larger their share of
/// the row. Nothing where the record has no matrix.
pub fn confusion_matrix(record: &RunRecord) -> Option<String> {
    let counts = record.confusion.as_ref().filter(|counts| !counts.is_empty())?;
    let classes = &record.data.classes;
    let n_classes = counts.len().min(N_CLASSES);
    let longest_name = (0..n_classes).map(|index| text_width(&class_name(classes, index), FONT)).fold(0.0, f64::max);
    let (left, top) = (longest_name.max(10.0) + 36.0, 84.0);
    let has_invalid = record.decoding != Some(Decoding::Nearest);
    let n_columns = n_classes + usize::from(has_invalid);
    let cell = (WIDTH - left - 12.0) / n_columns as f64;
    let mut canvas = Canvas::new(WIDTH, top + n_classes as f64 * cell + 14.0);
    chart::draw_heading(
        &mut canvas,
        "Confusion matrix, test set",
        "samples by label (downwards) and by answer (across)",
    );
    let longest = counts.iter().flatten().max().map_or(1, |count| count.to_string().len());
    let size = (cell * 0.42).clamp(5.0, 13.0).min((cell - 4.0) / (longest as f64 * 0.62));

    for index in 0..n_classes {
        let name = class_name(classes, index);
        let middle = (index as f64 + 0.5) * cell;
        // What of a name fits over its column; the cells below say it whole.
        let room = (1..=name.chars().count()).rev().map(|n| text::shorten(&name, n));
        let head = room.into_iter().find(|head| text_width(head, size.max(8.0)) < cell).unwrap_or_default();
        canvas.text(&head, (left + middle, top - 12.0), Anchor::Middle, size.max(8.0), palette::MUTED, true);
        canvas.text(&name, (left - 12.0, top + middle), Anchor::End, size.max(8.0), palette::MUTED, true);
    }
    let invalid = left + (n_classes as f64 + 0.5) * cell;
    if has_invalid {
        canvas.text("none", (invalid, top - 12.0), Anchor::Middle, size.clamp(7.0, 12.0), palette::MUTED, false);
    }

    for (label, row) in counts.iter().take(n_classes).enumerate() {
        let sum: f64 = row.iter().map(|&count| count as f64).sum();
        for (column, count) in columns(row, n_classes).into_iter().take(n_columns).enumerate() {
            let from = (left + column as f64 * cell + 1.0, top + label as f64 * cell + 1.0);
            let to = (from.0 + cell - 2.0, from.1 + cell - 2.0);
            let share = if sum > 0.0 { count as f64 / sum } else { 0.0 };
            // The square root keeps rare confusions visible beside common ones.
            let (color, opacity) = if column == label {
                (palette::BLUE, 0.5 * share)
            } else {
                (palette::VERMILION, (0.9 * share.sqrt()).min(0.55))
            };
            let answer = if column == n_classes { "no class".to_owned() } else { class_name(classes, column) };
            let part = text::share(share, 1);
            let hint = format!("{} answered {answer}: {count} of {sum} ({part})", class_name(classes, label));
            canvas.explained(&hint, |canvas| {
                canvas.rectangle(from, to, Paint::area(palette::GRID, 0.45));
                canvas.rectangle(from, to, Paint::area(color, opacity));
                if count > 0 {
                    let center = ((from.0 + to.0) / 2.0, (from.1 + to.1) / 2.0);
                    let written = count.to_string();
                    canvas.text(&written, center, Anchor::Middle, size, palette::INK, column == label);
                }
            });
        }
    }
    Some(canvas.finish("Confusion matrix", &describe(counts, classes)))
}

/// How well one class is recognised.
#[derive(Clone, Debug, PartialEq)]
pub struct ClassScore {
    /// The class, at most so long as it is drawn.
    pub class: String,
    /// How many samples have this label.
    pub n_samples: f64,
    /// Of the samples answered as this class, the fraction that are; nothing if it was never answered.
    pub precision: Option<f64>,
    /// Of the samples of this class, the fraction answered as it; nothing if there are none.
    pub recall: Option<f64>,
    /// What it was most often taken for instead, and how often: a class, or `no class`.
    pub confused_with: Option<(String, u64)>,
}

/// Precision, recall and the commonest confusion of every class, from the confusion matrix; empty without one.
pub fn class_scores(record: &RunRecord) -> Vec<ClassScore> {
    let Some(counts) = &record.confusion else { return Vec::new() };
    let classes = &record.data.classes;
    let count = |row: usize, column: usize| counts[row].get(column).map_or(0.0, |&count| count as f64);
    (0..counts.len())
        .map(|class| {
            let n_samples: f64 = counts[class].iter().map(|&count| count as f64).sum();
            let n_answered: f64 = (0..counts.len()).map(|label| count(label, class)).sum();
            let right = count(class, class);
            let commonest = (0..counts[class].len())
                .filter(|&answer| answer != class && counts[class][answer] > 0)
                .max_by_key(|&answer| (counts[class][answer], std::cmp::Reverse(answer)));
            let confused_with = commonest.map(|answer| {
                let name = if answer < counts.len() { class_name(classes, answer) } else { "no class".to_owned() };
                (name, counts[class][answer])
            });
            ClassScore {
                class: class_name(classes, class),
                n_samples,
                precision: (n_answered > 0.0).then(|| right / n_answered),
                recall: (n_samples > 0.0).then(|| right / n_samples),
                confused_with,
            }
        })
        .collect()
}

/// The first `n_classes` counts of a row and its last one, the invalid answers.
fn columns(row: &[u64], n_classes: usize) -> Vec<u64> {
    let mut columns: Vec<u64> = row.iter().copied().take(n_classes).collect();
    columns.resize(n_classes, 0);
    columns.push(if row.len() > n_classes { row[row.len() - 1] } else { 0 });
    columns
}

fn class_name(classes: &[String], index: usize) -> String {
    classes.get(index).map_or_else(|| format!("#{index}"), |class| text::shorten(class, N_CHARACTERS))
}

fn describe(counts: &[Vec<u64>], classes: &[String]) -> String {
    let total: f64 = counts.iter().flatten().map(|&count| count as f64).sum();
    let right: f64 = counts.iter().enumerate().filter_map(|(label, row)| row.get(label)).map(|&n| n as f64).sum();
    let worst = counts
        .iter()
        .enumerate()
        .flat_map(|(label, row)| row.iter().enumerate().map(move |(answer, &count)| (count, label, answer)))
        .filter(|&(count, label, answer)| label != answer && answer < counts.len() && count > 0)
        .max_by_key(|&(count, label, answer)| (count, std::cmp::Reverse((label, answer))));
    let confusion = worst.map_or_else(String::new, |(count, label, answer)| {
        format!(
            " The commonest confusion: {} taken for {}, {count} times.",
            class_name(classes, label),
            class_name(classes, answer)
        )
    });
    format!("{right} of {total} samples are answered right.{confusion}")
}
