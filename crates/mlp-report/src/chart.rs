//! The frame that the curves share: two axes, a light grid, levels, bands, lines with their names at their ends.
//!
//! Lines are named where they end instead of in a legend, so that nothing has to be looked up. A panel is
//! [`WIDTH`] pixels wide, which a phone shows nearly at full size; pages put panels side by side where there is room.

mod axis;
pub(crate) mod lettering;
pub(crate) mod marks;
mod names;
mod plot;

pub use mlp_results::interval::range;

use crate::canvas::{Anchor, Canvas, Paint};
use crate::palette::{self, Color};

pub use axis::Axis;
pub use lettering::{draw_heading, draw_tick_names, text_width};

use lettering::{FONT, LINE};
use marks::{BAD, draw_beyond, draw_cross};
use names::{Name, draw_names};
use plot::Plot;

/// The width of every panel, in pixels.
pub const WIDTH: f64 = 420.0;

/// How many points of a line say their value when the pointer rests there; of more, an even selection.
const N_HINTS: usize = 25;
/// How near to such a point the pointer must be, in pixels.
const HINT_RADIUS: f64 = 6.0;

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
    /// For each point what is said of it when the pointer rests there; nothing where there are none.
    pub hints: Vec<String>,
    /// For each point its value as text, which is written where the point is off the axis; nothing where there are none.
    pub values: Vec<String>,
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
            hints: Vec::new(),
            values: Vec::new(),
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

/// A loose point.
#[derive(Clone, Debug, PartialEq)]
pub struct Dot {
    /// x and y. A y off the axis is marked at the edge.
    pub at: (f64, f64),
    /// Its colour.
    pub color: Color,
    /// Whether it stands for something without a score: then it is a cross at the bad end of the axis.
    pub is_missing: bool,
    /// What is said of it when the pointer rests there; nothing if empty.
    pub hint: String,
}

impl Dot {
    /// A point that says nothing of itself.
    pub fn new(at: (f64, f64), color: Color) -> Dot {
        Dot { at, color, is_missing: false, hint: String::new() }
    }
}

/// Everything a panel shows.
///
/// ```
/// use mlp_report::chart::{self, Axis, Chart, Series};
/// use mlp_report::palette;
///
/// let svg = chart::draw(&Chart {
///     title: "Loss".to_owned(),
///     subtitle: "mean of the loss over samples and labels as they are".to_owned(),
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
    pub dots: Vec<Dot>,
    /// Of the whole panel, in pixels.
    pub height: f64,
}

/// A panel as an SVG document.
pub fn draw(chart: &Chart) -> String {
    let mut canvas = Canvas::new(WIDTH, chart.height);
    let plot = Plot::new(chart);
    draw_heading(&mut canvas, &chart.title, &chart.subtitle);
    draw_grid(&mut canvas, chart, &plot);
    for level in &chart.levels {
        if let Some(y) = plot.y(level.value) {
            canvas.dashes((plot.left, y), plot.right, Paint::line(palette::MUTED, 1.0));
        }
    }
    for series in &chart.series {
        draw_band(&mut canvas, series, &plot);
    }
    for dot in &chart.dots {
        draw_dot(&mut canvas, dot, &plot);
    }
    for series in &chart.series {
        draw_bars(&mut canvas, series, &plot);
        draw_line(&mut canvas, series, &plot);
        draw_values(&mut canvas, series, &plot);
    }
    draw_names(&mut canvas, names(chart, &plot), plot.right, (plot.top, plot.bottom));
    if !has_points(chart) {
        let middle = ((plot.left + plot.right) / 2.0, (plot.top + plot.bottom) / 2.0);
        canvas.text("no finite value to draw", middle, Anchor::Middle, FONT, palette::MUTED, false);
    }
    for series in &chart.series {
        draw_hints(&mut canvas, series, &plot);
    }
    canvas.finish(&chart.title, &chart.description)
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
    let y = plot.bottom + 15.0;
    let n_lines = match plot.wrapped_ticks() {
        Some(wrapped) => {
            for (x, lines) in &wrapped {
                let middle = y + LINE * (lines.len() - 1) as f64 / 2.0;
                lettering::draw_lines(canvas, lines, (*x, middle), Anchor::Middle, FONT, palette::MUTED, false);
            }
            wrapped.iter().map(|(_, lines)| lines.len()).max().unwrap_or(1)
        }
        None => {
            draw_tick_names(canvas, &names, y);
            1
        }
    };
    canvas.line(&[(plot.left, plot.bottom), (plot.right, plot.bottom)], Paint::line(palette::MUTED, 1.0));
    let lines = lettering::wrap(&chart.x_name, 12.0, false, WIDTH - 24.0);
    let more = LINE * (n_lines - 1) as f64;
    let extra = more + LINE * (lines.len() - 1) as f64;
    canvas.extend(extra);
    let half = lettering::widest(&lines, 12.0, false) / 2.0 + 6.0;
    let middle = ((plot.left + plot.right) / 2.0).clamp(half.min(WIDTH / 2.0), (WIDTH - half).max(WIDTH / 2.0));
    let y = chart.height - 12.0 + (more + extra) / 2.0;
    lettering::draw_lines(canvas, &lines, (middle, y), Anchor::Middle, 12.0, palette::MUTED, false);
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

fn draw_dot(canvas: &mut Canvas, dot: &Dot, plot: &Plot<'_>) {
    let Some(place) = plot.point(dot.at) else { return };
    let beyond = plot.beyond(dot.at.1);
    let draw = |canvas: &mut Canvas| match beyond {
        _ if dot.is_missing => draw_cross(canvas, place, 3.0, BAD),
        Some(beyond) => draw_beyond(canvas, place, beyond, BAD),
        None => canvas.dot(place, 3.0, Paint::area(dot.color, 0.45)),
    };
    if dot.hint.is_empty() { draw(canvas) } else { canvas.explained(&dot.hint, draw) }
}

/// Intervals; an end beyond the axis has no cap.
fn draw_bars(canvas: &mut Canvas, series: &Series, plot: &Plot<'_>) {
    let paint = Paint::line(series.color, 1.6);
    for &(x, low, high) in &series.bars {
        let (Some((x, y_low)), Some((_, y_high))) = (plot.point((x, low)), plot.point((x, high))) else { continue };
        canvas.line(&[(x, y_low), (x, y_high)], paint);
        for (value, y) in [(low, y_low), (high, y_high)] {
            if plot.beyond(value).is_none() {
                canvas.line(&[(x - 4.0, y), (x + 4.0, y)], paint);
            }
        }
    }
}

fn draw_line(canvas: &mut Canvas, series: &Series, plot: &Plot<'_>) {
    let mut stretch = Vec::new();
    for &point in &series.points {
        match plot.point(point) {
            Some(place) => stretch.push((place, point.1)),
            None => draw_stretch(canvas, series, plot, &mut stretch),
        }
    }
    let end = stretch.last().copied();
    draw_stretch(canvas, series, plot, &mut stretch);
    if let (true, Some((place, _))) = (series.ends_diverged, end) {
        draw_cross(canvas, place, 4.5, series.color);
    }
}

/// Draws what is between two gaps: a line, or a dot if it is only one point.
fn draw_stretch(canvas: &mut Canvas, series: &Series, plot: &Plot<'_>, stretch: &mut Vec<((f64, f64), f64)>) {
    let places: Vec<(f64, f64)> = stretch.iter().map(|(place, _)| *place).collect();
    canvas.line(&places, Paint::line(series.color, series.width));
    if stretch.len() == 1 || series.has_dots {
        for &(place, value) in stretch.iter() {
            match plot.beyond(value) {
                Some(beyond) if series.has_dots => draw_beyond(canvas, place, beyond, series.color),
                _ => canvas.dot(place, if stretch.len() == 1 { 4.0 } else { 3.2 }, Paint::area(series.color, 1.0)),
            }
        }
    }
    stretch.clear();
}

/// The values of the points off the axis, inside of the plot; in as many lines as the neighbours leave no room for.
fn draw_values(canvas: &mut Canvas, series: &Series, plot: &Plot<'_>) {
    let mut free_from = f64::NEG_INFINITY;
    let mut line = 0.0;
    for (&point, value) in series.points.iter().zip(&series.values) {
        let (Some((x, y)), Some(beyond)) = (plot.point(point), plot.beyond(point.1)) else { continue };
        let half = text_width(value, 11.0) / 2.0;
        line = if x - half < free_from { line + 1.0 } else { 0.0 };
        let away = if beyond == marks::Beyond::Below { -10.0 - 12.0 * line } else { 10.0 + 12.0 * line };
        let x = x.clamp(plot.left + half, (WIDTH - half - 2.0).max(plot.left + half));
        canvas.text(value, (x, y + away), Anchor::Middle, 11.0, series.color, true);
        free_from = x + half + 3.0;
    }
}

fn draw_hints(canvas: &mut Canvas, series: &Series, plot: &Plot<'_>) {
    let n_points = series.points.len().min(series.hints.len());
    let step = n_points.div_ceil(N_HINTS).max(1);
    // The last one is always among them.
    let offset = n_points.saturating_sub(1) % step;
    let places = series.points.iter().zip(&series.hints).skip(offset).step_by(step);
    canvas.hints(HINT_RADIUS, places.filter_map(|(&point, hint)| Some((plot.point(point)?, hint.clone()))));
}

/// The names of the lines and levels that can be placed.
fn names(chart: &Chart, plot: &Plot<'_>) -> Vec<Name> {
    let mut names = Vec::new();
    for series in chart.series.iter().filter(|series| !series.name.is_empty()) {
        if let Some(end) = series.points.iter().rev().find_map(|&point| plot.point(point)) {
            names.push(Name { lines: plot::series_name(series), color: series.color, bold: true, end, y: end.1 });
        }
    }
    for level in &chart.levels {
        if let Some(y) = plot.y(level.value) {
            let lines = plot::level_name(chart, level);
            names.push(Name { lines, color: palette::MUTED, bold: false, end: (plot.right, y), y });
        }
    }
    names
}

fn has_points(chart: &Chart) -> bool {
    !chart.dots.is_empty()
        || chart.series.iter().any(|series| series.points.iter().any(|&(x, y)| x.is_finite() && y.is_finite()))
}
