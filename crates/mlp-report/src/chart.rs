//! The frame that the curves share: two axes, a light grid, levels, bands, lines with their names at their ends.
//!
//! Lines are named where they end instead of in a legend, so that nothing has to be looked up. A panel is
//! [`WIDTH`] pixels wide, which a phone shows nearly at full size; pages put panels side by side where there is room.

pub use mlp_results::interval::range;
use mlp_results::text::shorten;

use crate::canvas::{Anchor, Canvas, Paint};
use crate::palette::{self, Color};

/// The width of every panel, in pixels.
pub const WIDTH: f64 = 420.0;

const TOP: f64 = 64.0;
const BOTTOM: f64 = 46.0;
const FONT: f64 = 12.5;
/// The least distance between the middles of two names at the right edge.
const NAME_DISTANCE: f64 = 15.0;
/// What a character takes on average in the sans-serif fonts of the usual systems, as a share of the font size.
const CHARACTER_WIDTH: f64 = 0.6;
/// The same for bold ones.
const CHARACTER_WIDTH_BOLD: f64 = 0.66;
/// How long a name at the end of a line may be.
pub const N_NAME_CHARACTERS: usize = 19;

/// One axis: a range of finite values, linear or logarithmic, with its ticks.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// Whether distances stand for ratios.
    pub logarithmic: bool,
    /// Values with their names.
    pub ticks: Vec<(f64, String)>,
}

/// A line, with the range its values were drawn from.
#[derive(Clone, Debug)]
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
#[derive(Clone, Debug)]
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

impl Axis {
    /// From `low` to `high`, widened to whole steps, with about `n_ticks` ticks at 1, 2 or 5 times a power of ten.
    pub fn linear(low: f64, high: f64, n_ticks: usize) -> Axis {
        let (low, high) = ordered(low, high);
        let step = nice_step((high - low) / n_ticks.max(1) as f64);
        let (first, last) = ((low / step + 1e-9).floor(), (high / step - 1e-9).ceil());
        let decimals = (-step.log10()).ceil().clamp(0.0, 12.0) as usize;
        let mut ticks = Vec::new();
        let mut index = first;
        while index <= last && ticks.len() < 64 {
            ticks.push((index * step, tick_name(index * step, decimals)));
            index += 1.0;
        }
        Axis { low: first * step, high: last * step, logarithmic: false, ticks }
    }

    /// From 0 to 100 %, or as far down as `low` asks for where the values fill only the top.
    pub fn percent(low: f64, high: f64) -> Axis {
        let mut axis = Axis::linear(low.max(0.0), high.min(100.0), 5);
        axis.high = axis.high.min(100.0);
        for (_, name) in &mut axis.ticks {
            name.push_str(" %");
        }
        axis
    }

    /// Whole numbers: epochs, layers. The range is kept, not widened.
    pub fn counts(low: f64, high: f64) -> Axis {
        let (low, high) = if high > low { (low, high) } else { (low - 0.5, high + 0.5) };
        let step = nice_step((high - low) / 6.0).max(1.0);
        let mut ticks = Vec::new();
        let mut value = (low / step).ceil() * step;
        while value <= high && ticks.len() < 64 {
            ticks.push((value, tick_name(value, 0)));
            value += step;
        }
        Axis { low, high, logarithmic: false, ticks }
    }

    /// Ticks at the given positive values, spaced by their ratio.
    pub fn ratios(values: &[f64], names: Vec<String>) -> Axis {
        let low = values.iter().copied().fold(f64::INFINITY, f64::min);
        let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let margin = (high / low).powf(0.06);
        let ticks = values.iter().copied().zip(names).collect();
        Axis { low: low / margin, high: high * margin, logarithmic: true, ticks }
    }

    /// Ticks at the given values, spaced by their difference.
    pub fn values(values: &[f64], names: Vec<String>) -> Axis {
        let low = values.iter().copied().fold(f64::INFINITY, f64::min);
        let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let margin = if high > low { (high - low) * 0.06 } else { 0.5 };
        Axis {
            low: low - margin,
            high: high + margin,
            logarithmic: false,
            ticks: values.iter().copied().zip(names).collect(),
        }
    }

    /// Ticks without an order of their own: the first at 0, the next at 1.
    pub fn names(names: Vec<String>) -> Axis {
        let places: Vec<f64> = (0..names.len()).map(|place| place as f64).collect();
        let mut axis = Axis::values(&places, names);
        (axis.low, axis.high) = (axis.low.min(-0.3), axis.high.max(places.len() as f64 - 0.7));
        axis
    }

    /// Where a value stands, 0 at the low end and 1 at the high one; nothing if it can't be placed.
    pub fn place(&self, value: f64) -> Option<f64> {
        let place = if self.logarithmic {
            (value / self.low).ln() / (self.high / self.low).ln()
        } else {
            (value - self.low) / (self.high - self.low)
        };
        place.is_finite().then_some(place)
    }
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
    draw_names(&mut canvas, chart, &plot);
    if !has_points(chart) {
        let middle = ((plot.left + plot.right) / 2.0, (plot.top + plot.bottom) / 2.0);
        canvas.text("no finite value to draw", middle, Anchor::Middle, FONT, palette::MUTED, false);
    }
    canvas.finish(&chart.title, &chart.description)
}

/// The title in bold and, under it, what is measured.
pub fn draw_heading(canvas: &mut Canvas, title: &str, subtitle: &str) {
    canvas.text(&shorten(title, 46), (12.0, 18.0), Anchor::Start, 15.0, palette::INK, true);
    canvas.text(&shorten(subtitle, 62), (12.0, 37.0), Anchor::Start, 12.0, palette::MUTED, false);
}

/// The names of ticks at the given x, from left to right; one that would run into its neighbour is left out.
pub fn draw_tick_names(canvas: &mut Canvas, names: &[(f64, &str)], y: f64) {
    let mut free_from = f64::NEG_INFINITY;
    for &(x, name) in names {
        let half = text_width(name, FONT) / 2.0;
        if x - half >= free_from {
            canvas.text(name, (x, y), Anchor::Middle, FONT, palette::MUTED, false);
            free_from = x + half + 6.0;
        }
    }
}

/// The width in pixels that `text` takes at about `size`.
pub fn text_width(text: &str, size: f64) -> f64 {
    text.chars().count() as f64 * size * CHARACTER_WIDTH
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
        let of_name = |name: &str, width: f64| shorten(name, N_NAME_CHARACTERS).chars().count() as f64 * FONT * width;
        let of_series = chart.series.iter().map(|series| of_name(&series.name, CHARACTER_WIDTH_BOLD));
        let of_levels = chart.levels.iter().map(|level| of_name(&level.name, CHARACTER_WIDTH));
        let names = of_series.chain(of_levels).fold(0.0, f64::max);
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

/// A name at the right edge, on its way to a place of its own.
struct Name {
    text: String,
    color: Color,
    bold: bool,
    /// Where the line ends; a level's ends at the edge.
    end: (f64, f64),
    y: f64,
}

fn draw_names(canvas: &mut Canvas, chart: &Chart, plot: &Plot<'_>) {
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
    names.sort_by(|a, b| a.y.total_cmp(&b.y));
    spread(&mut names, plot.top - 4.0, plot.bottom + 4.0);
    for name in &names {
        let from = (name.end.0 + 3.0, name.end.1);
        let to = (plot.right + 8.0, name.y);
        if to.0 - from.0 > 12.0 || (name.y - name.end.1).abs() > 3.0 {
            canvas.line(
                &[from, (plot.right + 1.0, name.end.1), to],
                Paint { opacity: 0.45, ..Paint::line(name.color, 1.0) },
            );
        }
        canvas.text(&name.text, (plot.right + 10.0, name.y), Anchor::Start, FONT, name.color, name.bold);
    }
}

/// Moves the names, sorted by place, apart until none overlaps, and keeps them between `top` and `bottom` while they
/// fit there.
fn spread(names: &mut [Name], top: f64, bottom: f64) {
    for _ in 0..60 {
        for index in 1..names.len() {
            let overlap = NAME_DISTANCE - (names[index].y - names[index - 1].y);
            if overlap > 0.0 {
                names[index - 1].y -= overlap / 2.0;
                names[index].y += overlap / 2.0;
            }
        }
        if let Some(first) = names.first_mut() {
            first.y = first.y.max(top);
        }
        if let Some(last) = names.last_mut() {
            last.y = last.y.min(bottom);
        }
    }
    // Whatever the edges left in disorder goes down in order.
    for index in 1..names.len() {
        names[index].y = names[index].y.max(names[index - 1].y + NAME_DISTANCE * 0.9);
    }
}

fn has_points(chart: &Chart) -> bool {
    !chart.dots.is_empty()
        || chart.series.iter().any(|series| series.points.iter().any(|&(x, y)| x.is_finite() && y.is_finite()))
}

/// A range with room in it: equal or odd ends are moved apart.
fn ordered(low: f64, high: f64) -> (f64, f64) {
    match (low.is_finite(), high.is_finite()) {
        (true, true) if high > low && (high - low).is_finite() => (low, high),
        (true, true) if low.abs() < 1e300 && high >= low => {
            let margin = if low == 0.0 { 0.5 } else { low.abs() * 0.05 };
            (low - margin, low + margin)
        }
        _ => (0.0, 1.0),
    }
}

/// 1, 2 or 5 times a power of ten, at least `rough`.
fn nice_step(rough: f64) -> f64 {
    if !(rough.is_finite() && rough > 0.0) {
        return 1.0;
    }
    let power = 10f64.powf(rough.log10().floor());
    let share = rough / power;
    let factor = [1.0, 2.0, 5.0].into_iter().find(|&factor| share <= factor * (1.0 + 1e-9)).unwrap_or(10.0);
    factor * power
}

fn tick_name(value: f64, decimals: usize) -> String {
    let value = if value.abs() < 1e-12 { 0.0 } else { value };
    if value.abs() >= 1e7 { format!("{value:.0e}") } else { format!("{value:.decimals$}") }
}
