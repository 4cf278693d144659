//! What goes on inside a net while it trains: one map for each quantity, layers downwards, epochs across.
//!
//! A net that gives one answer to every picture has a band in one of these maps, and the band begins at the layer at
//! fault. What the quantities are and how they are measured stands at [`mlp_train::LayerDiagnosis`].

use mlp_results::interval::range;
use mlp_results::text;

use mlp_train::{Diagnosis, LayerDiagnosis};

use crate::canvas::{Anchor, Canvas, Paint};
use crate::chart::{self, WIDTH};
use crate::figure::Figure;
use crate::palette;

/// How many epochs are drawn at most: of more, the first, the last, and others evenly between.
pub const N_EPOCHS: usize = 25;
/// How many layers are drawn at most, chosen in the same way.
pub const N_LAYERS: usize = 32;

/// How opaque the palest and the strongest shade are.
const OPACITIES: (f64, f64) = (0.04, 0.62);
const FONT: f64 = 11.0;

/// What a map shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantity {
    /// [`LayerDiagnosis::saturated`].
    Saturated,
    /// [`LayerDiagnosis::zero_derivative`].
    ZeroDerivative,
    /// [`LayerDiagnosis::dead_units`].
    DeadUnits,
    /// [`LayerDiagnosis::gradient_norm`].
    Gradient,
    /// [`LayerDiagnosis::spread`].
    Spread,
    /// [`LayerDiagnosis::effective_rank`].
    EffectiveRank,
    /// [`LayerDiagnosis::activation_rms`].
    Activation,
}

impl Quantity {
    /// Every quantity, in the order of a page.
    pub const ALL: [Quantity; 7] = [
        Quantity::Saturated,
        Quantity::ZeroDerivative,
        Quantity::DeadUnits,
        Quantity::Gradient,
        Quantity::Spread,
        Quantity::EffectiveRank,
        Quantity::Activation,
    ];

    /// The name in file names.
    pub fn name(self) -> &'static str {
        match self {
            Quantity::Saturated => "saturated",
            Quantity::ZeroDerivative => "zero-derivative",
            Quantity::DeadUnits => "dead-units",
            Quantity::Gradient => "gradient",
            Quantity::Spread => "spread",
            Quantity::EffectiveRank => "effective-rank",
            Quantity::Activation => "activation",
        }
    }

    /// The title of its map.
    pub fn title(self) -> &'static str {
        match self {
            Quantity::Saturated => "Saturated units",
            Quantity::ZeroDerivative => "Units with a derivative of exactly 0",
            Quantity::DeadUnits => "Units without a gradient for any sample",
            Quantity::Gradient => "Gradient of the weights",
            Quantity::Spread => "What varies from sample to sample",
            Quantity::EffectiveRank => "Effective rank of the outputs",
            Quantity::Activation => "Size of the outputs",
        }
    }

    fn measures(self) -> &'static str {
        match self {
            Quantity::Saturated => "derivative below 1 % of its largest, in % of units and samples",
            Quantity::ZeroDerivative => "in % of all pairs of unit and sample",
            Quantity::DeadUnits => "saturated, or of relus 0, for every sample; in % of units",
            Quantity::Gradient => "norm of the derivative of the mean loss",
            Quantity::Spread => "standard deviation of a unit's output over the samples",
            Quantity::EffectiveRank => "in how many directions the outputs vary",
            Quantity::Activation => "root mean square of the units' outputs",
        }
    }

    /// What to look for.
    pub fn meaning(self) -> &'static str {
        match self {
            Quantity::Saturated => {
                "A saturated unit hardly answers to changes, and passes hardly any gradient to the layers before it. A \
                 hidden layer that is saturated throughout stops all learning in and before it. The last layer of a net that \
                 answers rightly is saturated, and half of the relus give 0 in a healthy net."
            }
            Quantity::ZeroDerivative => {
                "Beyond saturation: in the numbers that the net computes in, nothing at all is passed back here."
            }
            Quantity::DeadUnits => "Such units learn no more, whichever of the samples is shown.",
            Quantity::Gradient => {
                "How strongly the loss asks the weights of a layer to change; shades and legend are logarithmic. Where it \
                 pales from the last layer to the first by orders of magnitude, it vanishes on its way back."
            }
            Quantity::Spread => {
                "Where it comes to 0, all samples look the same to every later layer, and the net can only give one answer. \
                 Shades and legend are logarithmic."
            }
            Quantity::EffectiveRank => {
                "The participation ratio of the outputs' covariance: 1 if they vary along a line, k if equally in k \
                 directions, 0 if not at all. At most the number of units, and of samples less one. Logarithmic shades."
            }
            Quantity::Activation => "Of sigmoids about ½ where they are in their middle. Logarithmic shades.",
        }
    }

    /// Its value in a layer.
    pub fn value(self, layer: &LayerDiagnosis) -> f64 {
        match self {
            Quantity::Saturated => layer.saturated,
            Quantity::ZeroDerivative => layer.zero_derivative,
            Quantity::DeadUnits => layer.dead_units,
            Quantity::Gradient => layer.gradient_norm,
            Quantity::Spread => layer.spread,
            Quantity::EffectiveRank => layer.effective_rank,
            Quantity::Activation => layer.activation_rms,
        }
    }

    fn is_fraction(self) -> bool {
        matches!(self, Quantity::Saturated | Quantity::ZeroDerivative | Quantity::DeadUnits)
    }

    /// Whether it says anything of these layers: of relus alone, a derivative of 0 is the same as being saturated; of
    /// others, units without a gradient for any sample are hardly more than the saturated ones.
    fn suits(self, diagnosis: &Diagnosis) -> bool {
        let hidden = &diagnosis.layers[..diagnosis.layers.len().saturating_sub(1)];
        let has = |names: &[&str]| hidden.iter().any(|layer| names.contains(&layer.activation.as_str()));
        match self {
            Quantity::ZeroDerivative => !has(&["relu"]),
            Quantity::DeadUnits => has(&["relu"]),
            _ => true,
        }
    }
}

/// The maps of a diagnosis with what to look for in each; `place` begins their names.
pub fn diagnosis_maps(diagnosis: &Diagnosis, place: &str) -> Vec<Figure> {
    if diagnosis.epochs.is_empty() {
        return Vec::new();
    }
    Quantity::ALL
        .into_iter()
        .filter(|quantity| quantity.suits(diagnosis))
        .map(|quantity| Figure {
            name: format!("{place}-diagnosis-{}", quantity.name()),
            svg: diagnosis_map(diagnosis, quantity),
            caption: quantity.meaning().to_owned(),
        })
        .collect()
}

/// A quantity by layer (downwards, counted from 1) and epoch (across), as an SVG document. Epochs that were not measured
/// stay grey.
pub fn diagnosis_map(diagnosis: &Diagnosis, quantity: Quantity) -> String {
    diagnosis_map_titled(diagnosis, quantity, quantity.title(), quantity.measures())
}

/// The same under another title, as where several networks are shown.
pub fn diagnosis_map_titled(diagnosis: &Diagnosis, quantity: Quantity, title: &str, subtitle: &str) -> String {
    let last = diagnosis.epochs.last().map_or(0, |epoch| epoch.epoch);
    let (epochs, layers) = (thinned(last, N_EPOCHS), thinned(diagnosis.layers.len().saturating_sub(1), N_LAYERS));
    let value = |layer: usize, epoch: usize| {
        let place = diagnosis.epochs.binary_search_by_key(&epoch, |measured| measured.epoch).ok()?;
        diagnosis.epochs[place].layers.get(layer).map(|layer| quantity.value(layer))
    };
    let values: Vec<Vec<Option<f64>>> =
        layers.iter().map(|&layer| epochs.iter().map(|&epoch| value(layer, epoch)).collect()).collect();
    let shades = Shades::of(quantity, values.iter().flatten().copied().flatten());

    let names: Vec<String> = layers.iter().map(|&layer| layer_name(diagnosis, layer)).collect();
    let left = names.iter().map(|name| chart::text_width(name, FONT)).fold(70.0, f64::max) + 20.0;
    let (top, row_height) = (68.0, if layers.len() > 12 { 15.0 } else { 25.0 });
    // A few wide columns would be stripes.
    let column_width = ((WIDTH - left - 12.0) / epochs.len() as f64).min(90.0);
    let bottom = top + layers.len() as f64 * row_height;
    let note = note(last, epochs.len(), values.iter().flatten().any(Option::is_none));
    let legend_y = bottom + if note.is_empty() { 40.0 } else { 56.0 };
    let mut canvas = Canvas::new(WIDTH, legend_y + 16.0);
    chart::draw_heading(&mut canvas, title, subtitle);
    canvas.text("layer: units", (left - 8.0, top - 10.0), Anchor::End, FONT, palette::MUTED, false);

    let longest = values.iter().flatten().flatten().map(|&value| written(quantity, value).chars().count()).max();
    let has_room =
        chart::text_width(&"0".repeat(longest.unwrap_or(0)), FONT) <= column_width - 2.0 && row_height > 20.0;
    for (row, name) in names.iter().enumerate() {
        let y = top + row as f64 * row_height;
        let middle = y + row_height / 2.0;
        canvas.text(name, (left - 8.0, middle), Anchor::End, FONT, palette::MUTED, false);
        for (column, value) in values[row].iter().enumerate() {
            let x = left + column as f64 * column_width;
            let (from, to) = ((x + 0.5, y + 0.5), (x + column_width - 0.5, y + row_height - 0.5));
            let Some(value) = *value else {
                canvas.rectangle(from, to, Paint::area(palette::GRID, 0.6));
                continue;
            };
            canvas.rectangle(from, to, shades.paint(value));
            if has_room {
                let at = (x + column_width / 2.0, middle);
                canvas.text(&written(quantity, value), at, Anchor::Middle, FONT, palette::INK, false);
            }
        }
    }
    let ticks: Vec<String> = epochs.iter().map(usize::to_string).collect();
    let ticks: Vec<(f64, &str)> = ticks
        .iter()
        .enumerate()
        .map(|(column, name)| (left + (column as f64 + 0.5) * column_width, name.as_str()))
        .collect();
    chart::draw_tick_names(&mut canvas, &ticks, bottom + 12.0);
    canvas.text("epoch", (left - 8.0, bottom + 12.0), Anchor::End, FONT, palette::MUTED, false);
    canvas.text(&note, (WIDTH - 12.0, bottom + 32.0), Anchor::End, FONT, palette::MUTED, false);
    shades.draw_legend(&mut canvas, (12.0, legend_y));
    let description = format!(
        "{}, for {} and {}.",
        quantity.measures(),
        text::counted(layers.len(), "layer"),
        text::counted(epochs.len(), "epoch")
    );
    canvas.finish(title, &description)
}

/// What the columns do not say of themselves.
fn note(last: usize, n_shown: usize, has_gaps: bool) -> String {
    let n_epochs = (last as u64).saturating_add(1);
    let thinned = (n_shown as u64) < n_epochs;
    let thinned = thinned.then(|| format!("{n_shown} of {} epochs", text::thousands(n_epochs)));
    let gaps = has_gaps.then(|| "grey: not measured".to_owned());
    thinned.into_iter().chain(gaps).collect::<Vec<_>>().join("; ")
}

/// `1: 512`, and of the last layer of several `8: 6 (out)`.
fn layer_name(diagnosis: &Diagnosis, layer: usize) -> String {
    let units = diagnosis.layers.get(layer).map_or(0, |layer| layer.units);
    let is_last = layer + 1 == diagnosis.layers.len() && layer > 0;
    text::shorten(&format!("{}: {units}{}", layer + 1, if is_last { " (out)" } else { "" }), 16)
}

/// 0 to `last`, at most `n_max` of them, evenly, with both ends.
fn thinned(last: usize, n_max: usize) -> Vec<usize> {
    let n_shown = last.saturating_add(1).min(n_max);
    let steps = (n_shown - 1).max(1) as u128;
    (0..n_shown).map(|step| (step as u128 * last as u128 / steps) as usize).collect()
}

/// A value in a cell: cells are small.
fn written(quantity: Quantity, value: f64) -> String {
    match value {
        _ if quantity.is_fraction() => percent(100.0 * value),
        _ if value == 0.0 => "0".to_owned(),
        _ if (0.01..1000.0).contains(&value) => text::rounded_to(value, 2),
        _ => format!("{value:.0e}"),
    }
}

/// 0 and 100 only where they are exact.
fn percent(percent: f64) -> String {
    match percent {
        _ if percent == percent.round() => percent.to_string(),
        _ if percent < 0.1 => "<0.1".to_owned(),
        _ if percent > 99.9 => ">99.9".to_owned(),
        _ if (10.0..99.0).contains(&percent) => format!("{percent:.0}"),
        _ => format!("{percent:.1}"),
    }
}

/// How values become shades.
struct Shades {
    is_fraction: bool,
    /// Of what is above 0; the palest and the strongest shade.
    range: Option<(f64, f64)>,
    has_zeros: bool,
}

impl Shades {
    fn of(quantity: Quantity, values: impl Iterator<Item = f64> + Clone) -> Shades {
        let range = match quantity.is_fraction() {
            true => Some((0.0, 1.0)),
            false => range(values.clone().filter(|&value| value > 0.0)),
        };
        Shades { is_fraction: quantity.is_fraction(), range, has_zeros: values.into_iter().any(|value| value == 0.0) }
    }

    fn paint(&self, value: f64) -> Paint {
        match self.range {
            Some((low, high)) if self.is_fraction => self.shade((value - low) / (high - low)),
            Some((low, high)) if value > 0.0 => match (high / low).ln() {
                width if width > 0.0 => self.shade((value / low).ln() / width),
                _ => self.shade(1.0),
            },
            _ => Paint::area(palette::VERMILION, 0.4),
        }
    }

    fn shade(&self, share: f64) -> Paint {
        let color = if self.is_fraction { palette::VERMILION } else { palette::BLUE };
        let share = if share.is_finite() { share.clamp(0.0, 1.0) } else { 1.0 };
        Paint::area(color, OPACITIES.0 + (OPACITIES.1 - OPACITIES.0) * share)
    }

    fn draw_legend(&self, canvas: &mut Canvas, (left, y): (f64, f64)) {
        let (n_steps, width) = (10, 14.0);
        let mut x = left;
        if let Some((low, high)) = self.range {
            let ends = match self.is_fraction {
                true => ("0 %".to_owned(), "100 %".to_owned()),
                false => (text::rounded_to(low, 2), text::rounded_to(high, 2)),
            };
            if low < high {
                canvas.text(&ends.0, (x, y), Anchor::Start, 12.0, palette::MUTED, false);
                x += chart::text_width(&ends.0, 12.0) + 8.0;
            }
            for step in if low < high { 0..n_steps } else { n_steps - 1..n_steps } {
                let paint = self.shade(f64::from(step) / f64::from(n_steps - 1));
                canvas.rectangle((x, y - 7.0), (x + width, y + 7.0), paint);
                x += width;
            }
            canvas.text(&ends.1, (x + 8.0, y), Anchor::Start, 12.0, palette::MUTED, false);
            x += chart::text_width(&ends.1, 12.0) + 28.0;
        }
        if self.has_zeros && !self.is_fraction {
            canvas.rectangle((x, y - 7.0), (x + width, y + 7.0), self.paint(0.0));
            canvas.text("exactly 0", (x + width + 8.0, y), Anchor::Start, 12.0, palette::MUTED, false);
        }
    }
}
