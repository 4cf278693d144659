//! The frame that the curves share: two axes, a light grid, levels, bands, lines with their names at their ends.
//!
//! Lines are named where they end instead of in a legend, so that nothing has to be looked up. A panel is
//! [`WIDTH`] pixels wide, which a phone shows nearly at full size; pages put panels side by side where there is room.

mod axis;
mod lettering;
mod names;

pub use mlp_results::interval::range;
use mlp_results::text::shorten;

use crate::canvas::{Anchor, Canvas, Paint};
use crate::palette::{self, Color};

pub use axis::Axis;
pub use lettering::{draw_heading, draw_tick_names, text_width};

use lettering::{CHARACTER_WIDTH, CHARACTER_WIDTH_BOLD, FONT};
use names::{Name, draw_names};

/// The width of every panel, in pixels.
pub const WIDTH: f64 = 420.0;

const TOP: f64 = 64.0;
const BOTTOM: f64 = 46.0;
/// How long a name at the end of a line may be.
pub const N_NAME_CHARACTERS: usize = 19;

/// A line, with the range its values were drawn from.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Shown at its end; nothing if empty.
    pub name: String,
    /// Of the line, its dots and its band.
    pub color: Color,
    /// In pixels.
    pub width: f64,
    /// x and y; a y that is not finite leaves a gap.
    pub points: Vec<(f64, f64)>,
    /// x, lowest and highest y.
    pub band: Vec<(f64, f64, f64)>,
    /// x, lowest and highest y of intervals; drawn as upright bars.
    pub bars: Vec<(f64, f64, f64)>,
    /// Whether each point has a dot.
    pub has_dots: bool,
    /// A cross at the end: the run diverged there.
    pub ends_diverged: bool,
}

impl Series {
    /// A plain line.
    pub fn line(name: impl Into<String>, color: Color, points: Vec<(f64, f64)>) -> Series {
        Series {
            name: name.into(),
            color,
            width: 2.0,
            points,
            band: Vec::new(),
            bars: Vec::new(),
            has_dots: false,
            ends_diverged: false,
        }
    }
}

/// A dashed horizontal line: a value worth comparing with.
#[derive(Clone, Debug, PartialEq)]
pub struct Level {
    /// Shown at the right edge.
    pub name: String,
    /// Where the line is drawn.
    pub value: f64,
}

/// Everything a panel shows.
///
/// ```
/// use mlp_report::chart::{self, Axis, Chart, Series};
/// use mlp_report::palette;
///
/// let svg = chart::draw(&Chart {
///     title: "Loss".to_owned(),
///     subtitle: "mean of the loss that was minimised".to_owned(),
///     description: "It falls from 1 to 0.25.".to_owned(),
///     x_name: "epoch".to_owned(),
///     x: Axis::counts(0.0, 2.0),
///     y: Axis::linear(0.0, 1.0, 5),
///     levels: Vec::new(),
///     series: vec![Series::line("train", palette::BLUE, vec![(0.0, 1.0), (1.0, 0.5), (2.0, 0.25)])],
///     dots: Vec::new(),
///     height: 300.0,
/// });
/// assert!(svg.starts_with("<svg"));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Chart {
    /// Stands above, in bold.
    pub title: String,
    /// What the y axis measures, with its unit; stands under the title.
    pub subtitle: String,
    /// A sentence for readers who cannot see the figure.
    pub description: String,
    /// What the x axis measures, with its unit.
    pub x_name: String,
    /// The horizontal axis.
    pub x: Axis,
    /// The vertical axis.
    pub y: Axis,
    /// Values worth comparing with.
    pub levels: Vec<Level>,
    /// Lines, in the order in which they are drawn.
    pub series: Vec<Series>,
    /// Loose points.
    pub dots: Vec<(f64, f64, Color)>,
    /// Of the whole panel, in pixels.
    pub height: f64,
}

/// A panel as an SVG document.
pub fn draw(chart: &Chart) -> String {
    let mut canvas = Canvas::new(WIDTH, chart.height);
    let plot = Plot::new(chart);
    draw_titles(&mut canvas, chart);
    draw_grid(&mut canvas, chart, &plot);
    for level in &chart.levels {
        if let Some(y) = plot.y(level.value) {
            canvas.dashes((plot.left, y), plot.right, Paint::line(palette::MUTED, 1.0));
        }
    }
    for series in &chart.series {
        draw_band(&mut canvas, series, &plot);
    }
    for &(x, y, color) in &chart.dots {
        if let Some(place) = plot.point((x, y)) {
            canvas.dot(place, 3.0, Paint::area(color, 0.45));
        }
    }
    for series in &chart.series {
        draw_bars(&mut canvas, series, &plot);
        draw_line(&mut canvas, series, &plot);
    }
    draw_names(&mut canvas, names(chart, &plot), plot.right, (plot.top, plot.bottom));
    if !has_points(chart) {
        let middle = ((plot.left + plot.right) / 2.0, (plot.top + plot.bottom) / 2.0);
        canvas.text("no finite value to draw", middle, Anchor::Middle, FONT, palette::MUTED, false);
    }
    canvas.finish(&chart.title, &chart.description)
}

/// The area between the axes.
struct Plot<'a> {
    chart: &'a Chart,
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
}

impl Plot<'_> {
    fn new(chart: &Chart) -> Plot<'_> {
        let ticks = chart.y.ticks.iter().map(|(_, name)| text_width(name, FONT)).fold(0.0, f64::max);
        let width_of = |name: &str, width: f64| shorten(name, N_NAME_CHARACTERS).chars().count() as f64 * FONT * width;
        let series_names = chart.series.iter().map(|series| width_of(&series.name, CHARACTER_WIDTH_BOLD));
        let level_names = chart.levels.iter().map(|level| width_of(&level.name, CHARACTER_WIDTH));
        let names = series_names.chain(level_names).fold(0.0, f64::max);
        Plot {
            chart,
            left: (ticks + 16.0).clamp(34.0, 90.0),
            right: WIDTH - if names > 0.0 { names + 20.0 } else { 18.0 },
            top: TOP,
            bottom: chart.height - BOTTOM,
        }
    }

    fn x(&self, value: f64) -> Option<f64> {
        Some(self.left + self.chart.x.place(value)? * (self.right - self.left))
    }

    /// Clipped to the plot: a value off the axis is drawn at its edge.
    fn y(&self, value: f64) -> Option<f64> {
        Some(self.bottom - self.chart.y.place(value)?.clamp(0.0, 1.0) * (self.bottom - self.top))
    }

    fn point(&self, (x, y): (f64, f64)) -> Option<(f64, f64)> {
        if !y.is_finite() {
            return None;
        }
        Some((self.x(x)?, self.y(y)?))
    }
}

fn draw_titles(canvas: &mut Canvas, chart: &Chart) {
    draw_heading(canvas, &chart.title, &chart.subtitle);
    let plot = Plot::new(chart);
    let middle = (plot.left + plot.right) / 2.0;
    canvas.text(
        &shorten(&chart.x_name, 52),
        (middle, chart.height - 12.0),
        Anchor::Middle,
        12.0,
        palette::MUTED,
        false,
    );
}

fn draw_grid(canvas: &mut Canvas, chart: &Chart, plot: &Plot<'_>) {
    for (value, name) in &chart.y.ticks {
        let Some(y) = plot.y(*value) else { continue };
        canvas.line(&[(plot.left, y), (plot.right, y)], Paint::line(palette::GRID, 1.0));
        canvas.text(name, (plot.left - 7.0, y), Anchor::End, FONT, palette::MUTED, false);
    }
    let mut names = Vec::new();
    for (value, name) in &chart.x.ticks {
        let Some(x) = plot.x(*value) else { continue };
        canvas.line(&[(x, plot.bottom), (x, plot.bottom + 4.0)], Paint::line(palette::MUTED, 1.0));
        names.push((x, name.as_str()));
    }
    draw_tick_names(canvas, &names, plot.bottom + 15.0);
    canvas.line(&[(plot.left, plot.bottom), (plot.right, plot.bottom)], Paint::line(palette::MUTED, 1.0));
}

fn draw_band(canvas: &mut Canvas, series: &Series, plot: &Plot<'_>) {
    let mut upper = Vec::new();
    let mut lower = Vec::new();
    for &(x, low, high) in &series.band {
        if let (Some(low), Some(high)) = (plot.point((x, low)), plot.point((x, high))) {
            lower.push(low);
            upper.push(high);
        }
    }
    lower.reverse();
    upper.extend(lower);
    canvas.polygon(&upper, Paint::area(series.color, 0.16));
}

/// Intervals; an end beyond the axis has no cap.
fn draw_bars(canvas: &mut Canvas, series: &Series, plot: &Plot<'_>) {
    let paint = Paint::line(series.color, 1.6);
    for &(x, low, high) in &series.bars {
        let (Some((x, y_low)), Some((_, y_high))) = (plot.point((x, low)), plot.point((x, high))) else { continue };
        canvas.line(&[(x, y_low), (x, y_high)], paint);
        for (value, y) in [(low, y_low), (high, y_high)] {
            if (plot.chart.y.low..=plot.chart.y.high).contains(&value) {
                canvas.line(&[(x - 4.0, y), (x + 4.0, y)], paint);
            }
        }
    }
}

fn draw_line(canvas: &mut Canvas, series: &Series, plot: &Plot<'_>) {
    let mut stretch = Vec::new();
    for &point in &series.points {
        match plot.point(point) {
            Some(place) => stretch.push(place),
            None => draw_stretch(canvas, series, &mut stretch),
        }
    }
    let end = stretch.last().copied();
    draw_stretch(canvas, series, &mut stretch);
    if let (true, Some((x, y))) = (series.ends_diverged, end) {
        let arm = 4.5;
        let paint = Paint::line(series.color, 2.0);
        canvas.line(&[(x - arm, y - arm), (x + arm, y + arm)], paint);
        canvas.line(&[(x - arm, y + arm), (x + arm, y - arm)], paint);
    }
}

/// Draws what is between two gaps: a line, or a dot if it is only one point.
fn draw_stretch(canvas: &mut Canvas, series: &Series, stretch: &mut Vec<(f64, f64)>) {
    canvas.line(stretch, Paint::line(series.color, series.width));
    if stretch.len() == 1 || series.has_dots {
        for &place in stretch.iter() {
            canvas.dot(place, if stretch.len() == 1 { 4.0 } else { 3.2 }, Paint::area(series.color, 1.0));
        }
    }
    stretch.clear();
}

/// The names of the lines and levels that can be placed.
fn names(chart: &Chart, plot: &Plot<'_>) -> Vec<Name> {
    let mut names = Vec::new();
    for series in chart.series.iter().filter(|series| !series.name.is_empty()) {
        if let Some(end) = series.points.iter().rev().find_map(|&point| plot.point(point)) {
            names.push(Name {
                text: shorten(&series.name, N_NAME_CHARACTERS),
                color: series.color,
                bold: true,
                end,
                y: end.1,
            });
        }
    }
    for level in &chart.levels {
        if let Some(y) = plot.y(level.value) {
            let text = shorten(&level.name, N_NAME_CHARACTERS);
            names.push(Name { text, color: palette::MUTED, bold: false, end: (plot.right, y), y });
        }
    }
    names
}

fn has_points(chart: &Chart) -> bool {
    !chart.dots.is_empty()
        || chart.series.iter().any(|series| series.points.iter().any(|&(x, y)| x.is_finite() && y.is_finite()))
}
