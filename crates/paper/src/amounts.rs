//! Effects, intervals and shares as the document writes them.

use crate::comparison::Measure;
use crate::findings::Statement;
use crate::statistics::{Judged, share_interval};

/// What rounding leaves of a deviation that is none.
const ROUNDING: f64 = 1e-6;

/// `+1.23 [0.98, 1.48]`, in the unit of the measure.
pub(crate) fn effect(statement: &Statement, judged: &Judged) -> String {
    let amount = amount(statement);
    if has_interval(statement) { format!("{amount} {}", ends(statement, judged)) } else { amount }
}

/// `+1.23`, in the unit of the measure.
pub(crate) fn amount(statement: &Statement) -> String {
    let unit = match statement.measure {
        Measure::Error => " per bit",
        Measure::Slope => " lg γ* per lg N",
        _ => "",
    };
    let estimate = statement.effect.estimate;
    let sign = if estimate > 0.0 { "+" } else { "" };
    format!("{sign}{}{unit}", plain(statement, estimate))
}

/// `[0.98, 1.48]`.
pub(crate) fn ends(statement: &Statement, judged: &Judged) -> String {
    if !judged.low.is_finite() || !judged.high.is_finite() {
        return "[no interval of one seed]".to_owned();
    }
    // No share can change by more than the whole.
    let most = if statement.measure == Measure::Slope { f64::INFINITY } else { 1.0 };
    format!("[{}, {}]", plain(statement, judged.low.max(-most)), plain(statement, judged.high.min(most)))
}

/// Whether there is anything that scatters. An interval of no width would claim to know more than was seen.
pub(crate) fn has_interval(statement: &Statement) -> bool {
    !statement.says_nothing && statement.effect.standard_error > ROUNDING
}

/// `10 of 10 seeds (72 to 100 %)`.
pub(crate) fn share(n_so: usize, n: usize) -> String {
    let (low, high) = share_interval(n_so, n);
    format!("{n_so} of {n} seeds ({:.0} to {:.0} %)", low * 100.0, high * 100.0)
}

fn plain(statement: &Statement, value: f64) -> String {
    let text = match statement.measure {
        Measure::Error => format!("{value:.3}"),
        Measure::Slope => format!("{value:.2}"),
        _ => format!("{:.2}", value * 100.0),
    };
    // Rounding leaves no "-0.00".
    let digits = text.trim_start_matches('-');
    if digits.chars().all(|character| character == '0' || character == '.') {
        digits.to_owned()
    } else {
        text.replace('-', "−")
    }
}
