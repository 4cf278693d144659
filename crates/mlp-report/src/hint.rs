//! What is said of a point when the pointer rests on it.

use mlp_results::{Cell, Overview, TrialResult, text};

/// How long the name of a configuration may be.
const N_CHARACTERS: usize = 80;

/// `gain 0.1 · activation relu, seed 3: 97.34 %`.
pub(crate) fn trial(overview: &Overview<'_>, cell: &Cell<'_>, trial: &TrialResult, score: Option<f64>) -> String {
    let seed = trial.record.config.get("seed").filter(|_| cell.trials.len() > 1 || cell.short_label.is_empty());
    let seed = seed.map(|seed| format!("seed {}", text::value(seed)));
    let name = (!cell.short_label.is_empty()).then(|| text::shorten(&overview.named(cell), N_CHARACTERS));
    let name: Vec<String> = name.into_iter().chain(seed).collect();
    let outcome = score.map_or_else(|| trial.ending(), |score| overview.metric.format(score));
    said(&name.join(", "), &outcome)
}

/// `no. 3, gain 0.1 · activation relu: 97.34 %`, the mean of the configuration with this rank, counted from 0.
pub(crate) fn configuration(overview: &Overview<'_>, rank: usize, cell: &Cell<'_>) -> String {
    let name = text::shorten(&overview.named(cell), N_CHARACTERS);
    let name = if name.is_empty() { format!("no. {}", rank + 1) } else { format!("no. {}, {name}", rank + 1) };
    let outcome = match cell.mean() {
        Some(mean) => overview.metric.format(mean),
        None if cell.n_diverged > 0 => "diverged".to_owned(),
        None => "no score".to_owned(),
    };
    said(&name, &outcome)
}

fn said(name: &str, outcome: &str) -> String {
    if name.is_empty() { outcome.to_owned() } else { format!("{name}: {outcome}") }
}
