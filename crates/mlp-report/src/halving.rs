//! What successive halving stopped, as a section of the page.

use crate::markup::html;
use mlp_results::HalvingRound;
use mlp_results::text;
use mlp_results::text::counted;

use std::fmt::Write as _;

use crate::page::IN_MEMORY;

/// How many stopped trials are listed.
const N_LISTED: usize = 200;

/// Who was stopped, when and as which of how many; nothing where nobody was.
pub(crate) fn halving_section(comparisons: &[HalvingRound]) -> String {
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
