//! The colours: few, told apart by colour-blind readers, and each with a counterpart for a dark page.
//!
//! A figure is drawn once, in the light colours. A style sheet then swaps each of them for its dark counterpart where
//! the reader's system asks for a dark page: a rule such as `[fill="#0067A3"]` outranks the attribute it matches. So
//! the same SVG serves both, in the page and as a file of its own. Shades in heat maps are made with opacity, which
//! works over either ground.

use std::fmt::Write as _;

/// A colour on a light page and its counterpart on a dark one, as red, green and blue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Color {
    /// On a light page.
    pub light: [u8; 3],
    /// On a dark page.
    pub dark: [u8; 3],
}

/// What figures and cards stand on.
pub const GROUND: Color = Color { light: [255, 255, 255], dark: [24, 28, 33] };
/// Titles and values.
pub const INK: Color = Color { light: [27, 31, 36], dark: [230, 234, 239] };
/// Axis labels and remarks: at least 4.5:1 against the ground.
pub const MUTED: Color = Color { light: [87, 96, 106], dark: [158, 168, 179] };
/// Grid lines.
pub const GRID: Color = Color { light: [229, 232, 236], dark: [45, 51, 59] };
/// The many lines that are only context.
pub const CONTEXT: Color = Color { light: [176, 184, 193], dark: [78, 87, 97] };
/// The test set, right answers, the first of several lines.
pub const BLUE: Color = Color { light: [0, 103, 163], dark: [96, 180, 240] };
/// The training set, wrong answers, the second of several lines.
pub const VERMILION: Color = Color { light: [192, 71, 0], dark: [255, 149, 89] };
/// The validation set, the third of several lines.
pub const GREEN: Color = Color { light: [0, 117, 84], dark: [62, 205, 160] };
const PURPLE: Color = Color { light: [140, 58, 128], dark: [226, 154, 216] };
const OLIVE: Color = Color { light: [122, 98, 0], dark: [222, 192, 80] };
const TEAL: Color = Color { light: [28, 119, 140], dark: [104, 208, 228] };

/// The colours of lines in the order in which they are given out.
pub const SERIES: [Color; 6] = [BLUE, VERMILION, GREEN, PURPLE, OLIVE, TEAL];

const ALL: [Color; 11] = [GROUND, INK, MUTED, GRID, CONTEXT, BLUE, VERMILION, GREEN, PURPLE, OLIVE, TEAL];

/// `#0067A3`.
pub(crate) fn hex(color: [u8; 3]) -> String {
    format!("#{:02X}{:02X}{:02X}", color[0], color[1], color[2])
}

/// The CSS that turns a figure's light colours into the dark ones, to be put inside a media query.
pub(crate) fn dark_rules() -> String {
    let mut rules = String::new();
    for color in ALL {
        let (light, dark) = (hex(color.light), hex(color.dark));
        write!(rules, "svg [fill=\"{light}\"]{{fill:{dark}}}svg [stroke=\"{light}\"]{{stroke:{dark}}}")
            .expect("writing into a string cannot fail");
    }
    rules
}

/// A diverging scale for weights: blue below zero, white at zero, vermilion above. `value` is clipped to −1..=1.
pub(crate) fn diverging(value: f64) -> [u8; 3] {
    let value = if value.is_finite() { value.clamp(-1.0, 1.0) } else { 0.0 };
    let end = if value < 0.0 { BLUE.light } else { VERMILION.light };
    // The square root lifts small weights, which are most of them, out of the white.
    let share = value.abs().sqrt();
    std::array::from_fn(|channel| (255.0 + share * (f64::from(end[channel]) - 255.0)).round() as u8)
}
