//! Figures of what each setting does.

use mlp_results::{Overview, text};

use crate::effects::{Design, Effects, KeyEffect};
use crate::factor::Grouping;
use crate::figure::{ReportFigure, file_name};
use crate::page::{not_apart_from, only_for, seeds_of_luck};
use crate::{against_key, interplay};

/// How many varied keys get a figure of their own.
const N_KEYS: usize = 8;

/// What each setting does, and the strongest ones together.
pub(super) fn settings(overview: &Overview<'_>, effects: &Effects) -> Vec<ReportFigure> {
    let mut figures = Vec::new();
    for (index, effect) in effects.keys.iter().take(N_KEYS).enumerate() {
        // A line through single draws would show chance as if it were an effect.
        if effect.has_too_few {
            continue;
        }
        let key = &overview.varied[effect.factor.key];
        figures.push(ReportFigure {
            name: format!("against-{}", file_name(&key.key)),
            svg: against_key::against_key(overview, effects, index),
            caption: effect_caption(overview, effects, effect),
        });
    }
    figures.extend(interplay::pairs(effects).into_iter().map(|pair| together(overview, effects, pair)));
    figures
}

/// Two settings together.
fn together(overview: &Overview<'_>, effects: &Effects, pair: (usize, usize)) -> ReportFigure {
    let key = |index: usize| &overview.varied[effects.keys[index].factor.key].key;
    let averaged = interplay::averaged(overview, effects, pair);
    let averaged = if averaged.is_empty() {
        "No other setting varies, so every point is one configuration.".to_owned()
    } else {
        let gaps = if effects.design == Design::Complete {
            ""
        } else {
            " (of those configurations that were run, which are not the same ones for every point)"
        };
        format!("Every point is a mean over the values of {}{gaps}.", joined(&averaged))
    };
    let few = if effects.design == Design::Drawn {
        " There are few configurations behind each point, so small crossings mean nothing."
    } else {
        ""
    };
    ReportFigure {
        name: format!("interplay-{}-{}", file_name(key(pair.0)), file_name(key(pair.1))),
        svg: interplay::interplay(overview, effects, pair),
        caption: format!(
            "A line for each value of {}. Lines side by side: the effects add up. Lines that cross or fan out: the best \
             value of one depends on the other. {averaged}{few}",
            text::shorten(&effects.keys[pair.1].factor.title(overview), 40)
        ),
    }
}

fn effect_caption(overview: &Overview<'_>, effects: &Effects, effect: &KeyEffect) -> String {
    let others: Vec<&str> = overview
        .varied
        .iter()
        .enumerate()
        .filter(|(index, key)| !effect.factor.keys().contains(index) && !effects.leaves_out(key))
        .map(|(_, key)| key.key.as_str())
        .collect();
    let others = if others.is_empty() { "the seeds".to_owned() } else { joined(&others) };
    let blue = match effects.design {
        Design::Complete => format!("Blue: the mean over {others}, every configuration counting once."),
        Design::Incomplete if effect.matched.is_some() => {
            "Blue: the mean over those combinations of the other settings in which all values were run.".to_owned()
        }
        Design::Incomplete if effect.is_separable => {
            format!("Blue: the mean adjusted for {others}, as if all combinations had been run.")
        }
        Design::Incomplete if effect.levels.iter().all(|level| level.estimate().is_none()) => {
            "No means: the configurations do not tell this setting's effect from those of others.".to_owned()
        }
        Design::Incomplete => {
            "Blue: where the configurations determine it, the mean adjusted for the other settings.".to_owned()
        }
        Design::Drawn => format!("Blue: the mean over the configurations that were drawn, whatever their {others}."),
    };
    let ranges = match effect.factor.grouping {
        Grouping::Ranges => " Each blue point stands for a range that holds about equally many configurations.",
        Grouping::Lengths => " Values are taken together by their length.",
        Grouping::Names => " Values are taken together by their name.",
        Grouping::Values | Grouping::LeftOut => "",
    };
    let bars = if effect.levels.iter().all(|level| level.half_width.is_none()) {
        ""
    } else if effects.design == Design::Drawn {
        " Bars: 95 % t-interval over the configurations."
    } else {
        " Bars: 95 % t-interval over the seeds."
    };
    let without = if effect.levels.iter().any(|level| level.n_without > 0) {
        " Crosses at the bad edge: configurations without a score."
    } else {
        ""
    };
    let chance = match effect.importance {
        Some(importance) if importance.is_alias => {
            "This setting always changes together with others, and cannot be told from them. ".to_owned()
        }
        Some(_) if !effect.not_apart_from.is_empty() => {
            let others = not_apart_from(overview, effect).unwrap_or_default();
            format!("This setting cannot be told from {others}: it hardly varies apart. ")
        }
        Some(importance) if !importance.matters => {
            let n = text::counted(effects.n_compared, "configuration");
            format!("With {n} this effect cannot be told from chance. ")
        }
        Some(_) => only_for(effects).map(|only| format!("Told from chance {only}. ")).unwrap_or_default(),
        None if !effect.hinges_on_losses => seeds_of_luck(effect)
            .map(|seeds| {
                if effect.has_too_many_values() {
                    format!("{seeds} tell the best and the worst value apart, were they the only two. ")
                } else {
                    format!("{seeds} do not tell the best and the worst value apart. ")
                }
            })
            .unwrap_or_default(),
        None => String::new(),
    };
    let together = if effect.factor.together.is_empty() {
        String::new()
    } else {
        format!("{} always change together: this is the effect of all at once. ", effect.factor.title(overview))
    };
    let groups = if effect.levels.iter().any(|level| level.is_bimodal) {
        " Where runs fall into two groups, no interval is given."
    } else {
        ""
    };
    format!(
        "{chance}{together}Grey: single trials. {blue}{ranges}{bars}{groups}{without} The axis need not start at 0."
    )
}

/// At most five names, cleaned for a caption.
fn joined(names: &[&str]) -> String {
    let shown: Vec<String> = names.iter().take(5).map(|name| text::shorten(name, 40)).collect();
    let rest = if names.len() > 5 { " and more" } else { "" };
    format!("{}{rest}", shown.join(", "))
}
