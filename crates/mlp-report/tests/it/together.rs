//! Effects that the configurations do not determine setting by setting, and means that rest on two groups of runs.

use mlp_report::effects::{Design, LevelEffect, effects};
use mlp_report::report_html;
use mlp_results::{Overview, TrialResult};
use serde_json::json;

use crate::analysis::{close, effect_of};
use crate::made_up::{self, scored};

/// Two folders that differ in the dropout, and were swept over rates of which one is shared: at that one dropout costs 5 points,
/// and the plain means say the opposite.
#[test]
fn settings_that_always_change_together_are_one_with_the_effect_of_both() {
    let run = |folder: &str, dropout: f64, rate: f64, score: f64, seed: u64| {
        let settings = [("folder", json!(folder)), ("dropout", json!(dropout)), ("learning_rate", json!(rate))];
        scored(&settings, seed, score + 0.01 * made_up::noise(seed, (1e4 * rate + dropout) as u64))
    };
    let of_seed = |seed| {
        [run("a", 0.0, 0.003, 0.56, seed), run("a", 0.0, 0.01, 0.70, seed)]
            .into_iter()
            .chain([run("b", 0.4, 0.01, 0.65, seed), run("b", 0.4, 0.03, 0.68, seed)])
    };
    let input = made_up::input((0..3).flat_map(of_seed).collect());
    let overview = Overview::new(&input.trials);
    let effects = effects(&overview);
    assert_eq!((effects.keys.len(), effects.n_combinations), (2, (4, 6)));
    let both = effect_of(&overview, &effects, "dropout");
    assert_eq!(both.factor.title(&overview), "folder, dropout");
    assert_eq!(both.factor.names, ["a · 0", "b · 0.4"]);
    assert!(both.is_separable && both.levels.iter().all(|level| level.half_width.is_some()));
    assert!(both.levels[1].plain > both.levels[0].plain);
    let shared = |dropout: f64| {
        let at = |trial: &&TrialResult| {
            trial.record.config["learning_rate"] == json!(0.01) && trial.record.config["dropout"] == json!(dropout)
        };
        input.trials.iter().filter(at).filter_map(|trial| overview.score(trial)).sum::<f64>() / 3.0
    };
    let difference = both.levels[1].adjusted.unwrap() - both.levels[0].adjusted.unwrap();
    assert!(close(difference, shared(0.4) - shared(0.0)) && difference < -0.03, "{difference}");
    let page = report_html(&input);
    assert!(
        page.contains(
            "folder, dropout <span class=\"status\">always change together</span> \
         <span class=\"status\">at 1 of 3 combinations of the others</span></th>"
        ),
        "{page}"
    );
    assert!(page.contains("folder, dropout always change together: this is the effect of all at once."));
    // No rate was run in both folders but the one, so that nothing compares all of them.
    assert!(effect_of(&overview, &effects, "learning_rate").best_and_worst.is_none());
}

/// `l2` follows from the pair of the others, so nothing says what either does; the batch size is known all the same.
#[test]
fn what_the_configurations_do_not_determine_has_no_estimate_and_is_not_ranked() {
    let run = |index: usize, size: usize, seed| {
        let settings = [
            ("learning_rate", json!(index)),
            ("dropout", json!(0.1 * index as f64)),
            ("l2", json!(index % 2)),
            ("batch_size", json!(8 << size)),
        ];
        scored(&settings, seed, 0.6 + 0.1 * index as f64 + 0.02 * size as f64)
    };
    let input = made_up::input((0..12).map(|index| run(index % 3, index / 3 % 2, (index / 6) as u64)).collect());
    let overview = Overview::new(&input.trials);
    let effects = effects(&overview);
    assert_eq!(effects.keys.len(), 3);
    for key in ["dropout", "l2"] {
        let effect = effect_of(&overview, &effects, key);
        assert!(!effect.is_separable && effect.best_and_worst.is_none());
        let is_untold = |level: &LevelEffect| {
            level.estimate().is_none() && level.half_width.is_none() && level.plain.is_some() && level.is_undetermined
        };
        assert!(effect.levels.iter().all(is_untold), "{effect:?}");
    }
    let sizes = effect_of(&overview, &effects, "batch_size");
    assert!(sizes.is_separable && close(sizes.span, 0.02), "{sizes:?}");
    let page = report_html(&input);
    assert!(page.contains("cannot be told from other settings with what was run"), "{page}");
    assert!(page.contains("dropout, learning_rate <span class=\"status\">always change together</span> *</th>"));
    assert!(page.contains("No means: the configurations do not tell this setting"));
}

/// Of three folders, of which each differs from the first in one setting, it is the settings that have effects.
#[test]
fn a_folder_that_follows_from_the_settings_is_left_out() {
    let run = |place: usize, seed| {
        let folder = ("folder", json!(["a", "b", "c"][place]));
        let settings = [folder, ("dropout", json!([0.0, 0.4, 0.0][place])), ("l2", json!([0.0, 0.0, 0.1][place]))];
        scored(&settings, seed, [0.8, 0.7, 0.75][place])
    };
    let input = made_up::input((0..6).map(|index| run(index % 3, (index / 3) as u64)).collect());
    let overview = Overview::new(&input.trials);
    let effects = effects(&overview);
    assert!(effects.is_folder_left_out && effects.keys.len() == 2);
    assert!(close(effect_of(&overview, &effects, "dropout").span, 0.1));
    assert!(close(effect_of(&overview, &effects, "l2").span, 0.05));
    assert!(report_html(&input).contains("The folder is left out: which one a trial lies in follows"));
}

#[test]
fn a_sum_that_is_fitted_to_two_groups_as_well_has_no_intervals() {
    let run = |(rate, l2): (i32, i32), seed: u64| {
        let is_dead = (rate, l2, seed) == (1, 0, 0);
        let score = if is_dead { 0.114 } else { 0.95 + 0.001 * (seed + 2 * rate as u64) as f64 };
        scored(&[("learning_rate", json!(rate)), ("l2", json!(l2))], seed, score)
    };
    let combinations = [(0, 0), (0, 1), (1, 0), (2, 0), (2, 1)];
    let input = made_up::input(combinations.into_iter().flat_map(|at| (0..3).map(move |seed| run(at, seed))).collect());
    let effects = effects(&Overview::new(&input.trials));
    assert_eq!(effects.design, Design::Incomplete);
    let levels = || effects.keys.iter().flat_map(|key| &key.levels);
    assert!(levels().all(|level| level.half_width.is_none() && level.estimate().is_some()));
    assert!(report_html(&input).contains("runs of one fall into two groups, no mean has one"));
}

/// Two folders of the same configurations with other seeds, of which one lies in both: the folder is no setting, and the order of
/// the folders changes nothing.
#[test]
fn folders_that_differ_in_their_seeds_alone_are_no_setting() {
    let run = |folder: &str, rate: f64, seed: u64| {
        let settings = [("folder", json!(folder)), ("learning_rate", json!(rate))];
        scored(&settings, seed, rate + 0.01 * made_up::noise(seed, (1e4 * rate) as u64))
    };
    let first = || [0.3, 0.5].into_iter().flat_map(|rate| (0..3).map(move |seed| ("a", rate, seed)));
    let second = || [0.5, 0.7].into_iter().flat_map(|rate| (3..5).map(move |seed| ("b", rate, seed)));
    let means = |runs: Vec<(&str, f64, u64)>| {
        let input = made_up::input(runs.into_iter().map(|(folder, rate, seed)| run(folder, rate, seed)).collect());
        let overview = Overview::new(&input.trials);
        assert_eq!(overview.varied.iter().map(|key| key.key.as_str()).collect::<Vec<_>>(), ["learning_rate"]);
        assert_eq!(effects(&overview).keys.len(), 1);
        overview.cells.iter().map(|cell| (overview.named(cell), cell.trials.len(), cell.mean())).collect::<Vec<_>>()
    };
    let found = means(first().chain(second()).collect());
    assert_eq!(found.iter().map(|(_, n_trials, _)| *n_trials).collect::<Vec<_>>(), [2, 5, 3]);
    assert_eq!(means(second().chain(first()).collect()), found);
}
