//! Means with 95 % intervals over the seeds, by name or against a number.

use std::fmt::Write as _;

use mlp_report::chart::{self, Axis, Chart, Dot, Level, Series};
use mlp_report::palette::Color;

use super::{FIGURE_HEIGHT, Figure, rounded};
use crate::statistics::basics::{interval, mean};

/// Points of one name and one colour, each with the values of all seeds.
pub(crate) struct Dots {
    pub(crate) label: String,
    pub(crate) color: Color,
    /// Place on the x axis and values.
    pub(crate) points: Vec<(f64, Vec<f64>)>,
}

/// The horizontal axis, with the name of each place on it.
pub(crate) struct XAxis {
    name: &'static str,
    axis: Axis,
    place_names: Vec<String>,
}

/// A chart of dots with intervals.
pub(crate) struct DotChart<'a> {
    pub(crate) name: &'a str,
    pub(crate) title: &'a str,
    pub(crate) subtitle: &'a str,
    pub(crate) x: XAxis,
    pub(crate) y: Axis,
    pub(crate) levels: Vec<Level>,
    pub(crate) groups: Vec<Dots>,
    pub(crate) caption: &'a str,
}

impl XAxis {
    /// Places 0, 1, 2, … with names. Names have no order in which a line could join the dots.
    pub(crate) fn names(name: &'static str, place_names: Vec<String>) -> Self {
        XAxis { name, axis: Axis::names(place_names.clone()), place_names }
    }

    /// Numbers, on a logarithmic axis. Lines join the means.
    pub(crate) fn ratios(name: &'static str, values: &[f64], place_names: Vec<String>) -> Self {
        XAxis { name, axis: Axis::ratios(values, place_names.clone()), place_names }
    }

    fn joins(&self) -> bool {
        self.axis.logarithmic
    }
}

impl DotChart<'_> {
    /// The figure; nothing without values.
    pub(crate) fn draw(self) -> Option<Figure> {
        let csv = self.csv();
        if csv.lines().count() < 2 {
            return None;
        }
        let series = (0..self.groups.len()).map(|group| self.series(group)).collect();
        let dots = (0..self.groups.len()).flat_map(|group| self.single_seeds(group)).collect();
        let DotChart { name, title, subtitle, x, y, levels, caption, .. } = self;
        Some(Figure {
            name: name.to_owned(),
            svg: chart::draw(&Chart {
                title: title.to_owned(),
                subtitle: subtitle.to_owned(),
                description: format!("{subtitle}, against {}.", x.name),
                x_name: x.name.to_owned(),
                x: x.axis,
                y,
                levels,
                series,
                dots,
                height: FIGURE_HEIGHT,
            }),
            csv,
            caption: caption.to_owned(),
        })
    }

    fn csv(&self) -> String {
        let mut csv = String::from("series,x,seed_number,value\n");
        for group in &self.groups {
            for ((_, values), place_name) in group.points.iter().zip(&self.x.place_names) {
                for (number, value) in values.iter().enumerate() {
                    let _ = writeln!(csv, "{},{place_name},{number},{}", group.label, rounded(*value));
                }
            }
        }
        csv
    }

    /// The means of a group with their intervals.
    fn series(&self, group: usize) -> Series {
        let mut line = Series::line(self.groups[group].label.clone(), self.groups[group].color, Vec::new());
        line.has_dots = true;
        for (place, values) in self.places(group) {
            if values.is_empty() {
                line.points.push((place, f64::NAN));
                continue;
            }
            line.points.push((place, mean(values)));
            if !self.x.joins() {
                line.points.push((place, f64::NAN));
            }
            if let Some(interval) = interval(values) {
                line.bars.push((place, interval.mean - interval.half_width, interval.mean + interval.half_width));
            }
        }
        line
    }

    /// The values of a group as pale dots, where no line joins the means.
    fn single_seeds(&self, group: usize) -> Vec<Dot> {
        if self.x.joins() {
            return Vec::new();
        }
        let color = self.groups[group].color;
        let dots = self
            .places(group)
            .flat_map(|(place, values)| values.iter().map(move |&value| Dot::new((place, value), color)));
        dots.collect()
    }

    /// Where the points of a group stand, with their values: the dots of one name side by side.
    fn places(&self, group: usize) -> impl Iterator<Item = (f64, &[f64])> {
        let middle = (self.groups.len() - 1) as f64 / 2.0;
        let aside = if self.x.joins() { 0.0 } else { 0.16 * (group as f64 - middle) };
        let named = self.groups[group].points.iter().zip(&self.x.place_names);
        named.map(move |((place, values), _)| (place + aside, values.as_slice()))
    }
}
