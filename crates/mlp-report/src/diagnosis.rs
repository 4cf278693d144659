//! What goes on inside a network while it trains: one map for each quantity, layers downwards, epochs across.
//!
//! A network that gives one answer to every image has a band in one of these maps, and the band begins at the layer at
//! fault. What the quantities are and how they are measured stands at [`mlp_train::LayerDiagnosis`].

mod quantity;
mod shades;

use mlp_results::text;
use mlp_train::Diagnosis;

use crate::canvas::{Anchor, Canvas, Paint};
use crate::chart::{self, WIDTH};
use crate::figure::ReportFigure;
use crate::palette;

pub use quantity::Quantity;

use quantity::written;
use shades::Shades;

/// How many epochs are drawn at most: of more, the first, the last, and others evenly between.
pub const N_EPOCHS: usize = 25;
/// How many layers are drawn at most, chosen in the same way.
pub const N_LAYERS: usize = 32;

const FONT: f64 = 11.0;
/// Where the cells begin.
const TOP: f64 = 68.0;

/// The maps of a diagnosis with what to look for in each; `place` begins their names.
pub fn diagnosis_maps(diagnosis: &Diagnosis, place: &str) -> Vec<ReportFigure> {
    if diagnosis.epochs.is_empty() {
        return Vec::new();
    }
    Quantity::ALL
        .into_iter()
        .filter(|quantity| quantity.suits(diagnosis))
        .map(|quantity| ReportFigure {
            name: format!("{place}-diagnosis-{}", quantity.name()),
            svg: diagnosis_map(diagnosis, quantity),
            caption: quantity.meaning().to_owned(),
        })
        .collect()
}

/// A quantity by layer (downwards, counted from 1) and epoch (across), as an SVG document. Epochs that were not measured
/// stay grey.
///
/// ```no_run
/// use mlp_report::diagnosis::{Quantity, diagnosis_map};
///
/// let folder = mlp_results::RunFolder::new("runs/layers-mnist").read()?;
/// for diagnosis in &folder.diagnoses {
///     std::fs::write(format!("{}.svg", diagnosis.trial), diagnosis_map(diagnosis, Quantity::Spread))?;
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn diagnosis_map(diagnosis: &Diagnosis, quantity: Quantity) -> String {
    diagnosis_map_titled(diagnosis, quantity, quantity.title(), quantity.measures())
}

/// The same under another title, as where several networks are shown.
pub fn diagnosis_map_titled(diagnosis: &Diagnosis, quantity: Quantity, title: &str, subtitle: &str) -> String {
    let map = Map::new(diagnosis, quantity);
    let values = || map.values.iter().flatten().copied().flatten();
    let shades = Shades::new(quantity, values());
    let note = map.note();
    let legend_y = map.bottom() + if note.is_empty() { 40.0 } else { 56.0 };
    let mut canvas = Canvas::new(WIDTH, legend_y + 16.0);
    chart::draw_heading(&mut canvas, title, subtitle);
    map.draw_rows(&mut canvas, &shades);
    map.draw_epochs(&mut canvas);
    canvas.text(&note, (WIDTH - 12.0, map.bottom() + 32.0), Anchor::End, FONT, palette::MUTED, false);
    shades.draw_legend(&mut canvas, (12.0, legend_y));
    let description = format!(
        "{}, for {} and {}.",
        quantity.measures(),
        text::counted(map.values.len(), "layer"),
        text::counted(map.epochs.len(), "epoch")
    );
    canvas.finish(title, &description)
}

/// The cells of a map and where they stand.
struct Map {
    quantity: Quantity,
    /// The last epoch that was measured.
    last: usize,
    /// The epochs that are shown.
    epochs: Vec<usize>,
    /// The names of the layers that are shown.
    names: Vec<String>,
    /// For each layer that is shown and each epoch, the value, if it was measured.
    values: Vec<Vec<Option<f64>>>,
    left: f64,
    row_height: f64,
    column_width: f64,
}

impl Map {
    fn new(diagnosis: &Diagnosis, quantity: Quantity) -> Map {
        let last = diagnosis.epochs.last().map_or(0, |epoch| epoch.epoch);
        let (epochs, layers) = (thinned(last, N_EPOCHS), thinned(diagnosis.layers.len().saturating_sub(1), N_LAYERS));
        let value = |layer: usize, epoch: usize| {
            let place = diagnosis.epochs.binary_search_by_key(&epoch, |measured| measured.epoch).ok()?;
            diagnosis.epochs[place].layers.get(layer).map(|layer| quantity.value(layer))
        };
        let row = |&layer: &usize| epochs.iter().map(|&epoch| value(layer, epoch)).collect();
        let values = layers.iter().map(row).collect();
        let names: Vec<String> = layers.iter().map(|&layer| layer_name(diagnosis, layer)).collect();
        let left = names.iter().map(|name| chart::text_width(name, FONT)).fold(70.0, f64::max) + 20.0;
        Map {
            quantity,
            last,
            values,
            left,
            row_height: if layers.len() > 12 { 15.0 } else { 25.0 },
            // A few wide columns would be stripes.
            column_width: ((WIDTH - left - 12.0) / epochs.len() as f64).min(90.0),
            epochs,
            names,
        }
    }

    fn bottom(&self) -> f64 {
        TOP + self.values.len() as f64 * self.row_height
    }

    fn draw_rows(&self, canvas: &mut Canvas, shades: &Shades) {
        let right = self.left - 8.0;
        canvas.text("layer: units", (right, TOP - 10.0), Anchor::End, FONT, palette::MUTED, false);
        let has_room = self.has_room_for_values();
        for (row, (name, values)) in self.names.iter().zip(&self.values).enumerate() {
            let y = TOP + row as f64 * self.row_height;
            let middle = y + self.row_height / 2.0;
            canvas.text(name, (right, middle), Anchor::End, FONT, palette::MUTED, false);
            for (column, value) in values.iter().enumerate() {
                let x = self.left + column as f64 * self.column_width;
                let to = (x + self.column_width - 0.5, y + self.row_height - 0.5);
                let paint = value.map_or(Paint::area(palette::GRID, 0.6), |value| shades.paint(value));
                let said = value.map_or_else(|| "not measured".to_owned(), |value| written(self.quantity, value));
                let hint = format!("layer {name}, epoch {}: {said}", self.epochs[column]);
                canvas.explained(&hint, |canvas| {
                    canvas.rectangle((x + 0.5, y + 0.5), to, paint);
                    if value.is_some() && has_room {
                        let at = (x + self.column_width / 2.0, middle);
                        canvas.text(&said, at, Anchor::Middle, FONT, palette::INK, false);
                    }
                });
            }
        }
    }

    fn has_room_for_values(&self) -> bool {
        let lengths =
            self.values.iter().flatten().flatten().map(|&value| written(self.quantity, value).chars().count());
        let longest = "0".repeat(lengths.max().unwrap_or(0));
        chart::text_width(&longest, FONT) <= self.column_width - 2.0 && self.row_height > 20.0
    }

    fn draw_epochs(&self, canvas: &mut Canvas) {
        let names: Vec<String> = self.epochs.iter().map(usize::to_string).collect();
        let x = |column: usize| self.left + (column as f64 + 0.5) * self.column_width;
        let ticks: Vec<(f64, &str)> =
            names.iter().enumerate().map(|(column, name)| (x(column), name.as_str())).collect();
        chart::draw_tick_names(canvas, &ticks, self.bottom() + 12.0);
        canvas.text("epoch", (self.left - 8.0, self.bottom() + 12.0), Anchor::End, FONT, palette::MUTED, false);
    }

    /// What the columns do not say of themselves.
    fn note(&self) -> String {
        let n_epochs = (self.last as u64).saturating_add(1);
        let is_thinned = (self.epochs.len() as u64) < n_epochs;
        let thinned = is_thinned.then(|| format!("{} of {} epochs", self.epochs.len(), text::thousands(n_epochs)));
        let has_gaps = self.values.iter().flatten().any(Option::is_none);
        let gaps = has_gaps.then(|| "grey: not measured".to_owned());
        thinned.into_iter().chain(gaps).collect::<Vec<_>>().join("; ")
    }
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
