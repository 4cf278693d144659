//! Axes of scores and of the numbers of a setting, as figures of settings share them.

use mlp_results::interval::range;
use mlp_results::{Overview, VariedKey, text};

use crate::chart::Axis;
use crate::effects::Effects;
use crate::factor::Grouping;

/// From this ratio of the largest to the smallest value on, positive values are spaced by their ratio.
const RATIO_LOGARITHMIC: f64 = 20.0;

/// The axis of scores, in per cent for fractions, with some room at both ends.
pub(crate) fn score_axis(overview: &Overview<'_>, low: f64, high: f64) -> Axis {
    if overview.metric.is_fraction() {
        let margin = ((high - low) * 0.08).max(0.05);
        Axis::percent(low - margin, high + margin)
    } else {
        Axis::linear(low, high, 5)
    }
}

/// The axis of a key's numbers, with a tick at each where they are few.
pub(crate) fn number_axis(numbers: &[f64], key: &VariedKey, grouping: Grouping) -> Axis {
    let (low, high) = range(numbers.iter().copied()).unwrap_or((0.0, 1.0));
    let is_length = key.values.iter().any(|value| value.as_array().is_some_and(|list| list.len() != 1));
    let is_logarithmic = low > 0.0 && high / low >= RATIO_LOGARITHMIC && !is_length;
    match grouping {
        Grouping::Ranges if is_logarithmic => {
            let (first, last) = (low.log10().floor() as i32, high.log10().ceil() as i32);
            let steps = (first..=last).flat_map(|power| [1.0, 3.0].map(|factor| factor * 10f64.powi(power)));
            let steps: Vec<f64> = steps.filter(|step| (low..=high).contains(step)).collect();
            let mut axis = Axis::ratios(&[low, high], vec![String::new(); 2]);
            axis.ticks = steps.iter().map(|&step| (step, text::rounded(step))).collect();
            axis
        }
        Grouping::Ranges => Axis::linear(low, high, 6),
        _ if is_logarithmic => Axis::ratios(numbers, numbers.iter().map(f64::to_string).collect()),
        _ if numbers.len() <= 12 => Axis::values(numbers, numbers.iter().map(f64::to_string).collect()),
        _ => Axis::linear(low, high, 6),
    }
}

/// What is measured, and when if not at the end.
pub(crate) fn subtitle(overview: &Overview<'_>, effects: &Effects) -> String {
    match effects.at_epoch {
        Some(epoch) => format!("after epoch {epoch}: {}", overview.metric.measures()),
        None => overview.metric.measures().to_owned(),
    }
}

/// A value on the axis as text.
pub(crate) fn written(overview: &Overview<'_>, on_axis: f64) -> String {
    overview.metric.format(if overview.metric.is_fraction() { on_axis / 100.0 } else { on_axis })
}
