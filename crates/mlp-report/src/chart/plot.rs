//! Where things stand in a panel: the area between the axes, and the room that names take around it.

use super::lettering::{FONT, measure, text_width, widest, wrap};
use super::marks::Beyond;
use super::{Chart, Level, Series, WIDTH};

const TOP: f64 = 64.0;
const BOTTOM: f64 = 46.0;
/// The room for names at the ends of lines, in pixels; longer names go on in the next line.
const NAMES: f64 = 138.0;
/// The same for the names of levels where no line has a name.
const LEVELS: f64 = 88.0;
/// Names of ticks are broken into lines where each has so much room, in pixels.
const TICK: f64 = 38.0;

/// The area between the axes.
pub(super) struct Plot<'a> {
    chart: &'a Chart,
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) top: f64,
    pub(super) bottom: f64,
}

impl Plot<'_> {
    pub(super) fn new(chart: &Chart) -> Plot<'_> {
        let ticks = chart.y.ticks.iter().map(|(_, name)| text_width(name, FONT)).fold(0.0, f64::max);
        let series_names = chart.series.iter().map(|series| widest(&series_name(series), FONT, true));
        let level_names = chart.levels.iter().map(|level| widest(&level_name(chart, level), FONT, false));
        let names = series_names.chain(level_names).fold(0.0, f64::max);
        Plot {
            chart,
            left: (ticks + 14.0).clamp(34.0, 120.0),
            right: WIDTH - if names > 0.0 { names + 16.0 } else { 18.0 },
            top: TOP,
            bottom: chart.height - BOTTOM,
        }
    }

    pub(super) fn x(&self, value: f64) -> Option<f64> {
        Some(self.left + self.chart.x.place(value)? * (self.right - self.left))
    }

    /// Clipped to the plot: a value off the axis is drawn at its edge.
    pub(super) fn y(&self, value: f64) -> Option<f64> {
        Some(self.bottom - self.chart.y.place(value)?.clamp(0.0, 1.0) * (self.bottom - self.top))
    }

    pub(super) fn point(&self, (x, y): (f64, f64)) -> Option<(f64, f64)> {
        if !y.is_finite() {
            return None;
        }
        Some((self.x(x)?, self.y(y)?))
    }

    /// On which side of the axis a value lies, if it is off it.
    pub(super) fn beyond(&self, value: f64) -> Option<Beyond> {
        match self.chart.y.place(value)? {
            place if place < -1e-9 => Some(Beyond::Below),
            place if place > 1.0 + 1e-9 => Some(Beyond::Above),
            _ => None,
        }
    }

    /// The names of the ticks of the x axis in lines, where they are words that do not fit beside each other and have room
    /// under each other.
    pub(super) fn wrapped_ticks(&self) -> Option<Vec<(f64, Vec<String>)>> {
        let ticks = self.chart.x.ticks.iter();
        let ticks: Vec<(f64, &str)> =
            ticks.filter_map(|(value, name)| Some((self.x(*value)?, name.as_str()))).collect();
        let gaps = ticks.windows(2).map(|pair| pair[1].0 - pair[0].0);
        let edges = ticks.first().zip(ticks.last()).map(|(first, last)| 2.0 * first.0.min(WIDTH - last.0));
        let room = gaps.chain(edges).fold(f64::INFINITY, f64::min) - 5.0;
        let are_words = ticks.iter().any(|(_, name)| name.parse::<f64>().is_err());
        let fit = ticks.iter().all(|(_, name)| measure(name, FONT, false) <= room);
        let lines = || ticks.iter().map(|(x, name)| (*x, wrap(name, FONT, false, room))).collect();
        (are_words && !fit && room >= TICK && room.is_finite()).then(lines)
    }
}

/// The name at the end of a line.
pub(super) fn series_name(series: &Series) -> Vec<String> {
    if series.name.is_empty() { Vec::new() } else { wrap(&series.name, FONT, true, NAMES) }
}

/// The name of a level.
pub(super) fn level_name(chart: &Chart, level: &Level) -> Vec<String> {
    let has_names = chart.series.iter().any(|series| !series.name.is_empty());
    wrap(&level.name, FONT, false, if has_names { NAMES } else { LEVELS })
}
