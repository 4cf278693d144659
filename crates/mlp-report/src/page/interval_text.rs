//! Intervals, ranges and differences in words.

use mlp_results::Overview;
use mlp_results::interval::Interval;

/// `97.10 – 97.90 %`, cut at what the metric can be.
pub(super) fn interval_text(overview: &Overview<'_>, interval: Interval) -> String {
    let (lowest, highest) = overview.metric.bounds();
    let (low, high) = interval.ends_within(lowest, highest);
    range_text(overview, low, high)
}

/// `97.10 – 97.90 %`.
pub(super) fn range_text(overview: &Overview<'_>, low: f64, high: f64) -> String {
    let (low, high) = (overview.metric.format(low), overview.metric.format(high));
    let low = if high.ends_with(" %") { low.trim_end_matches(" %") } else { &low };
    format!("{low} – {high}")
}

/// The ends of the interval of a difference, cut at what a difference of the metric can be.
pub(super) fn possible(overview: &Overview<'_>, (low, high): (f64, f64)) -> (f64, f64) {
    let (lowest, highest) = overview.metric.bounds();
    (low.max(lowest - highest), high.min(highest - lowest))
}

/// `−0.31 points (−0.70 to +0.08)`.
pub(super) fn difference_text(overview: &Overview<'_>, difference: Interval) -> String {
    let format = |value: f64| overview.metric.format_difference(value).replace(" points", "");
    let ends = difference.ends_within(f64::NEG_INFINITY, f64::INFINITY);
    let (low, high) = possible(overview, ends);
    format!("{} ({} to {})", overview.metric.format_difference(difference.mean), format(low), format(high))
}
