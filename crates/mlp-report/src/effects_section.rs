//! The page's section on what each setting does: how the numbers were come by, the figures, and the numbers.

use crate::markup::html;
use mlp_results::Overview;
use mlp_results::interval::Interval;
use mlp_results::text;
use mlp_results::text::counted;

use std::fmt::Write as _;

use crate::best_table::interval_text;
use crate::effects::{Design, Effects, KeyEffect, LevelEffect};
use crate::figures::Figures;
use crate::page::{IN_MEMORY, figures_html};

/// What each setting does: the figures, how the numbers were come by, and the numbers.
pub(crate) fn effects_section(overview: &Overview<'_>, figures: &Figures<'_>) -> String {
    let effects = &figures.effects;
    if effects.keys.is_empty() {
        return String::new();
    }
    let mut out = format!(
        "<section id=\"effects\">\n<h2>Effect of each setting</h2>\n<p>{}</p>\n",
        effects_method(overview, effects)
    );
    out.push_str(&spans_table(overview, effects));
    out.push_str(&figures_html(&figures.settings));
    out.push_str("<details class=\"card\"><summary>The numbers, value by value</summary>\n");
    for effect in &effects.keys {
        out.push_str(&effect_table(overview, effects, effect));
    }
    out.push_str("</details>\n</section>\n");
    out
}

/// What was done, and what it rests on.
fn effects_method(overview: &Overview<'_>, effects: &Effects) -> String {
    let mut out = String::new();
    if let Some(epoch) = effects.at_epoch {
        write!(
            out,
            "Trials were ended early, and those that finished are the ones that were ahead: means over them alone would \
             flatter. So this section compares all trials after epoch {epoch}, the last that every one of them reached; \
             it favours what learns fast. "
        )
        .expect(IN_MEMORY);
    }
    let (n_found, n_possible) = effects.n_combinations;
    let (found, possible) = (text::thousands(n_found as u64), text::thousands(n_possible as u64));
    out.push_str(&match effects.design {
        Design::Complete if effects.keys.len() == 1 => format!("{} have a result.", counted(n_found, "value")),
        Design::Complete => format!(
            "All {possible} combinations of the values that have any result have one, so the effect of a value is the mean over all \
             combinations of the others, each counting once."
        ),
        Design::Incomplete => format!(
            "Only {found} of {possible} combinations of values have a result. Plain means would then mix the effects of the \
             settings, so a sum of one effect for each setting was fitted to the configurations by least squares, and each \
             mean is what this sum gives for all combinations with equal weight, whether they were run or not."
        ),
        Design::Drawn => "Some settings took too many values to look at each, as when they are drawn at random: numbers are \
             taken together in ranges with equally many configurations. The means are plain ones, which is right if the \
             settings were drawn independently of each other; their intervals are t-intervals over the configurations and \
             hold the scatter that the other settings cause."
            .to_owned(),
    });
    if effects.design != Design::Drawn {
        out.push_str(&match effects.n_seeds {
            0 | 1 => " With one seed there are no intervals: nothing is known about luck.".to_owned(),
            n => format!(
                " The 95 % intervals say how far a mean would move with other seeds: each of the {n} seeds was left out in \
                 turn (the jackknife), and Student’s t taken with {}.",
                counted(n.min(50) - 1, "degree") + " of freedom"
            ),
        });
    }
    if effects.keys.iter().flat_map(|effect| &effect.levels).any(|level| level.n_without > 0) {
        out.push_str(
            " Configurations that diverged, failed or were ended early have no score and cannot count against a value: where \
             there are such, the value may be worse than its mean.",
        );
    }
    if let Some(explained) = effects.explained.filter(|_| effects.keys.len() > 1) {
        write!(
            out,
            " A sum of single effects describes {:.0} % of the variance between configurations; the rest is interplay of \
             settings, and luck.",
            explained * 100.0
        )
        .expect(IN_MEMORY);
    }
    if overview.has_two_heaps() {
        out.push_str(
            " Some runs trained and others did not, with a gap between them: a mean over both lies where no run is, and says \
             mostly how many trained. Look at the dots, too.",
        );
    }
    if !effects.left_out.is_empty() {
        let names: Vec<String> = effects
            .left_out
            .iter()
            .take(6)
            .map(|&key| format!("<code>{}</code>", html(&overview.varied[key].key)))
            .collect();
        write!(out, " Left out, because of too many values without an order: {}.", names.join(", ")).expect(IN_MEMORY);
    }
    out
}

/// One row for each setting: its best and its worst value.
fn spans_table(overview: &Overview<'_>, effects: &Effects) -> String {
    let mut out = String::from(
        "<div class=\"scroll\"><table><thead><tr><th scope=\"col\" class=\"left\">setting</th><th scope=\"col\" \
         class=\"left\">best value</th><th scope=\"col\">mean</th><th scope=\"col\" class=\"left\">worst value</th>\
         <th scope=\"col\">mean</th><th scope=\"col\">difference</th></tr></thead><tbody>\n",
    );
    for effect in &effects.keys {
        let key = html(&overview.varied[effect.factor.key].title);
        let mark = if effect.is_separable { "" } else { " *" };
        let Some((low, high)) = effect.extremes() else {
            writeln!(out, "<tr><th scope=\"row\" class=\"left\">{key}{mark}</th><td class=\"left\" colspan=\"5\">not more than one value has a result</td></tr>")
                .expect(IN_MEMORY);
            continue;
        };
        let (best, worst) = if overview.metric.higher_is_better() { (high, low) } else { (low, high) };
        let name = |level: usize| {
            let n_without = effect.levels[level].n_without;
            let n_all = n_without + effect.levels[level].n_configurations;
            let without = format!(" <span class=\"status diverged\">({n_without} of {n_all} without a score)</span>");
            format!("{}{}", html(&effect.factor.names[level]), if n_without > 0 { &without } else { "" })
        };
        writeln!(
            out,
            "<tr><th scope=\"row\" class=\"left\">{key}{mark}</th><td class=\"left\">{}</td><td>{}</td><td class=\"left\">{}</td><td>{}</td><td>{}</td></tr>",
            name(best.0),
            bounded(overview, best.1),
            name(worst.0),
            bounded(overview, worst.1),
            overview.metric.format_difference(high.1 - low.1).trim_start_matches('+'),
        )
        .expect(IN_MEMORY);
    }
    out.push_str("</tbody></table></div>\n");
    if effects.keys.iter().any(|effect| !effect.is_separable) {
        out.push_str(
            "<p class=\"note\">* The configurations that have a result do not determine this effect apart from those of \
             other settings; plain means stand in where they must. More combinations would tell.</p>\n",
        );
    }
    out
}

/// A mean, cut at what the metric can be: a sum of effects knows no bounds.
fn bounded(overview: &Overview<'_>, mean: f64) -> String {
    let (lowest, highest) = overview.metric.bounds();
    let mark = if mean < lowest || mean > highest { " (cut)" } else { "" };
    format!("{}{mark}", overview.metric.format(mean.clamp(lowest, highest)))
}

/// The numbers of one setting.
fn effect_table(overview: &Overview<'_>, effects: &Effects, effect: &KeyEffect) -> String {
    let is_adjusted = effects.design == Design::Incomplete;
    let has_intervals = effect.levels.iter().any(|level| level.half_width.is_some());
    let has_trained = overview.has_two_heaps();
    let has_without = effect.levels.iter().any(|level| level.n_without > 0);
    let mut out = format!(
        "<h3>{}</h3>\n<div class=\"scroll\"><table><thead><tr><th scope=\"col\" class=\"left\">value</th><th scope=\"col\">{}</th>",
        html(&overview.varied[effect.factor.key].title),
        if is_adjusted { "adjusted mean" } else { "mean" }
    );
    let columns = [
        ("95 % interval", has_intervals),
        ("plain mean", is_adjusted),
        ("configurations", true),
        ("without a score", has_without),
        ("trials with a score", true),
        ("trained", has_trained),
    ];
    for (name, _) in columns.iter().filter(|(_, present)| *present) {
        write!(out, "<th scope=\"col\">{name}</th>").expect(IN_MEMORY);
    }
    out.push_str("</tr></thead><tbody>\n");
    let or_none = |text: Option<String>| text.unwrap_or_else(|| "–".to_owned());
    for (name, level) in effect.factor.names.iter().zip(&effect.levels) {
        let mean = if is_adjusted { level.adjusted } else { level.estimate() };
        let cells = [
            (or_none(level_interval(overview, level)), has_intervals),
            (or_none(level.plain.map(|plain| overview.metric.format(plain))), is_adjusted),
            (level.n_configurations.to_string(), true),
            (level.n_without.to_string(), has_without),
            (format!("{} of {}", level.n_scored, level.n_trials), true),
            (format!("{} of {}", level.n_trained, level.n_scored), has_trained),
        ];
        let cells: Vec<String> = cells.into_iter().filter(|(_, present)| *present).map(|(text, _)| text).collect();
        writeln!(
            out,
            "<tr><th scope=\"row\" class=\"left\">{}</th><td><strong>{}</strong></td><td>{}</td></tr>",
            html(name),
            or_none(mean.map(|mean| bounded(overview, mean))),
            cells.join("</td><td>")
        )
        .expect(IN_MEMORY);
    }
    out.push_str("</tbody></table></div>\n");
    out
}

fn level_interval(overview: &Overview<'_>, level: &LevelEffect) -> Option<String> {
    let interval = Interval { mean: level.estimate()?, half_width: level.half_width? };
    Some(interval_text(overview, interval))
}
