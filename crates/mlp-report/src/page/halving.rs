//! What successive halving stopped.

use askama::Template;
use mlp_results::text::{self, counted};
use mlp_results::{HalvingRound, StoppedTrial};

use crate::markup::{render, shown};

/// How many stopped trials are listed.
const N_LISTED: usize = 200;

#[derive(Template)]
#[template(path = "halving.html")]
struct Halving {
    n_stopped: String,
    rows: Vec<Row>,
    n_more: Option<String>,
}

struct Row {
    trial: String,
    label: String,
    epoch: usize,
    rank: usize,
    n_trials: usize,
    metric: String,
    value: String,
}

/// Who was stopped, when and as which of how many; nothing where nobody was.
pub(super) fn section(rounds: &[HalvingRound]) -> Option<String> {
    let n_stopped: usize = rounds.iter().map(|round| round.stopped.len()).sum();
    if n_stopped == 0 {
        return None;
    }
    let were = if n_stopped == 1 { "was" } else { "were" };
    let stopped = rounds.iter().flat_map(|round| round.stopped.iter().map(move |trial| Row::new(round, trial)));
    let n_more = n_stopped.saturating_sub(N_LISTED);
    Some(render(&Halving {
        n_stopped: format!("{} {were}", counted(n_stopped, "trial")),
        rows: stopped.take(N_LISTED).collect(),
        n_more: (n_more > 0).then(|| text::thousands(n_more as u64)),
    }))
}

impl Row {
    fn new(round: &HalvingRound, stopped: &StoppedTrial) -> Row {
        Row {
            trial: shown(&text::trial(&stopped.trial)),
            label: shown(&stopped.label),
            epoch: stopped.epoch,
            rank: stopped.rank,
            n_trials: round.n_trials,
            metric: shown(&round.metric),
            value: stopped.value.map_or_else(|| "none".to_owned(), text::rounded),
        }
    }
}
