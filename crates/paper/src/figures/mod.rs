//! The figures of the document, each with the numbers behind it.

mod dot_chart;

use mlp_report::chart::{self, Axis};

pub(crate) use self::dot_chart::{DotChart, Dots, XAxis};

/// A drawing, its numbers as CSV, and what to look for.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// The files' name, without an ending.
    pub name: String,
    /// The drawing.
    pub svg: String,
    /// The numbers, with a line of names above them.
    pub csv: String,
    /// What is drawn, and what to look for.
    pub caption: String,
}

impl Figure {
    /// Whether there is anything in it.
    pub(crate) fn has_numbers(&self) -> bool {
        self.csv.lines().count() > 1
    }
}

/// The height of a figure, in pixels.
pub(crate) const FIGURE_HEIGHT: f64 = 320.0;
/// A share of 1 as a percentage.
pub(crate) const PERCENT: f64 = 100.0;

/// From a whole percentage below the lowest value to one above the highest.
pub(crate) fn percent_around(groups: &[Dots]) -> Axis {
    let values = groups.iter().flat_map(|dots| &dots.points).flat_map(|(_, values)| values.iter().copied());
    let (low, high) = chart::range(values).unwrap_or((0.0, PERCENT));
    Axis::percent((low - 0.2).floor(), (high + 0.2).ceil().min(PERCENT))
}

/// Without the digits that only say how the number is stored.
pub(crate) fn rounded(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}
