//! The page: one HTML file that needs nothing else, not even a network.
//!
//! A content security policy forbids the browser to fetch anything and to run any script but the page's own, which it
//! knows by its hash. So even text that slipped through the escaping could not run.

use crate::markup;
use crate::markup::html;
use mlp_results::Compared;
use mlp_results::Metric;
use mlp_results::Overview;
use mlp_results::RunRecord;
use mlp_results::TrialResult;
use mlp_results::endings;
use mlp_results::score::final_validation;
use mlp_results::score::seconds;
use mlp_results::text;
use mlp_results::text::counted;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::best_table::{N_BEST, best_table, interval_text};
use crate::confusion::class_scores;
use crate::cost;
use crate::diagnosis_section::{diagnoses_section, diagnosis_html};
use crate::effects_section::effects_section;
use crate::figures::{Figure, Figures, TrialFigures};
use crate::halving::halving_section;
use crate::mistakes::mistakes_html;
use crate::picture::base64;
use crate::{ReportInput, palette, table};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// Longer lists of trials in trouble are folded.
const N_OPEN: usize = 4;
const FOLDED: &str = "<details><summary>Which ones, and where</summary>";
/// How many warnings, diverged and failed trials are listed.
const N_LISTED: usize = 30;

/// The page as an HTML document.
pub fn page(input: &ReportInput, overview: &Overview<'_>, figures: &Figures<'_>) -> String {
    let mut body = String::new();
    body.push_str(&header(input, overview, figures));
    body.push_str(&navigation(input, figures));
    body.push_str("<main>\n");
    if input.trials.is_empty() {
        body.push_str(NOTHING);
        body.push_str(&halving_section(&input.halving));
    } else {
        body.push_str(&troubles(overview));
        body.push_str(&comparison_section(overview, figures));
        body.push_str(&effects_section(overview, figures));
        body.push_str(&epochs_section(figures));
        body.push_str(&cost_section(overview, figures));
        body.push_str(&trial_sections(input, overview, figures));
        body.push_str(&diagnoses_section(figures, |trial| name_of(input, overview, trial)));
        body.push_str(&robustness_section(figures));
        body.push_str(&table_section(overview));
        body.push_str(&halving_section(&input.halving));
        body.push_str(&settings_section(&input.trials, overview));
    }
    body.push_str(&words_section());
    body.push_str("</main>\n");
    body.push_str(&footer(&input.trials));
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n<title>{}</title>\n\
         <style>\n{STYLE}figure svg text{{font-family:inherit}}@media (prefers-color-scheme:dark){{{}}}\n</style>\n</head>\n\
         <body>\n{body}<script>{SCRIPT}</script>\n</body>\n</html>\n",
        policy(),
        html(&title(input)),
        palette::dark_rules(),
    )
}

const NOTHING: &str = "<section class=\"banner\"><p><strong>There is no trial to show.</strong> The folder holds no \
    record in <code>trials/</code>. Run a training or a sweep into this folder, then make the report again.</p></section>\n";

/// Only the page's own script runs, only pictures inside the page are shown, nothing is fetched.
fn policy() -> String {
    let hash = base64(&Sha256::digest(SCRIPT.as_bytes()));
    format!(
        "default-src 'none'; script-src 'sha256-{hash}'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; \
         form-action 'none'"
    )
}

fn title(input: &ReportInput) -> String {
    let trials = &input.trials;
    let names = match &input.name {
        Some(name) => vec![name.as_str()],
        None => distinct(trials, |record| record.config.get("name").and_then(Value::as_str)),
    };
    let data = distinct(trials, |record| Some(record.data.name.as_str()));
    match (names.is_empty(), data.is_empty()) {
        (true, true) => "Report without trials".to_owned(),
        (true, false) => format!("Trials on {}", joined(&data)),
        (false, true) => joined(&names),
        (false, false) => format!("{} on {}", joined(&names), joined(&data)),
    }
}

fn distinct<'a>(trials: &'a [TrialResult], text: impl Fn(&'a RunRecord) -> Option<&'a str>) -> Vec<&'a str> {
    let texts: BTreeSet<&str> =
        trials.iter().filter_map(|trial| text(&trial.record)).filter(|text| !text.is_empty()).collect();
    texts.into_iter().collect()
}

/// At most three names in a row.
fn joined(names: &[&str]) -> String {
    let shown: Vec<String> = names.iter().take(3).map(|name| text::shorten(name, 60)).collect();
    let rest = if names.len() > 3 { format!(" and {} more", names.len() - 3) } else { String::new() };
    format!("{}{rest}", shown.join(", "))
}

fn header(input: &ReportInput, overview: &Overview<'_>, figures: &Figures<'_>) -> String {
    let trials = &input.trials;
    let mut out = format!("<header>\n<h1>{}</h1>\n", html(&title(input)));
    if !trials.is_empty() {
        let n_stopped: usize = input.halving.iter().map(|comparison| comparison.stopped.len()).sum();
        let stopped = match n_stopped {
            0 => String::new(),
            _ => format!(" <a href=\"#halving\">{}</a> stopped early.", counted(n_stopped, "more trial")),
        };
        writeln!(out, "<p class=\"lead\">{}{stopped}</p>", lead(trials, overview)).expect(IN_MEMORY);
    }
    if trials.iter().any(|trial| trial.record.data.synthetic) {
        let all = if trials.iter().all(|trial| trial.record.data.synthetic) { "These" } else { "Some of these" };
        writeln!(
            out,
            "<section class=\"banner\" aria-label=\"Synthetic data\"><p><strong>Synthetic data.</strong> {all} trials were \
             trained on digits drawn by the program, not on handwriting. Their numbers say nothing about MNIST.</p></section>"
        )
        .expect(IN_MEMORY);
    }
    let warnings: Vec<&String> = input.warnings.iter().chain(&figures.warnings).collect();
    if !warnings.is_empty() {
        writeln!(
            out,
            "<section class=\"banner\" aria-label=\"Warnings\"><p><strong>This report is not complete:</strong> {}.</p><ul>",
            counted(warnings.len(), "warning")
        )
        .expect(IN_MEMORY);
        for warning in warnings.iter().take(N_LISTED) {
            // Warnings hold paths and reasons: they get more room than a name.
            let warning = markup::escape_markup(&text::clean(warning, 600));
            writeln!(out, "<li>{warning}</li>").expect(IN_MEMORY);
        }
        out.push_str(&more_items(warnings.len()));
        out.push_str("</ul></section>\n");
    }
    if !trials.is_empty() {
        out.push_str(&tiles(trials, overview));
    }
    out.push_str("</header>\n");
    out
}

pub(crate) const IN_MEMORY: &str = "writing into a string cannot fail";

fn more_items(n_items: usize) -> String {
    if n_items <= N_LISTED {
        return String::new();
    }
    format!("<li>… and {} more</li>\n", text::thousands((n_items - N_LISTED) as u64))
}

/// One sentence: how many trials, how they ended, what varied.
fn lead(trials: &[TrialResult], overview: &Overview<'_>) -> String {
    let count = |word: &str| trials.iter().filter(|trial| trial.ending() == word).count();
    let ends: Vec<String> = endings(trials.iter())
        .iter()
        .map(|word| format!("{} {}", text::thousands(count(word) as u64), html(word)))
        .collect();
    let varied: Vec<String> =
        overview.varied.iter().take(6).map(|key| format!("<code>{}</code>", html(&key.key))).collect();
    let what = match varied.len() {
        0 if trials.len() > 1 => "; they differ in their seed only".to_owned(),
        0 => String::new(),
        _ => format!(
            "; {} with different {}{}",
            counted(overview.cells.len(), "configuration"),
            varied.join(", "),
            if overview.varied.len() > 6 { " and more" } else { "" }
        ),
    };
    format!("{}: {}{what}.", counted(trials.len(), "trial"), ends.join(", "))
}

fn tiles(trials: &[TrialResult], overview: &Overview<'_>) -> String {
    let metric = overview.metric;
    let mut out = String::from("<dl class=\"tiles\">\n");
    let mut tile = |name: &str, value: &str, remark: &str| {
        writeln!(out, "<div><dt>{name}</dt><dd>{value}<small>{remark}</small></dd></div>").expect(IN_MEMORY);
    };
    match overview.best.and_then(|best| Some((best, overview.score(best)?))) {
        Some((best, score)) => {
            let name = format!("Best {} on the {} set", metric.title().to_lowercase(), overview.set_name());
            tile(
                &name,
                &metric.format(score),
                &format!("trial <code>{}</code>", html(&text::trial(&best.record.trial))),
            );
        }
        None => tile("Best trial", "none", "no trial finished with a finite result"),
    }
    if let Some((cell, mean)) = overview.cells.first().and_then(|cell| Some((cell, cell.mean()?)))
        && cell.scores.len() > 1
    {
        let runs = counted(cell.scores.len(), "run");
        let remark = match cell.interval() {
            Some(interval) => format!("95 % t-interval {}, from {runs}", interval_text(overview, interval)),
            None => format!("only {} of {runs} trained", cell.n_trained),
        };
        tile("Best mean of a configuration", &metric.format(mean), &remark);
    }
    if let Some((name, value)) = overview.best_constant() {
        tile("Without looking at the picture", &metric.format(value), &format!("the constant answer “{name}”"));
    }
    let costs: Vec<f64> = trials.iter().filter_map(|trial| seconds(&trial.record)).collect();
    if !costs.is_empty() {
        let each = text::duration(mlp_results::interval::mean(&costs).unwrap_or(0.0));
        let remark = if costs.len() > 1 {
            format!("one after the other; {each} for each of {} on the average", counted(costs.len(), "trial"))
        } else {
            "training and measuring".to_owned()
        };
        tile("Time of all trials", &text::duration(costs.iter().sum()), &remark);
    }
    if let Some(record) = overview
        .best
        .or(overview.cells.first().and_then(|cell| cell.trials.first().copied()))
        .map(|trial| &trial.record)
    {
        let layers: Vec<String> = record.layers.iter().map(usize::to_string).collect();
        let layers = if layers.len() > 7 { format!("{} layers", layers.len() - 1) } else { layers.join("–") };
        let of = if trials.len() > 1 { "of the best trial" } else { "in all" };
        tile("Weights and biases", &text::thousands(record.parameters as u64), &format!("{of}: {}", html(&layers)));
    }
    out.push_str("</dl>\n");
    out
}

fn navigation(input: &ReportInput, figures: &Figures<'_>) -> String {
    let sections = [
        ("comparison", "Comparison", !figures.comparison.is_empty()),
        ("effects", "Effect of each setting", !figures.effects.keys.is_empty()),
        ("epochs", "By epoch", !figures.epochs.is_empty()),
        ("cost", "Cost", !figures.cost.is_empty()),
        (
            "trials",
            if figures.trials.len() > 1 { "Trials one by one" } else { "The trial" },
            !figures.trials.is_empty(),
        ),
        ("diagnosis", "Diagnosis", !figures.diagnoses.is_empty()),
        ("robustness", "Robustness", !figures.robustness.is_empty()),
        ("table", "All trials", !input.trials.is_empty()),
        ("halving", "Stopped early", input.halving.iter().any(|comparison| !comparison.stopped.is_empty())),
        ("settings", "Settings", !input.trials.is_empty()),
        ("words", "What the numbers mean", true),
    ];
    let mut out = String::from("<nav aria-label=\"Sections\"><ul>");
    for (target, name, _) in sections.iter().filter(|(_, _, present)| *present) {
        write!(out, "<li><a href=\"#{target}\">{name}</a></li>").expect(IN_MEMORY);
    }
    out.push_str("</ul></nav>\n");
    out
}

/// The trials that diverged, failed or were stopped, each with where and why.
fn troubles(overview: &Overview<'_>) -> String {
    let trials = || overview.cells.iter().flat_map(|cell| &cell.trials).copied();
    let diverged: Vec<&TrialResult> = trials().filter(|trial| trial.ending() == "diverged").collect();
    let failed: Vec<&TrialResult> = trials().filter(|trial| trial.ending() == "failed").collect();
    let stopped: Vec<&TrialResult> = trials().filter(|trial| trial.was_stopped()).collect();
    let mut out = String::new();
    if !diverged.is_empty() {
        let explained = "The numbers of these nets grew beyond all bounds; they have no result and are left out of means. A \
                         smaller learning rate usually helps. (Layers are counted from 0, epochs and batches from 1.)";
        out.push_str(&trouble(
            &format!("{} diverged.", counted(diverged.len(), "trial")),
            explained,
            &diverged,
            |trial| {
                let place = trial.record.diverged.as_ref().map_or_else(
                    || "at a place that was not recorded".to_owned(),
                    |place| format!("in epoch {}, batch {}, layer {}", place.epoch, place.batch, place.layer),
                );
                format!("{} {place}", trial_name(overview, trial))
            },
        ));
    }
    if !failed.is_empty() {
        out.push_str(&trouble(&format!("{} failed.", counted(failed.len(), "trial")), "", &failed, |trial| {
            let error = trial.record.error.as_deref().unwrap_or("no reason was recorded");
            format!("{}: {}", trial_name(overview, trial), markup::escape_markup(&text::clean(error, 600)))
        }));
    }
    if !stopped.is_empty() {
        let words: Vec<String> = endings(stopped.iter().copied()).iter().map(|word| html(word)).collect();
        let were = if stopped.len() == 1 { "was" } else { "were" };
        let head = format!("{} {were} ended early ({}).", counted(stopped.len(), "trial"), words.join(", "));
        let explained = "They did not come to their end, so they have no result and belong to no mean of final scores. Their \
                         curves and last measurements are in the table of all trials.";
        out.push_str(&trouble(&head, explained, &stopped, |trial| {
            let epoch = trial.record.epochs.last().map_or(0, |epoch| epoch.epoch);
            format!("{} after epoch {epoch}", trial_name(overview, trial))
        }));
    }
    out
}

fn trouble(head: &str, explained: &str, trials: &[&TrialResult], line: impl Fn(&TrialResult) -> String) -> String {
    let is_folded = trials.len() > N_OPEN;
    let mut out = format!(
        "<section class=\"banner\"><p><strong>{head}</strong> {explained}</p>{}<ul>\n",
        if is_folded { FOLDED } else { "" }
    );
    for trial in trials.iter().take(N_LISTED) {
        writeln!(out, "<li>{}</li>", line(trial)).expect(IN_MEMORY);
    }
    out.push_str(&more_items(trials.len()));
    out.push_str(if is_folded { "</ul></details></section>\n" } else { "</ul></section>\n" });
    out
}

/// The start of its identity, its configuration as far as it varies, and its seed.
fn trial_name(overview: &Overview<'_>, trial: &TrialResult) -> String {
    let cell = overview.cells.iter().find(|cell| cell.trials.iter().any(|other| std::ptr::eq(*other, trial)));
    let mut settings: Vec<String> =
        cell.iter().map(|cell| html(&cell.label)).filter(|label| !label.is_empty()).collect();
    settings.extend(trial.record.config.get("seed").map(|seed| format!("seed {}", html(&text::value(seed)))));
    let settings = if settings.is_empty() { String::new() } else { format!(" ({})", settings.join(", ")) };
    format!("<code>{}</code>{settings}", html(&text::trial(&trial.record.trial)))
}

/// The name of the trial with this identity, or where there is no such trial, as long as it runs, the start of it.
fn name_of(input: &ReportInput, overview: &Overview<'_>, identity: &str) -> String {
    let trial = input.trials.iter().find(|trial| trial.record.trial == identity);
    trial.map_or_else(|| format!("<code>{}</code>", html(&text::trial(identity))), |trial| trial_name(overview, trial))
}

fn comparison_section(overview: &Overview<'_>, figures: &Figures<'_>) -> String {
    if figures.comparison.is_empty() {
        return String::new();
    }
    let mut out = String::from("<section id=\"comparison\">\n<h2>Comparison</h2>\n");
    if !overview.varied.is_empty() {
        out.push_str(&best_table(overview));
    }
    out.push_str(&ranking_note(overview));
    out.push_str(&figures_html(&figures.comparison));
    out.push_str("</section>\n");
    out
}

/// What the ranking rests on, and in which direction that misleads.
fn ranking_note(overview: &Overview<'_>) -> String {
    let trials = || overview.cells.iter().flat_map(|cell| &cell.trials).filter(|trial| overview.score(trial).is_some());
    let n_trials = trials().count();
    let is_validated = |trial: &&&TrialResult| {
        final_validation(&trial.record).is_some_and(|metrics| overview.metric.value(metrics).is_some())
    };
    let n_validated = trials().filter(is_validated).count();
    let column = format!("<code>validation.{}</code> in <code>results.csv</code>", overview.metric.name());
    let remedy = match n_validated {
        0 => "No trial was measured on a validation set, by which one could choose without this bias.".to_owned(),
        n if n == n_trials => format!(
            "All of these trials were measured on a validation set, too: to choose without this bias, choose by {column}, \
             and only then look at the test score of the one chosen."
        ),
        n => format!(
            "Only {} of {} trials were measured on a validation set ({column}), so not all can be compared without this \
             bias.",
            text::thousands(n as u64),
            text::thousands(n_trials as u64)
        ),
    };
    let basis = match overview.compared {
        Compared::Test => format!(
            "“Best” on this page means best on the test set. The best of many test scores flatters, because luck with \
             these very pictures helped to choose it; on new pictures expect somewhat worse. {remedy}"
        ),
        Compared::Train => {
            "“Best” on this page means best on the training set, because no trial was measured on a test \
                            set. It says nothing about pictures that the nets were not trained on."
                .to_owned()
        }
    };
    format!("<p>{basis}</p>\n")
}

fn epochs_section(figures: &Figures<'_>) -> String {
    if figures.epochs.is_empty() {
        return String::new();
    }
    format!(
        "<section id=\"epochs\">\n<h2>By epoch</h2>\n<p>The best configurations in colour, the others in grey. The curve \
         of any single trial is a click away in the <a href=\"#table\">table of all trials</a>.</p>\n{}</section>\n",
        figures_html(&figures.epochs)
    )
}

/// What the best scores cost.
fn cost_section(overview: &Overview<'_>, figures: &Figures<'_>) -> String {
    if figures.cost.is_empty() {
        return String::new();
    }
    let mut out = String::from(
        "<section id=\"cost\">\n<h2>Cost</h2>\n<p>Configurations that no other beats in both score and seconds, the \
         quickest first.</p>\n<div class=\"scroll\"><table><thead><tr><th scope=\"col\" class=\"left\">configuration</th>\
         <th scope=\"col\">seconds per trial</th><th scope=\"col\">mean score</th></tr></thead><tbody>\n",
    );
    let front = cost::front(overview);
    for &rank in front.iter().take(N_BEST) {
        let cell = &overview.cells[rank];
        writeln!(
            out,
            "<tr><td class=\"left long\"><span class=\"rank\">no. {}</span> {}</td><td>{}</td><td>{}</td></tr>",
            rank + 1,
            html(&cell.label),
            cell.seconds().map(text::duration).unwrap_or_default(),
            cell.mean().map(|mean| overview.metric.format(mean)).unwrap_or_default()
        )
        .expect(IN_MEMORY);
    }
    out.push_str("</tbody></table></div>\n");
    if front.len() > N_BEST {
        writeln!(out, "<p class=\"note\">… and {} more.</p>", front.len() - N_BEST).expect(IN_MEMORY);
    }
    out.push_str(&figures_html(&figures.cost));
    out.push_str("</section>\n");
    out
}

pub(crate) fn figures_html(figures: &[Figure]) -> String {
    let mut out = String::from("<div class=\"figures\">\n");
    for figure in figures {
        writeln!(
            out,
            "<figure class=\"card\">{}<figcaption>{}</figcaption></figure>",
            inline(&figure.svg),
            markup::escape_markup(&figure.caption)
        )
        .expect(IN_MEMORY);
    }
    out.push_str("</div>\n");
    out
}

/// An SVG document for the inside of the page, where the page's own style serves all of them.
fn inline(svg: &str) -> String {
    match (svg.find("<style>"), svg.find("</style>")) {
        (Some(start), Some(end)) if start < end => format!("{}{}", &svg[..start], &svg[end + "</style>".len()..]),
        _ => svg.to_owned(),
    }
}

fn trial_sections(input: &ReportInput, overview: &Overview<'_>, figures: &Figures<'_>) -> String {
    let Some((first, others)) = figures.trials.split_first() else { return String::new() };
    let heading = match overview.best {
        _ if input.trials.len() == 1 => "The trial",
        Some(_) => "The best trial",
        None => "A trial without a result",
    };
    let mut out =
        format!("<section id=\"trials\">\n<h2>{heading}</h2>\n<p class=\"lead\">{}</p>\n", trial_line(overview, first));
    out.push_str(&figures_html(&first.figures));
    out.push_str(&diagnosis_html(first.diagnosis.as_ref()));
    out.push_str(&classes_html(&first.trial.record));
    out.push_str(&mistakes_part(&first.trial.record, input));
    if !others.is_empty() {
        out.push_str("<h3>The best trial of other configurations</h3>\n");
        for other in others {
            let label = if other.label.is_empty() { "same settings" } else { &other.label };
            writeln!(
                out,
                "<details class=\"card\"><summary>{} <span>– {}</span></summary>\n{}{}</details>",
                html(label),
                result_text(overview, other.trial),
                figures_html(&other.figures),
                diagnosis_html(other.diagnosis.as_ref())
            )
            .expect(IN_MEMORY);
        }
        let n_left = overview.cells.len().saturating_sub(figures.trials.len());
        if n_left > 0 {
            let n_left = counted(n_left, "more configuration");
            writeln!(out, "<p class=\"note\">{n_left} are not shown one by one; their numbers are in the table.</p>")
                .expect(IN_MEMORY);
        }
    }
    out.push_str("</section>\n");
    out
}

/// Which trial it is, its settings as far as they vary, and how it ended.
fn trial_line(overview: &Overview<'_>, shown: &TrialFigures<'_>) -> String {
    let record = &shown.trial.record;
    let seed = record.config.get("seed").map(|seed| format!(", seed {}", html(&text::value(seed)))).unwrap_or_default();
    let label = if shown.label.is_empty() { String::new() } else { format!("{} – ", html(&shown.label)) };
    let kept = match record.epochs.last() {
        Some(last) if last.epoch > record.best_epoch && shown.trial.ending() == "finished" => {
            format!("; the weights of epoch {} were kept", record.best_epoch)
        }
        _ => String::new(),
    };
    format!(
        "{label}{}{kept}. Trial <code>{}</code>{seed}.",
        result_text(overview, shown.trial),
        html(&text::trial(&record.trial))
    )
}

fn result_text(overview: &Overview<'_>, trial: &TrialResult) -> String {
    let ending = trial.ending();
    match (ending.as_str(), overview.score(trial)) {
        ("diverged" | "failed", _) => format!("<span class=\"status {ending}\">{ending}</span>"),
        ("finished", None) => "no finite result".to_owned(),
        (_, Some(score)) => format!(
            "{} {} on the {} set",
            overview.metric.format(score),
            overview.metric.title().to_lowercase(),
            overview.set_name()
        ),
        _ => format!("ended early ({})", html(&ending)),
    }
}

fn classes_html(record: &RunRecord) -> String {
    let scores = class_scores(record);
    if scores.is_empty() {
        return String::new();
    }
    let percent = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| format!("{:.1} %", value * 100.0));
    let mut out = String::from(
        "<h3>Class by class</h3>\n<p>Precision: of the pictures answered with this class, how many show it. Recall: of \
         the pictures that show it, how many were answered so.</p>\n<div class=\"scroll\"><table><thead><tr>\
         <th scope=\"col\" class=\"left\">class</th><th scope=\"col\">pictures</th><th scope=\"col\">precision</th>\
         <th scope=\"col\">recall</th><th scope=\"col\" class=\"left\">most often taken for</th></tr></thead><tbody>\n",
    );
    for class in scores.iter().take(100) {
        let confused = match &class.confused_with {
            Some((other, count)) => format!("{} ({count}×)", html(other)),
            None => "–".to_owned(),
        };
        writeln!(
            out,
            "<tr><th scope=\"row\" class=\"left\">{}</th><td>{}</td><td>{}</td><td>{}</td><td class=\"left\">{confused}</td></tr>",
            html(&class.class),
            class.n_samples,
            percent(class.precision),
            percent(class.recall)
        )
        .expect(IN_MEMORY);
    }
    out.push_str("</tbody></table></div>\n");
    out
}

fn mistakes_part(record: &RunRecord, input: &ReportInput) -> String {
    let list = mistakes_html(record, &input.pictures);
    if list.is_empty() {
        return String::new();
    }
    let has_pictures = record.mistakes.iter().any(|m| input.pictures.contains_key(&(record.trial.clone(), m.index)));
    let no_pictures =
        if has_pictures { "" } else { " (The pictures themselves were not at hand when this report was made.)" };
    format!(
        "<h3>Mistakes</h3>\n<p>The first mistakes in the test set.{no_pictures} Each bar is an output bit from 0 to 1; the \
         line marks ½, from where on it counts as 1. Under it stands the bit it should be. A wrong bit is vermilion: the \
         nearer its bar is to the line, the closer the call.</p>\n{list}"
    )
}

fn robustness_section(figures: &Figures<'_>) -> String {
    if figures.robustness.is_empty() {
        return String::new();
    }
    format!(
        "<section id=\"robustness\">\n<h2>Robustness</h2>\n<p>How the trained nets do on test pictures that were \
         disturbed, never having seen such pictures in training.</p>\n{}</section>\n",
        figures_html(&figures.robustness)
    )
}

fn table_section(overview: &Overview<'_>) -> String {
    let (n_rows, n_trials) = table::n_rows(overview);
    let cut = if n_rows < n_trials {
        format!(
            "<p class=\"banner\">Only the {} best of {} trials are in this table, so that the page stays quick. \
             <a href=\"results.csv\"><code>results.csv</code></a> has them all.</p>\n",
            text::thousands(n_rows as u64),
            text::thousands(n_trials as u64)
        )
    } else {
        String::new()
    };
    format!(
        "<section id=\"table\">\n<h2>All trials</h2>\n<p>Best first. Press a heading to sort by it; type words that must \
         all appear in a row to filter. “Curve” draws a trial’s learning curve above the table, up to six at once. The same \
         numbers in full are in <a href=\"results.csv\"><code>results.csv</code></a>, beside this page.</p>\n{cut}\
         <div class=\"tools\" id=\"tools\" hidden><label>Filter<input id=\"filter-words\" type=\"search\" \
         autocomplete=\"off\"></label><label>Status<select id=\"filter-status\"><option value=\"\">all</option>\
         {}</select></label>\
         <span class=\"note\" id=\"row-count\" role=\"status\"></span></div>\n\
         <figure class=\"card\" id=\"curves\" hidden></figure>\n\
         <div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Table of all trials\">\
         <table id=\"trials-table\">{}</table></div>\n<button class=\"more\" id=\"more-rows\" type=\"button\" hidden></button>\n\
         <noscript><p class=\"note\">Without scripts only the first rows are shown and no curves; those of the best trials are above, all \
         numbers in results.csv.</p></noscript>\n\
         <script type=\"application/json\" id=\"trials-data\">{}</script>\n</section>\n",
        endings(overview.cells.iter().flat_map(|cell| cell.trials.iter().copied()))
            .iter()
            .map(|word| format!("<option>{}</option>", html(word)))
            .collect::<String>(),
        table::static_rows(overview),
        markup::json_in_html(&table::table_json(overview)),
    )
}

/// What all trials share: with the varied keys in the table, their whole configuration.
fn settings_section(trials: &[TrialResult], overview: &Overview<'_>) -> String {
    let Some(record) = trials.first().map(|trial| &trial.record) else { return String::new() };
    let varied: BTreeSet<&str> = overview.varied.iter().map(|key| key.key.as_str()).collect();
    let mut out = String::from("<section id=\"settings\">\n<h2>Settings</h2>\n");
    out.push_str(if trials.len() > 1 { "<p>What all trials have in common.</p>\n" } else { "" });
    out.push_str("<dl class=\"settings card\" style=\"padding:.6rem 1rem\">\n");
    let shared = record.config.iter().filter(|(key, _)| {
        !varied.contains(key.as_str()) && (trials.len() == 1 || !["seed", "name"].contains(&key.as_str()))
    });
    for (key, value) in shared.take(200) {
        writeln!(out, "<div><dt>{}</dt><dd>{}</dd></div>", html(key), html(&text::value(value))).expect(IN_MEMORY);
    }
    out.push_str("</dl>\n</section>\n");
    out
}

fn words_section() -> String {
    let mut out = String::from("<section id=\"words\">\n<h2>What the numbers mean</h2>\n<dl class=\"words\">\n");
    for metric in Metric::ALL {
        writeln!(out, "<dt>{}</dt><dd>{}</dd>", metric.title(), metric.meaning()).expect(IN_MEMORY);
    }
    out.push_str(
        "<dt>All ones, majority bits, mean of bits</dt><dd>What a net reaches that gives every picture the same answer: 1 \
         for each bit; the commoner value of each bit; the average of each bit. They are computed from the test set’s class \
         counts and the target code. A curve that falls only to one of these levels has not learned to see.</dd>\n\
         <dt>Final</dt><dd>The value in the epoch whose weights were kept: the last one, or with early stopping the \
         best by its criterion.</dd>\n\
         <dt>Counting</dt><dd>Layers are counted from 0: layer 0 is the first one with weights. Epochs and the batches in \
         them are counted from 1; epoch 0 is the net before training. Only a diagnosis counts layers from 1, as in “layer 1 \
         of 8”.</dd>\n\
         <dt>Seed</dt><dd>The number from which all random choices follow. Trials that differ only in it show how far \
         results scatter by luck alone.</dd>\n\
         <dt>Spread of single runs</dt><dd>The standard deviation of their results (dividing by their number less one): how \
         far one more run may lie from the mean.</dd>\n\
         <dt>95 % interval</dt><dd>Student’s t-interval of a mean, which is not the range of single runs: with this rule, 95 \
         of 100 such intervals hold the mean of infinitely many seeds, if results scatter like a bell. Where only some runs \
         trained they do not, and no interval is given.</dd>\n\
         <dt>Trained</dt><dd>A run counts as trained if its score is nearer to that of the best trial than to what the best \
         constant answer reaches. Nothing is said of this where even the best trial is nearer to that answer than to \
         perfection.</dd>\n\
         <dt>Ended early</dt><dd>The trial was stopped before its last epoch because others were ahead. It has a curve, but \
         no result.</dd>\n\
         <dt>Diverged</dt><dd>The numbers of the net overflowed during training. This is a finding, not a failure of the \
         program.</dd>\n</dl>\n</section>\n",
    );
    out
}

fn footer(trials: &[TrialResult]) -> String {
    let list = |texts: Vec<&str>| if texts.is_empty() { "–".to_owned() } else { html(&joined(&texts)) };
    let sizes: BTreeSet<(usize, usize)> =
        trials.iter().map(|trial| (trial.record.data.train, trial.record.data.test)).collect();
    let sizes: Vec<String> = sizes
        .iter()
        .take(3)
        .map(|(train, test)| {
            format!("{} training and {} test samples", text::thousands(*train as u64), text::thousands(*test as u64))
        })
        .collect();
    format!(
        "<footer><p>Data: {} ({}), SHA-256 {}. Computed with kernel {} by version {}. Everything on this page comes from the \
         records in <code>trials/</code>; the figures are also in <code>plots/</code>, the numbers in \
         <a href=\"results.csv\"><code>results.csv</code></a>.</p></footer>\n",
        list(distinct(trials, |record| Some(record.data.name.as_str()))),
        if sizes.is_empty() { "–".to_owned() } else { sizes.join("; ") },
        list(distinct(trials, |record| Some(record.data.sha256.as_str()))),
        list(distinct(trials, |record| Some(record.kernel.as_str()))),
        list(distinct(trials, |record| Some(record.runtime.version.as_str()))),
    )
}
