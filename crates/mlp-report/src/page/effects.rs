//! What each setting does: how the numbers were come by, the figures, and the numbers.

use askama::Template;
use mlp_results::Overview;
use mlp_results::interval::Interval;
use mlp_results::text::{self, counted};

use super::figure_list::FigureList;
use super::interval_text::{interval_text, possible};
use crate::effects::{Design, Effects, Importance, KeyEffect, LevelEffect, N_BLOCKS, N_SHUFFLES, SharedSeeds};
use crate::figures::Figures;
use crate::input::ReportInput;
use crate::markup::{render, shown};

/// How many of the settings that were left out are named.
const N_LEFT_OUT: usize = 6;

#[derive(Template)]
#[template(path = "effects.html")]
struct Section<'a> {
    method: Method<'a>,
    /// How many configurations were compared with how many shuffled tables, if any.
    compared: Option<(String, String)>,
    /// What so many tables let p hardly be below.
    least_p: Option<String>,
    /// Whether it was asked what can be told from chance.
    is_tested: bool,
    /// For which seeds alone that is known.
    only_for: Option<&'static str>,
    /// With how many seeds most configurations were run, if several.
    n_shared_seeds: Option<String>,
    /// `30 configurations`.
    n_compared: String,
    spans: Vec<Span>,
    has_inseparable: bool,
    /// Whether some difference has an interval.
    has_spans: bool,
    figures: FigureList<'a>,
    tables: Vec<Table>,
}

/// What was done, and what it rests on.
#[derive(Template)]
#[template(path = "effects_method.html")]
struct Method<'a> {
    effects: &'a Effects,
    /// Trials without a record, of a sweep that is not at its end.
    n_missing: usize,
    /// Whether means come from a sum that was fitted, and whether from combinations that all values of a setting share.
    is_summed: bool,
    is_matched: bool,
    n_found: String,
    n_found_counted: String,
    n_possible: String,
    /// `2 degrees`, of Student's distribution.
    degrees: String,
    is_balanced: bool,
    has_without: bool,
    /// How many configurations were compared with how many shuffled tables, if any.
    compared: Option<(String, String)>,
    /// The share of the variance that a sum of single effects describes.
    explained: Option<String>,
    is_bimodal: bool,
    /// Whether some mean rests on runs in two groups, so that it has no interval.
    is_withheld: bool,
    left_out: Vec<String>,
}

/// The best and the worst value of one setting.
struct Span {
    key: String,
    /// Whether it is several settings that always change together.
    is_together: bool,
    /// `at 4 of 20 combinations of the others`, where all its values were run.
    matched: Option<String>,
    is_separable: bool,
    /// Of drawn configurations, what the setting explains and how likely chance does.
    share: String,
    p: String,
    is_chance: bool,
    /// Whether another value would be the best if what diverged counted.
    hinges_on_losses: bool,
    has_too_few: bool,
    is_alias: bool,
    /// Whether the selection took it.
    stands_out: bool,
    /// The settings that it cannot be told from, where it hardly varies apart from them.
    not_apart_from: Option<String>,
    /// `for this seed alone`, of one that is named.
    only_for: Option<&'static str>,
    ends: Option<Ends>,
}

struct Ends {
    /// The best and the worst.
    values: [End; 2],
    /// Whether they are the same, and whether to the digits that are shown.
    is_equal: bool,
    is_level: bool,
    /// Nothing where the worst is so for what it lost, and another has a worse mean.
    difference: Option<String>,
    /// Why there is no interval, where several seeds could have given one.
    without_interval: Option<&'static str>,
    /// `0.12 – 0.50`: its interval, where there is one, and whether it holds 0.
    interval: Option<String>,
    /// `3 seeds`, or `2 and 3 seeds`, of the best and of the worst: where these may well turn round.
    luck: Option<String>,
    /// Whether they would be told apart but for the number of the other values.
    has_too_many_values: bool,
}

struct End {
    name: String,
    /// `1 of 2 configurations without a score`, `8 of 10 trials diverged or failed`: what its mean does not count.
    without: Vec<String>,
    mean: String,
}

/// The numbers of one setting.
struct Table {
    title: String,
    columns: Vec<&'static str>,
    rows: Vec<Row>,
}

struct Row {
    name: String,
    mean: String,
    cells: Vec<String>,
}

/// The section, where any setting can be analysed.
pub(super) fn section(input: &ReportInput, overview: &Overview<'_>, figures: &Figures<'_>) -> Option<String> {
    let effects = &figures.effects;
    // Where nothing has a result there is nothing to compare.
    if effects.keys.is_empty() || effects.n_combinations.0 == 0 {
        return None;
    }
    Some(render(&Section {
        method: Method::new(input, overview, effects),
        compared: compared(effects),
        least_p: least_p(effects),
        is_tested: effects.design == Design::Drawn || compared(effects).is_some(),
        only_for: only_for(effects),
        n_shared_seeds: match effects.shared_seeds {
            SharedSeeds::Several(n_seeds) => Some(text::thousands(n_seeds as u64)),
            SharedSeeds::Own | SharedSeeds::One => None,
        },
        n_compared: match effects.shared_seeds {
            SharedSeeds::Several(n_seeds) => {
                format!("{} and {n_seeds} seeds", counted(effects.n_compared, "configuration"))
            }
            SharedSeeds::Own | SharedSeeds::One => counted(effects.n_compared, "configuration"),
        },
        spans: effects.keys.iter().map(|effect| span(overview, effects, effect)).collect(),
        has_inseparable: effects.keys.iter().any(|effect| !effect.is_separable),
        has_spans: effects.keys.iter().any(|effect| effect.may_matter() && effect.span_half_width.is_some()),
        figures: FigureList { figures: &figures.settings },
        tables: effects.keys.iter().map(|effect| table(overview, effects, effect)).collect(),
    }))
}

impl<'a> Method<'a> {
    fn new(input: &ReportInput, overview: &Overview<'_>, effects: &'a Effects) -> Method<'a> {
        let (n_found, n_possible) = effects.n_combinations;
        let explained = effects.explained.filter(|_| effects.keys.len() > 1);
        let left_out = effects.left_out.iter().take(N_LEFT_OUT);
        Method {
            effects,
            n_missing: input.n_missing,
            is_summed: effects.keys.iter().any(|effect| effect.matched.is_none() && effect.best_and_worst.is_some()),
            is_matched: effects.keys.iter().any(|effect| effect.matched.is_some()),
            n_found: text::thousands(n_found as u64),
            n_found_counted: counted(n_found, "value"),
            n_possible: text::thousands(n_possible as u64),
            is_balanced: effects.is_balanced,
            degrees: counted(effects.n_seeds.min(N_BLOCKS).saturating_sub(1), "degree"),
            has_without: effects
                .keys
                .iter()
                .flat_map(|effect| &effect.levels)
                .any(|level| level.n_without + level.n_lost > 0),
            compared: compared(effects),
            explained: explained.map(|share| text::share(share, 0)),
            is_bimodal: overview.is_bimodal(),
            is_withheld: effects.keys.iter().flat_map(|effect| &effect.levels).any(|level| has_groups(effects, level)),
            left_out: left_out.map(|&key| shown(&overview.varied[key].key)).collect(),
        }
    }
}

fn compared(effects: &Effects) -> Option<(String, String)> {
    let is_known = effects.keys.iter().any(|effect| effect.importance.is_some());
    is_known.then(|| (counted(effects.n_compared, "configuration"), text::thousands(N_SHUFFLES as u64)))
}

/// Each of the settings that were asked about is at its best in one table, or in few alike.
fn least_p(effects: &Effects) -> Option<String> {
    let n_asked = effects.keys.iter().filter(|effect| effect.importance.is_some()).count();
    (n_asked > 0).then(|| format!("{:.3}", n_asked as f64 / (N_SHUFFLES + 1) as f64))
}

fn span(overview: &Overview<'_>, effects: &Effects, effect: &KeyEffect) -> Span {
    let ends = effect.best_and_worst.map(|[best, worst]| {
        let difference = |value: f64| overview.metric.format_difference(value).trim_start_matches('+').to_owned();
        let bare = |value: f64| difference(value).replace(" points", "");
        let span = effect.span;
        let is_lowest = (best.1 - worst.1).abs() == span;
        let values = [best, worst].map(|(level, mean)| end(overview, effect, level, mean));
        Ends {
            is_equal: span == 0.0,
            is_level: values[0].mean == values[1].mean,
            values,
            difference: is_lowest.then(|| difference(span)),
            without_interval: without_interval(effects, effect, best.0, worst.0).filter(|_| is_lowest && span > 0.0),
            interval: effect.span_half_width.filter(|_| is_lowest).map(|half| {
                let (low, high) = possible(overview, (span - half, span + half));
                format!("{} to {}", bare(low), bare(high))
            }),
            luck: seeds_of_luck(effect).filter(|_| is_lowest),
            has_too_many_values: effect.has_too_many_values(),
        }
    });
    let importance = |text: fn(Importance) -> String| or_none(effect.importance.map(text));
    Span {
        key: shown(&effect.factor.title(overview)),
        is_together: !effect.factor.together.is_empty(),
        matched: effect
            .matched
            .map(|(n_shared, n_all)| format!("at {n_shared} of {} of the others", counted(n_all, "combination"))),
        is_separable: effect.is_separable,
        share: importance(share),
        p: importance(p_value),
        is_chance: !effect.may_matter(),
        hinges_on_losses: effect.hinges_on_losses,
        stands_out: effect.importance.is_some_and(|importance| importance.matters),
        not_apart_from: not_apart_from(overview, effect),
        only_for: only_for(effects).filter(|_| effect.importance.is_some_and(|importance| importance.matters)),
        has_too_few: effect.has_too_few,
        is_alias: effect.importance.is_some_and(|importance| importance.is_alias),
        ends,
    }
}

/// `3 seeds`, or where they differ `2 and 3 seeds`: what does not tell the best and the worst value apart; nothing where it does.
pub(crate) fn seeds_of_luck(effect: &KeyEffect) -> Option<String> {
    let seeds = effect.span_seeds.filter(|_| effect.may_be_luck())?;
    Some(match seeds {
        (best, worst) if best == worst => counted(best, "seed"),
        (best, worst) => format!("{best} and {worst} seeds"),
    })
}

fn without_interval(effects: &Effects, effect: &KeyEffect, best: usize, worst: usize) -> Option<&'static str> {
    let any = |is: fn(&LevelEffect) -> bool| [best, worst].into_iter().any(|level| is(&effect.levels[level]));
    if effects.design == Design::Drawn || effects.n_seeds < 2 || effect.span_half_width.is_some() {
        None
    } else if any(|level| level.is_bimodal)
        || effects.keys.iter().flat_map(|key| &key.levels).any(|level| level.is_bimodal)
    {
        Some("runs in two groups: not known whether it is luck")
    } else if any(|level| level.has_single_seed) {
        Some("one seed of some: not known whether it is luck")
    } else {
        None
    }
}

/// `learning_rate, batch_size and 2 more`; nothing where the setting varies apart from others.
pub(crate) fn not_apart_from(overview: &Overview<'_>, effect: &KeyEffect) -> Option<String> {
    let names: Vec<String> = effect.not_apart_from.iter().map(|&key| shown(&overview.varied[key].key)).collect();
    let rest = if names.len() > N_LEFT_OUT { format!(" and {} more", names.len() - N_LEFT_OUT) } else { String::new() };
    let first: Vec<String> = names.into_iter().take(N_LEFT_OUT).collect();
    (!first.is_empty()).then(|| format!("{}{rest}", first.join(", ")))
}

/// For which seeds alone it is known what can be told from chance.
pub(crate) fn only_for(effects: &Effects) -> Option<&'static str> {
    match effects.shared_seeds {
        SharedSeeds::One if effects.n_seeds > 1 => Some("for these seeds alone"),
        SharedSeeds::One => Some("for this seed alone"),
        SharedSeeds::Own | SharedSeeds::Several(_) => None,
    }
}

fn share(importance: Importance) -> String {
    if importance.is_alias { "–".to_owned() } else { text::share(importance.share, 0) }
}

/// No smaller than so many shuffles can tell.
fn p_value(importance: Importance) -> String {
    let least = 1.0 / (N_SHUFFLES + 1) as f64;
    if importance.is_alias {
        "–".to_owned()
    } else if importance.p <= least {
        format!("≤ {least:.3}")
    } else {
        format!("{:.3}", importance.p)
    }
}

fn end(overview: &Overview<'_>, effect: &KeyEffect, level: usize, mean: f64) -> End {
    let LevelEffect { n_without, n_configurations, n_lost, n_trials, .. } = effect.levels[level];
    let mut without = Vec::new();
    if n_without > 0 {
        without.push(format!("{n_without} of {} without a score", n_without + n_configurations));
    }
    if n_lost > 0 {
        without.push(format!("{n_lost} of {} diverged or failed", counted(n_trials, "trial")));
    }
    End { name: shown(&effect.factor.names[level]), without, mean: bounded(overview, mean) }
}

/// A mean, cut at what the metric can be: a sum of effects knows no bounds.
fn bounded(overview: &Overview<'_>, mean: f64) -> String {
    let (lowest, highest) = overview.metric.bounds();
    let mark = if mean < lowest || mean > highest { " (cut)" } else { "" };
    format!("{}{mark}", overview.metric.format(mean.clamp(lowest, highest)))
}

fn table(overview: &Overview<'_>, effects: &Effects, effect: &KeyEffect) -> Table {
    let is_adjusted = effects.design == Design::Incomplete;
    let has_trained = overview.is_bimodal();
    let columns = [
        (
            if is_adjusted {
                if effect.matched.is_some() { "mean where all were run" } else { "adjusted mean" }
            } else {
                "mean"
            },
            true,
        ),
        ("95 % interval", effect.levels.iter().any(|level| level.half_width.is_some() || has_groups(effects, level))),
        ("plain mean", is_adjusted),
        ("configurations", true),
        ("without a score", effect.levels.iter().any(|level| level.n_without > 0)),
        ("trials with a score", true),
        ("diverged or failed", effect.levels.iter().any(|level| level.n_lost > 0)),
        ("trained", has_trained),
    ];
    let rows = effect.factor.names.iter().zip(&effect.levels).map(|(name, level)| {
        let mean = if is_adjusted { level.adjusted } else { level.estimate() };
        let cells = cells(overview, effects, level).into_iter().zip(&columns[1..]);
        Row {
            name: shown(name),
            mean: or_none(mean.map(|mean| bounded(overview, mean))),
            cells: cells.filter(|(_, (_, is_shown))| *is_shown).map(|(cell, _)| cell).collect(),
        }
    });
    Table {
        title: shown(&effect.factor.title(overview)),
        columns: columns.iter().filter(|(_, is_shown)| *is_shown).map(|(name, _)| *name).collect(),
        rows: rows.collect(),
    }
}

/// What stands in the columns behind the mean.
fn cells(overview: &Overview<'_>, effects: &Effects, level: &LevelEffect) -> [String; 7] {
    let interval = level.estimate().zip(level.half_width).map(|(mean, half_width)| Interval { mean, half_width });
    let interval = match interval {
        None if has_groups(effects, level) => "two groups".to_owned(),
        interval => or_none(interval.map(|interval| interval_text(overview, interval))),
    };
    [
        interval,
        or_none(level.plain.map(|plain| overview.metric.format(plain))),
        level.n_configurations.to_string(),
        level.n_without.to_string(),
        format!("{} of {}", level.n_scored, level.n_trials),
        level.n_lost.to_string(),
        format!("{} of {}", level.n_trained, level.n_scored),
    ]
}

/// Whether it is runs in two groups that leave a mean without an interval: with one seed there is none in any case.
fn has_groups(effects: &Effects, level: &LevelEffect) -> bool {
    level.is_bimodal && (effects.n_seeds > 1 || effects.design == Design::Drawn)
}

fn or_none(text: Option<String>) -> String {
    text.unwrap_or_else(|| "–".to_owned())
}
