//! Axes of scores and of the numbers of a setting, as figures of settings share them.

use mlp_results::interval::range;
use mlp_results::{Overview, VariedKey, text};

use crate::chart::Axis;
use crate::effects::Effects;
use crate::factor::Grouping;

/// Positive values that span two decades or more are spaced by their ratio; of two values, from this ratio on.
const DECADES: f64 = 100.0;
const RATIO_OF_TWO: f64 = 20.0;
/// Below two decades the values themselves tell, if they span so much: they are spaced by whatever spreads them evenly.
const RATIO_OF_MANY: f64 = 8.0;

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
    let is_logarithmic = !is_length && are_spaced_by_ratio(numbers);
    let has_zero = is_logarithmic && low == 0.0;
    let low = numbers.iter().copied().filter(|&number| !is_logarithmic || number > 0.0).fold(high, f64::min);
    match grouping {
        _ if has_zero => {
            let names = numbers.iter().map(|&number| tick(number)).collect();
            Axis::ratios_with_zero(numbers, names)
        }
        Grouping::Ranges if is_logarithmic => {
            let (first, last) = (low.log10().floor() as i32, high.log10().ceil() as i32);
            let factors: &[f64] = if high / low < DECADES { &[1.0, 2.0, 5.0] } else { &[1.0, 3.0] };
            let steps = (first..=last).flat_map(|power| factors.iter().map(move |factor| factor * 10f64.powi(power)));
            let steps: Vec<f64> = steps.filter(|step| (low..=high).contains(step)).collect();
            let mut axis = Axis::ratios(&[low, high], vec![String::new(); 2]);
            axis.ticks = steps.iter().map(|&step| (step, text::rounded(step))).collect();
            axis
        }
        Grouping::Ranges => Axis::linear(low, high, 6),
        _ if is_logarithmic => Axis::ratios(numbers, numbers.iter().map(|&number| tick(number)).collect()),
        _ if numbers.len() <= 12 => Axis::values(numbers, numbers.iter().map(|&number| tick(number)).collect()),
        _ => Axis::linear(low, high, 6),
    }
}

/// A value as it was typed, but for digits that nobody types.
fn tick(number: f64) -> String {
    let full = text::value(&serde_json::json!(number));
    if full.chars().count() > 8 { text::rounded(number) } else { full }
}

/// Whether numbers are spaced by their ratio: those that span two decades, powers of two, and those that were listed or
/// drawn evenly by their ratio rather than by their difference. 0 may be among them.
pub(crate) fn are_spaced_by_ratio(numbers: &[f64]) -> bool {
    let positive: Vec<f64> = numbers.iter().copied().filter(|&number| number > 0.0).collect();
    let Some((low, high)) = range(positive.iter().copied()).filter(|_| numbers.iter().all(|&number| number >= 0.0))
    else {
        return false;
    };
    let ratio = high / low;
    match positive.len() {
        0 | 1 => false,
        2 => ratio >= RATIO_OF_TWO,
        _ if ratio >= DECADES || are_powers_of_two(&positive) => true,
        n => {
            let share = |place: &dyn Fn(f64) -> f64| {
                let places = positive.iter().map(|&number| (place(number) - place(low)) / (place(high) - place(low)));
                places.sum::<f64>() / n as f64
            };
            let (by_difference, by_ratio) = (share(&|number| number), share(&f64::ln));
            ratio >= RATIO_OF_MANY && (by_ratio - 0.5).abs() < (by_difference - 0.5).abs()
        }
    }
}

fn are_powers_of_two(numbers: &[f64]) -> bool {
    let is_power = |&number: &f64| number >= 1.0 && number.log2().fract() == 0.0;
    // 1, 2, 3 is not a matter of doubling, and neither is 1, 2.
    numbers.len() > 2 && numbers.iter().all(is_power)
}

/// How many values are off an axis.
pub(crate) fn off_scale(axis: &Axis, values: impl IntoIterator<Item = f64>) -> usize {
    let is_off = |value: &f64| axis.place(*value).is_some_and(|share| !(-1e-9..=1.0 + 1e-9).contains(&share));
    values.into_iter().filter(is_off).count()
}

/// What stands under a title, with how many of `what` are off the scale.
pub(crate) fn with_note(subtitle: &str, n_beyond: usize, what: &str) -> String {
    if n_beyond == 0 {
        return subtitle.to_owned();
    }
    format!("{subtitle}; {} off the scale, marked at its edge", text::counted(n_beyond, what))
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
