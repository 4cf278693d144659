//! Headings, the names of ticks, and how wide a text is.
//!
//! A figure does not know which font will show it. So texts are measured by the widest of the usual sans-serif fonts, DejaVu
//! Sans; in the others they take less. What is longer than its room goes on in the next line, and nothing is cut.

use mlp_results::text::{MAX_CHARACTERS, clean};

use crate::canvas::{Anchor, Canvas};
use crate::palette;

/// The size of names and ticks, in pixels.
pub(crate) const FONT: f64 = 12.5;
/// From one line of a name to the next, in pixels.
pub(crate) const LINE: f64 = 14.0;
/// The sizes of the title and of what stands under it, and how far apart their lines are.
const TITLE: (f64, f64) = (15.0, 19.0);
const SUBTITLE: (f64, f64) = (12.0, 16.0);
/// How far a text stays away from the edge of the sheet.
const EDGE: f64 = 3.0;
/// How far apart the names of ticks are at least.
const GAP: f64 = 4.0;

/// The title in bold and, under it, what is measured; what needs more than a line each moves everything that is drawn
/// later down.
pub fn draw_heading(canvas: &mut Canvas, title: &str, subtitle: &str) {
    let room = canvas.width() - 24.0;
    let lines = [(title, TITLE, 18.0, palette::INK, true), (subtitle, SUBTITLE, 37.0, palette::MUTED, false)];
    for (text, (size, step), y, color, bold) in lines {
        let wrapped = wrap(text, size, bold, room);
        for (index, line) in wrapped.iter().enumerate() {
            if index > 0 {
                canvas.push_down(step);
            }
            canvas.text(line, (12.0, y), Anchor::Start, size, color, bold);
        }
    }
}

/// The names of ticks at the given x, from left to right, kept inside the sheet. One that would run into its neighbour is
/// left out; the first and the last stay.
pub fn draw_tick_names(canvas: &mut Canvas, names: &[(f64, &str)], y: f64) {
    let placed: Vec<(f64, f64, &str)> = names
        .iter()
        .map(|&(x, name)| {
            let half = text_width(name, FONT) / 2.0;
            (x.clamp(half + EDGE, (canvas.width() - half - EDGE).max(half + EDGE)), half, name)
        })
        .collect();
    let last_from = placed.last().map_or(f64::INFINITY, |(x, half, _)| x - half - GAP);
    let mut free_from = f64::NEG_INFINITY;
    for (index, &(x, half, name)) in placed.iter().enumerate() {
        let is_last = index + 1 == placed.len();
        if x - half >= free_from && (is_last || index == 0 || x + half <= last_from) {
            canvas.text(name, (x, y), Anchor::Middle, FONT, palette::MUTED, false);
            free_from = x + half + GAP;
        }
    }
}

/// Draws lines of text under each other, their middle at `at`.
pub(crate) fn draw_lines(
    canvas: &mut Canvas,
    lines: &[String],
    at: (f64, f64),
    anchor: Anchor,
    size: f64,
    color: palette::Color,
    bold: bool,
) {
    let top = at.1 - LINE * (lines.len().saturating_sub(1)) as f64 / 2.0;
    for (index, line) in lines.iter().enumerate() {
        canvas.text(line, (at.0, top + LINE * index as f64), anchor, size, color, bold);
    }
}

/// `text` in lines of at most `width` pixels: broken after blanks and after signs that join words, and inside of a word
/// only where it is wider than a line.
pub(crate) fn wrap(text: &str, size: f64, bold: bool, width: f64) -> Vec<String> {
    let text = clean(text, MAX_CHARACTERS);
    let mut lines = Vec::new();
    let mut line = String::new();
    for piece in pieces(&text) {
        if !line.is_empty() && measure(&line, size, bold) + measure(piece.trim_end(), size, bold) > width {
            lines.push(line.trim_end().to_owned());
            line.clear();
        }
        for character in piece.chars() {
            let wider = measure(&line, size, bold) + measure(&character.to_string(), size, bold);
            if !line.is_empty() && character != ' ' && wider > width {
                lines.push(line.trim_end().to_owned());
                line.clear();
            }
            line.push(character);
        }
    }
    if !line.trim_end().is_empty() || lines.is_empty() {
        lines.push(line.trim_end().to_owned());
    }
    lines
}

/// The parts of a text between which a line may end: after a blank, but not before the dot that joins two settings, and
/// after signs that join words, but not inside of `1e-5`.
fn pieces(text: &str) -> Vec<&str> {
    let characters: Vec<(usize, char)> = text.char_indices().collect();
    let at = |index: usize| characters.get(index).map(|(_, character)| *character);
    let mut pieces = Vec::new();
    let mut from = 0;
    for (index, &(place, character)) in characters.iter().enumerate() {
        let is_exponent = index > 1 && at(index - 1) == Some('e') && at(index - 2).is_some_and(|c| c.is_ascii_digit());
        let ends = match character {
            ' ' => at(index + 1) != Some('·'),
            '-' => !is_exponent,
            '_' | '/' | ',' => true,
            _ => false,
        };
        if ends {
            let end = place + character.len_utf8();
            pieces.push(&text[from..end]);
            from = end;
        }
    }
    pieces.push(&text[from..]);
    pieces
}

/// The width of the widest of `lines`, in pixels.
pub(crate) fn widest(lines: &[String], size: f64, bold: bool) -> f64 {
    lines.iter().map(|line| measure(line, size, bold)).fold(0.0, f64::max)
}

/// The width in pixels that `text` takes at most at `size`.
pub fn text_width(text: &str, size: f64) -> f64 {
    measure(text, size, false)
}

/// The same of a bold text, or a plain one.
pub(crate) fn measure(text: &str, size: f64, bold: bool) -> f64 {
    let widths = if bold { &BOLD } else { &PLAIN };
    let width = |character: char| match u32::from(character) {
        code @ 32..=126 => widths[code as usize - 32],
        // Signs, and scripts whose letters fill a square.
        0x2000.. => 1_000,
        _ => 840,
    };
    text.chars().map(|character| f64::from(width(character))).sum::<f64>() * size / 1_000.0
}

/// The advance widths of the characters from the blank to the tilde in DejaVu Sans 2.37, in thousandths of the size.
const PLAIN: [u16; 95] = [
    318, 401, 460, 838, 636, 950, 780, 275, 390, 390, 500, 838, 318, 361, 318, 337, 636, 636, 636, 636, 636, 636, 636,
    636, 636, 636, 337, 337, 838, 838, 838, 531, 1000, 684, 686, 698, 770, 632, 575, 775, 752, 295, 295, 656, 557, 863,
    748, 787, 603, 787, 695, 635, 611, 732, 684, 989, 685, 611, 685, 390, 337, 390, 838, 500, 500, 613, 635, 550, 635,
    615, 352, 635, 634, 278, 278, 579, 278, 974, 634, 612, 635, 635, 411, 521, 392, 634, 592, 818, 592, 592, 525, 636,
    337, 636, 838,
];
/// The same in DejaVu Sans Bold.
const BOLD: [u16; 95] = [
    348, 456, 521, 838, 696, 1002, 872, 306, 457, 457, 523, 838, 380, 415, 380, 365, 696, 696, 696, 696, 696, 696, 696,
    696, 696, 696, 400, 400, 838, 838, 838, 580, 1000, 774, 762, 734, 830, 683, 683, 821, 837, 372, 372, 775, 637, 995,
    837, 850, 733, 850, 770, 720, 682, 812, 774, 1103, 771, 724, 725, 457, 365, 457, 838, 500, 500, 675, 716, 593, 716,
    678, 435, 716, 712, 343, 343, 665, 343, 1042, 712, 687, 716, 716, 493, 595, 478, 712, 652, 924, 645, 652, 582, 712,
    365, 712, 838,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_broken_between_words_and_loses_no_letter() {
        let text = "The best 14 configurations by character accuracy · momentum (momentum 0.9)";
        let lines = wrap(text, 15.0, true, 200.0);
        assert!(lines.len() > 2 && lines.iter().all(|line| measure(line, 15.0, true) <= 200.0), "{lines:?}");
        assert_eq!(lines.join(" "), text);
        let word = "x".repeat(90);
        let lines = wrap(&word, 12.0, false, 100.0);
        assert!(lines.len() > 3 && lines.concat() == word, "{lines:?}");
        assert_eq!(wrap("", 12.0, false, 100.0), [""]);
        assert_eq!(wrap("0.5 · 1.194e-4 · one-hot", 12.0, false, 72.0), ["0.5 ·", "1.194e-4 ·", "one-hot"]);
        assert_eq!(wrap("wide", 12.0, false, 1.0), ["w", "i", "d", "e"]);
    }
}
