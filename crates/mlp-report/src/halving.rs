//! What successive halving stopped: trials without a record, which therefore stand in no table and no mean; and the file
//! `halving.json` that says so.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::page::IN_MEMORY;
use crate::text::{self, counted, html};

/// How many stopped trials are listed.
const N_LISTED: usize = 200;

/// One comparison of trials that had trained for a number of epochs; the worse ones were stopped.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// The epoch after which they were compared.
    pub epoch: usize,
    /// What they were compared by.
    pub metric: String,
    /// Trials compared.
    pub n_trials: usize,
    /// Those that went on.
    pub n_kept: usize,
    /// Those that were stopped.
    pub stopped: Vec<StoppedTrial>,
}

/// A trial that was stopped.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StoppedTrial {
    /// Its identity.
    pub trial: String,
    /// Its settings in words.
    pub label: String,
    /// The epoch after which it was stopped.
    pub epoch: usize,
    /// What it was compared by; absent where it had failed or diverged.
    pub value: Option<f64>,
    /// Its rank among those compared, counted from 1.
    pub rank: usize,
}

/// The name of the file in the folder of a sweep.
pub const HALVING: &str = "halving.json";

/// The comparisons in `dir/halving.json`, without the trials that had come to an end of their own, such as a divergence, and
/// so have a record; none where there is no such file.
///
/// # Errors
///
/// If the file cannot be read or is damaged: one line that names it.
pub fn read_halving(dir: &Path, has_record: impl Fn(&str) -> bool) -> Result<Vec<Comparison>, String> {
    let path = dir.join(HALVING);
    if !path.is_file() {
        return Ok(Vec::new());
    }
    let bytes = fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut comparisons: Vec<Comparison> =
        serde_json::from_slice(&bytes).map_err(|error| format!("{}: {error}", path.display()))?;
    for comparison in &mut comparisons {
        comparison.stopped.retain(|cut| !has_record(&cut.trial));
    }
    Ok(comparisons)
}

/// Who was stopped, when and as which of how many; nothing where nobody was.
pub(crate) fn halving_section(comparisons: &[Comparison]) -> String {
    let n_stopped: usize = comparisons.iter().map(|comparison| comparison.stopped.len()).sum();
    if n_stopped == 0 {
        return String::new();
    }
    let mut out = format!(
        "<section id=\"halving\">\n<h2>Stopped early</h2>\n<p>{} stopped by successive halving, which compares trials by \
         validation samples. They have no result: they stand in no other table or figure and count in no mean. Those that went on were \
         chosen one by one for their own validation values, so the means and intervals of their configurations flatter.</p>\n\
         <div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Table of stopped trials\">\
         <table><thead><tr><th class=\"left\">trial</th><th class=\"left\">settings</th><th>after epoch</th>\
         <th>rank</th><th class=\"left\">compared by</th><th>value</th></tr>\
         </thead><tbody>\n",
        match n_stopped {
            1 => "1 trial was".to_owned(),
            _ => format!("{} were", counted(n_stopped, "trial")),
        }
    );
    let stopped = comparisons.iter().flat_map(|comparison| comparison.stopped.iter().map(move |cut| (comparison, cut)));
    for (comparison, cut) in stopped.take(N_LISTED) {
        writeln!(
            out,
            "<tr><td class=\"left\"><code>{}</code></td><td class=\"left\">{}</td><td>{}</td><td>{} of {}</td><td class=\"left\">{}</td>\
             <td>{}</td></tr>",
            html(&text::trial(&cut.trial)),
            html(&cut.label),
            cut.epoch,
            cut.rank,
            comparison.n_trials,
            html(&comparison.metric),
            cut.value.map_or_else(|| "none".to_owned(), text::rounded),
        )
        .expect(IN_MEMORY);
    }
    out.push_str("</tbody></table></div>\n");
    if n_stopped > N_LISTED {
        let left = text::thousands((n_stopped - N_LISTED) as u64);
        writeln!(out, "<p class=\"note\">… and {left} more, in <code>halving.json</code>.</p>").expect(IN_MEMORY);
    }
    out.push_str("</section>\n");
    out
}
