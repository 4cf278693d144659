//! Effects: against numbers that another program computed (`analysis.py`), and against their definitions.

use mlp_report::effects::{Design, Effects, effects};
use mlp_report::factor::Grouping;
use mlp_report::score_scale::ScoreScale;
use mlp_report::{ReportInput, csv, heat_map, interplay, read_folder, report_html};
use mlp_results::interval::interval;
use mlp_results::{Overview, RunRecord, Status, TrialResult};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::made_up::{self, Story, scored};

/// The trials of `analysis.py`: three keys, four seeds, some combinations and some seeds missing.
fn incomplete_grid() -> Vec<RunRecord> {
    let mut records = Vec::new();
    for (a, b, c, seed) in indices() {
        let number = a * 37 + b * 53 + c * 29 + seed * 17 + a * b * 11 + b * c * 7 + a * seed * 5;
        let settings = [
            ("learning_rate", json!(0.1 * (a + 1) as f64)),
            ("batch_size", json!(8 << b)),
            ("activation", json!(["relu", "sigmoid", "tanh"][c])),
        ];
        if (a * 5 + b * 3 + c * 7 + seed * 2) % 4 != 0 && (a + 2 * b + c) % 5 != 0 {
            records.push(scored(&settings, seed as u64, 0.5 + (number % 100) as f64 / 250.0));
        }
    }
    records
}

fn indices() -> impl Iterator<Item = (usize, usize, usize, usize)> {
    (0..72).map(|index| (index / 24, index / 12 % 2, index / 4 % 3, index % 4))
}

pub(crate) fn effect_of<'e>(
    overview: &Overview<'_>,
    effects: &'e Effects,
    key: &str,
) -> &'e mlp_report::effects::KeyEffect {
    effects.keys.iter().find(|effect| overview.varied[effect.factor.key].key == key).unwrap()
}

pub(crate) fn close(a: f64, b: f64) -> bool {
    (a - b).abs() < 2e-10
}

/// Computed by `analysis.py` with NumPy's pseudo-inverse.
#[test]
fn adjusted_means_of_an_incomplete_grid_and_their_jackknife_intervals_are_those_of_numpy() {
    let input = made_up::input(incomplete_grid());
    let overview = Overview::new(&input.trials);
    let effects = effects(&overview);
    assert_eq!(input.trials.len(), 48);
    assert_eq!((effects.design, effects.n_combinations, effects.n_seeds), (Design::Incomplete, (15, 18), 4));
    assert!(close(effects.explained.unwrap(), 0.6615646961));
    // In the order of the values: numbers ascend, names are sorted.
    for (key, level, adjusted, half_width, plain) in [
        ("learning_rate", 0, 0.7350539216, 0.0073076166, 0.7316000000),
        ("learning_rate", 1, 0.6950465686, 0.1227684658, 0.6984000000),
        ("learning_rate", 2, 0.6617965686, 0.1101235897, 0.6652000000),
        ("batch_size", 0, 0.7138137255, 0.0645103547, 0.7090000000),
        ("batch_size", 1, 0.6807843137, 0.0442284676, 0.6862857143),
        ("activation", 0, 0.6980539216, 0.0560113841, 0.6872000000),
        ("activation", 1, 0.6967965686, 0.0912894807, 0.7072000000),
        ("activation", 2, 0.6970465686, 0.0983258289, 0.7008000000),
    ] {
        let found = &effect_of(&overview, &effects, key).levels[level];
        assert!(close(found.adjusted.unwrap(), adjusted), "{key} {level}: {found:?}");
        assert!(close(found.half_width.unwrap(), half_width), "{key} {level}: {found:?}");
        assert!(close(found.plain.unwrap(), plain), "{key} {level}: {found:?}");
    }
}

#[test]
fn in_a_complete_grid_the_adjusted_mean_is_the_plain_one_and_the_interval_that_of_the_seeds_means() {
    let mut records = Vec::new();
    for (a, b, c, seed) in indices() {
        let settings = [
            ("learning_rate", json!(a + 1)),
            ("batch_size", json!(b + 1)),
            ("activation", json!(["relu", "tanh", "x"][c])),
        ];
        let accuracy = 0.3 + made_up::noise(7, (a * 100 + b * 50 + c * 10 + seed) as u64) / 2.0;
        records.push(scored(&settings, seed as u64, accuracy));
    }
    let input = made_up::input(records);
    let overview = Overview::new(&input.trials);
    let effects = effects(&overview);
    assert_eq!(effects.design, Design::Complete);
    let key = effect_of(&overview, &effects, "batch_size");
    for (level, effect) in key.levels.iter().enumerate() {
        assert!(close(effect.adjusted.unwrap(), effect.plain.unwrap()));
        let of_seed = |seed: u64| {
            let scores: Vec<f64> = input
                .trials
                .iter()
                .filter(|trial| trial.record.config["batch_size"] == json!(level + 1))
                .filter(|trial| trial.record.config["seed"] == json!(seed))
                .filter_map(|trial| overview.score(trial))
                .collect();
            assert_eq!(scores.len(), 9);
            scores.iter().sum::<f64>() / 9.0
        };
        let expected = interval(&(0..4).map(of_seed).collect::<Vec<_>>()).unwrap();
        assert!(close(effect.adjusted.unwrap(), expected.mean));
        assert!(close(effect.half_width.unwrap(), expected.half_width));
    }
}

#[test]
fn the_best_and_the_worst_value_are_told_apart_seed_by_seed_and_as_two_chosen_among_all() {
    // The luck of a seed moves all values by up to 5 points; what the rate does is 1 point, but for a little.
    let luck = |seed: u64| 0.1 * made_up::noise(11, seed);
    let little = |rate: u64, seed: u64| 0.002 * made_up::noise(12, 10 * rate + seed);
    let accuracy = |rate: u64, seed: u64| 0.8 + 0.01 * rate as f64 + luck(seed) + little(rate, seed);
    let records = |n_rates: u64, accuracy: &dyn Fn(u64, u64) -> f64| {
        let trials = (0..4 * n_rates).map(|index| (index / 4 + 1, index % 4));
        let record = |(rate, seed)| scored(&[("learning_rate", json!(rate))], seed, accuracy(rate, seed));
        made_up::input(trials.map(record).collect())
    };
    // Student's t with 3 degrees for 5 % of one pair, and a third of them for each of three pairs: by scipy.stats 1.17.
    for (n_rates, t) in [(2, 3.1824463052842638), (3, 4.856657272768983)] {
        let input = records(n_rates, &accuracy);
        let effects = effects(&Overview::new(&input.trials));
        let key = &effects.keys[0];
        let differences = [0, 1, 2, 3].map(|seed| accuracy(n_rates, seed) - accuracy(1, seed));
        let error = mlp_results::interval::standard_error(&differences).unwrap();
        assert!((key.span_half_width.unwrap() - t * error).abs() < 1e-12, "{key:?}");
        assert!(key.levels.iter().all(|level| level.half_width.unwrap() > 0.02) && !key.may_be_luck());
        let page = report_html(&input);
        assert!(page.contains("Bonferroni") && !page.contains("not told apart"));
    }
    let noise = |rate: u64, seed: u64| 0.8 + 0.1 * made_up::noise(13, 10 * rate + seed);
    let input = records(3, &noise);
    assert!(effects(&Overview::new(&input.trials)).keys[0].may_be_luck());
    assert!(report_html(&input).contains("not told apart by 4 seeds"));
    assert!(!effects(&Overview::new(&input.trials)).keys[0].has_too_many_values());
    // Nine values have 36 pairs, for which four seeds are few; the comparison above them tells these two apart.
    let clear = |rate: u64, seed: u64| 0.8 + 0.01 * rate as f64 + 0.05 * made_up::noise(14, 10 * rate + seed);
    let input = records(9, &clear);
    assert!(effects(&Overview::new(&input.trials)).keys[0].has_too_many_values());
    let page = report_html(&input);
    assert!(page.contains("the two alone are told apart; for so many values, 4 seeds are few"), "{page}");
    assert!(!page.contains("not told apart by"));
}

/// Two runs of one value beside ten of another: the interval of the two is that of two.
#[test]
fn a_value_with_fewer_seeds_has_the_interval_of_as_many() {
    let records = (0..12).map(|index| {
        let (rate, seed) = if index < 10 { (1, index) } else { (2, index - 10) };
        scored(&[("learning_rate", json!(rate))], seed, 0.8 + 0.05 * made_up::noise(21 + rate, seed))
    });
    let input = made_up::input(records.collect());
    let overview = Overview::new(&input.trials);
    let effects = effects(&overview);
    let key = &effects.keys[0];
    for (level, effect) in key.levels.iter().enumerate() {
        let cell = overview.cells.iter().find(|cell| cell.indices[0] == level).unwrap();
        assert!(close(effect.half_width.unwrap(), cell.interval().unwrap().half_width), "{level}: {effect:?}");
    }
    // So is that of the difference: one degree of freedom for two runs, whatever the others are.
    assert!(key.may_be_luck() && key.span_seeds.is_some_and(|seeds| [(10, 2), (2, 10)].contains(&seeds)), "{key:?}");
    let page = report_html(&input);
    assert!(page.contains("not told apart by 10 and 2 seeds") || page.contains("not told apart by 2 and 10 seeds"));
    assert!(page.contains("Some configurations have results of other seeds than others"));
    let score = |level: usize, left_out: Option<u64>| {
        let cell = overview.cells.iter().find(|cell| cell.indices[0] == level).unwrap();
        let kept = cell.trials.iter().filter(|trial| trial.record.config["seed"].as_u64() != left_out);
        let scores: Vec<f64> = kept.filter_map(|trial| overview.score(trial)).collect();
        scores.iter().sum::<f64>() / scores.len() as f64
    };
    let difference = |left_out| score(0, left_out) - score(1, left_out);
    let pseudo: Vec<f64> = (0..10).map(|seed| 10.0 * difference(None) - 9.0 * difference(Some(seed))).collect();
    let expected = 12.706204736174694 * mlp_results::interval::standard_error(&pseudo).unwrap();
    assert!((key.span_half_width.unwrap() - expected).abs() < 1e-9, "{key:?}");
    // One seed alone says nothing of luck.
    let mut input = input;
    input.trials.remove(11);
    let effects = mlp_report::effects::effects(&Overview::new(&input.trials));
    let key = &effects.keys[0];
    assert!(key.levels[0].half_width.is_some() && key.levels[1].half_width.is_none() && key.span_half_width.is_none());
}

/// Large rates were run with one optimiser and small ones with another: a sum would say what the one reaches at the other's.
#[test]
fn what_was_never_run_together_is_not_guessed_at() {
    let score =
        |is_adam: bool, rate: f64| if is_adam { 0.9 - 0.1 * rate.log10().abs() } else { 0.9 + 0.3 * rate.log10() };
    let rates = |is_adam: bool| if is_adam { [0.001, 0.003, 0.01] } else { [0.01, 0.1, 1.0] };
    let mut records = Vec::new();
    for (is_adam, rate, size, seed) in
        (0..36).map(|index| (index % 2 == 0, index / 2 % 3, index / 6 % 2, index as u64 / 12))
    {
        let rate = rates(is_adam)[rate];
        let settings = [
            ("folder", json!(if is_adam { "a" } else { "s" })),
            ("optimizer", json!(if is_adam { "adam" } else { "sgd" })),
            ("learning_rate", json!(rate)),
            ("batch_size", json!(8 << size)),
        ];
        records.push(scored(&settings, seed, score(is_adam, rate) + 0.002 * made_up::noise(size as u64, seed)));
    }
    let input = made_up::input(records);
    let overview = Overview::new(&input.trials);
    let effects = effects(&overview);
    assert!(effect_of(&overview, &effects, "learning_rate").best_and_worst.is_none());
    let optimizers = effect_of(&overview, &effects, "optimizer");
    assert_eq!(optimizers.matched, Some((2, 10)));
    assert!((optimizers.span - (score(true, 0.01) - score(false, 0.01))).abs() < 1e-3, "{optimizers:?}");
    let (low, high) =
        mlp_results::interval::range(input.trials.iter().filter_map(|trial| overview.score(trial))).unwrap();
    let estimates = effects.keys.iter().flat_map(|key| &key.levels).filter_map(|level| level.estimate());
    assert!(estimates.into_iter().all(|estimate| low <= estimate && estimate <= high));
    let page = report_html(&input);
    assert!(page.contains("at 2 of 10 combinations of the others") && !page.contains("(cut)"), "{page}");
}

/// Of ten trials with the largest rate eight diverged; the two that are left are the best of all.
#[test]
fn a_value_at_which_trials_diverged_is_not_called_the_best() {
    let record = |rate: u64, seed: u64| {
        let settings = [("learning_rate", json!(rate))];
        if rate == 3 && seed > 1 {
            return made_up::diverged(&settings, Story { accuracy: 0.5, pace: 1.0, n_epochs: 1, seed });
        }
        scored(&settings, seed, 0.6 + 0.1 * rate as f64 + 0.01 * made_up::noise(rate, seed))
    };
    let input = made_up::input((10..40).map(|index| record(index / 10, index % 10)).collect());
    let overview = Overview::new(&input.trials);
    let effects = effects(&overview);
    let key = &effects.keys[0];
    assert!(key.hinges_on_losses && key.levels[2].n_lost == 8, "{key:?}");
    let page = report_html(&input);
    let at = page.find("no best value: 3 has the best mean, ").expect("a sentence");
    assert!(page[at..at + 200].contains("(8 of 10 trials diverged or failed)"), "{}", &page[at..at + 200]);
    // One of ten is no reason to name another value the best.
    let mut input = input;
    input.trials.retain(|trial| trial.record.status == Status::Finished);
    input.trials.push(TrialResult::from(record(3, 9)));
    input.trials.extend((12..19).map(|seed| TrialResult::from(scored(&[("learning_rate", json!(3))], seed, 0.9))));
    let overview = Overview::new(&input.trials);
    let effects = mlp_report::effects::effects(&overview);
    let key = &effects.keys[0];
    let ends = key.best_and_worst.map(|ends| ends.map(|(level, _)| level));
    assert!(!key.hinges_on_losses && ends == Some([2, 0]) && key.levels[2].n_lost == 1, "{key:?}");
    assert!(report_html(&input).contains("<span class=\"status diverged\">(1 of 10 trials diverged or failed)"));
}

#[test]
fn the_luckier_seeds_of_a_configuration_are_not_held_against_whole_ones() {
    let record = |rate: u64, size: u64, seed: u64| {
        let settings = [("learning_rate", json!(rate)), ("batch_size", json!(size))];
        if (rate, size) == (2, 2) && seed > 0 {
            return made_up::diverged(&settings, Story { accuracy: 0.5, pace: 1.0, n_epochs: 1, seed });
        }
        let accuracy = if (rate, size) == (2, 2) { 0.97 } else { 0.9 + 0.001 * (2 * rate + size + seed) as f64 };
        scored(&settings, seed, accuracy)
    };
    let input = made_up::input((0..12).map(|index| record(1 + index % 2, 1 + index / 2 % 2, index / 4)).collect());
    let overview = Overview::new(&input.trials);
    assert_eq!(overview.cells.last().unwrap().n_lost(), 2);
    let map = heat_map::heat_map(&overview, 0, 1);
    let texts = map.split("<text").filter_map(|text| text.split("</text>").next());
    let bold: Vec<&str> = texts.filter(|text| text.contains("\"bold\"") && !text.contains("Accuracy")).collect();
    assert!(bold.len() == 1 && !bold[0].contains("97.0"), "{bold:?}");
    let page = report_html(&input);
    assert!(page.contains("2 of 3 diverged; of configuration no. 4; trial"), "{page}");
    let cost = &page[page.find("id=\"cost\"").unwrap()..];
    let cost = &cost[..cost.find("</table>").unwrap()];
    assert!(cost.contains("of these only such are here") && !cost.contains("97.00 %"), "{cost}");
}

/// Of a cell one trial diverged and halving stopped the others; and no line is drawn across a cell in which all diverged.
#[test]
fn what_was_stopped_is_not_marked_as_diverged_and_what_diverged_is_a_gap() {
    let record = |rate: u64, size: u64, seed: u64| {
        let settings = [("learning_rate", json!(rate)), ("batch_size", json!(size))];
        if rate == 2 && size == 2 {
            let story = Story { accuracy: 0.5, pace: 1.0, n_epochs: 1, seed };
            return TrialResult::from(made_up::diverged(&settings, story));
        }
        if rate == 3 && size == 1 {
            return stopped(&settings, seed, 3);
        }
        TrialResult::from(scored(&settings, seed, 0.9 + 0.01 * (rate + size) as f64 + 0.001 * seed as f64))
    };
    let mut trials: Vec<TrialResult> =
        (0..12).map(|index| record(1 + index % 3, 1 + index / 3 % 2, index / 6)).collect();
    let settings = [("learning_rate", json!(3)), ("batch_size", json!(1))];
    let story = Story { accuracy: 0.5, pace: 1.0, n_epochs: 1, seed: 2 };
    trials.push(TrialResult::from(made_up::diverged(&settings, story)));
    let input = ReportInput { trials, ..ReportInput::default() };
    let overview = Overview::new(&input.trials);
    let map = heat_map::heat_map(&overview, 0, 1);
    assert!(map.contains("\n× ○\n") && map.contains("\n×\n"), "{map}");
    let effects = effects(&overview);
    let place =
        |key: &str| effects.keys.iter().position(|effect| overview.varied[effect.factor.key].key == key).unwrap();
    let svg = interplay::interplay(&overview, &effects, (place("learning_rate"), place("batch_size")));
    // Of batches of 1 a line through all rates, and of batches of 2 two dots.
    let lines: Vec<&str> =
        svg.lines().filter(|line| line.contains("<polyline") && line.contains("stroke-width=\"8\"")).collect();
    assert!(lines.len() == 1 && lines[0].matches(',').count() == 3, "{lines:?}");
}

#[test]
fn where_nothing_has_a_result_nothing_is_said_of_effects() {
    let records = (0..6).map(|index| {
        let story = Story { accuracy: 0.5, pace: 1.0, n_epochs: 1, seed: index % 2 };
        made_up::diverged(&[("learning_rate", json!(index / 2))], story)
    });
    let page = report_html(&made_up::input(records.collect()));
    assert!(!page.contains("With one seed") && !page.contains("All 0 combinations"), "{page}");
}

#[test]
fn adjusting_undoes_what_a_lopsided_grid_does_to_plain_means() {
    // Additive by construction: the rate adds nothing, the batch size 0.2. The slow rate was tried with the good one only.
    let accuracy = |batch: usize| 0.6 + 0.2 * batch as f64;
    let mut records = Vec::new();
    for (rate, batch) in [(0, 0), (0, 1), (1, 1), (2, 0), (2, 1)] {
        let settings = [("learning_rate", json!(rate)), ("batch_size", json!(batch))];
        records.extend((0..2).map(|seed| scored(&settings, seed, accuracy(batch))));
    }
    let input = made_up::input(records);
    let overview = Overview::new(&input.trials);
    let effects = effects(&overview);
    let rates = effect_of(&overview, &effects, "learning_rate");
    assert!(close(rates.levels[1].plain.unwrap(), 0.8));
    // They are compared where all were run.
    assert_eq!(rates.matched, Some((1, 2)));
    assert!(rates.levels.iter().all(|level| close(level.adjusted.unwrap(), 0.8)));
    let sizes = effect_of(&overview, &effects, "batch_size");
    assert!(sizes.matched == Some((2, 3)) && close(sizes.span, 0.2), "{sizes:?}");
    assert!(report_html(&input).contains("at 1 of 2 combinations of the others"));
    assert!(report_html(&input).contains("Of all 6 combinations of the values that have any result only 5 have one."));
}

/// Each activation was run in every combination that was run, but not in every one that there is.
#[test]
fn a_mean_over_what_was_run_is_not_passed_off_as_one_over_all_combinations() {
    let mut records = Vec::new();
    for (dropout, rate) in [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1)] {
        for activation in ["relu", "tanh"] {
            let settings =
                [("dropout", json!(dropout)), ("learning_rate", json!(rate)), ("activation", json!(activation))];
            let score = 0.5 + 0.1 * f64::from(rate) + if activation == "relu" { 0.05 } else { 0.0 };
            records.extend((0..2).map(|seed| scored(&settings, seed, score)));
        }
    }
    let input = made_up::input(records);
    let overview = Overview::new(&input.trials);
    let found = effects(&overview);
    let activations = effect_of(&overview, &found, "activation");
    assert_eq!(activations.matched, Some((5, 6)));
    assert!(close(activations.levels[0].adjusted.unwrap(), 0.55 + 0.1 * 4.0 / 5.0), "{activations:?}");
    let page = report_html(&input);
    assert!(page.contains("at 5 of 6 combinations of the others"), "{page}");
    assert!(page.contains("Where all values of a setting were run with the same others, no sum is needed"));
}

#[test]
fn drawn_numbers_are_taken_together_in_ranges_of_equally_many_configurations() {
    let draw = |index: u64| {
        let rate = 10f64.powf(-4.0 + 4.0 * made_up::noise(1, index));
        let settings = [("learning_rate", json!(rate)), ("batch_size", json!([8, 32][(index % 2) as usize]))];
        scored(&settings, 0, 0.9 - 0.1 * (rate.log10() + 2.0).powi(2) + 0.02 * made_up::noise(2, index))
    };
    let input = made_up::input((0..64).map(draw).collect());
    let overview = Overview::new(&input.trials);
    let effects = effects(&overview);
    assert_eq!(effects.design, Design::Drawn);
    let rates = effect_of(&overview, &effects, "learning_rate");
    assert_eq!(rates.factor.grouping, Grouping::Ranges);
    assert_eq!(rates.levels.iter().map(|level| level.n_configurations).collect::<Vec<_>>(), [8; 8]);
    for (level, effect) in rates.levels.iter().enumerate() {
        let of_level = |cell: &&mlp_results::Cell<'_>| rates.factor.level_of[cell.indices[rates.factor.key]] == level;
        let scores: Vec<f64> = overview.cells.iter().filter(of_level).map(|cell| cell.scores[0]).collect();
        let expected = interval(&scores).unwrap();
        assert!(close(effect.estimate().unwrap(), expected.mean));
        assert!(close(effect.half_width.unwrap(), expected.half_width));
    }
    let page = report_html(&input);
    assert!(page.contains("as when they are drawn at random") && page.contains("t-interval over the configurations"));
    assert!(!page.contains("NaN"));
}

#[test]
fn of_names_drawn_at_random_with_one_seed_what_cannot_be_told_from_chance_is_not_ranked() {
    let keys = ["activation", "loss", "optimizer", "schedule"];
    let draw = |index: u64| {
        let drawn = [3, 4, 5, 6].map(|key| ["one", "two", "three"][(made_up::noise(key, index) * 3.0) as usize]);
        let better = if drawn[0] == "two" { 0.1 } else { 0.0 };
        let settings: Vec<_> = keys.into_iter().zip(drawn.map(|name| json!(name))).collect();
        scored(&settings, 0, 0.7 + better + 0.05 * made_up::noise(7, index))
    };
    let input = made_up::input((0..30).map(draw).collect());
    let overview = Overview::new(&input.trials);
    let effects = effects(&overview);
    assert_eq!((effects.design, effects.n_seeds), (Design::Incomplete, 1));
    assert!(effect_of(&overview, &effects, "activation").may_matter());
    for key in ["loss", "optimizer", "schedule"] {
        assert!(!effect_of(&overview, &effects, key).may_matter(), "{key} is noise");
    }
    assert_eq!(overview.varied[effects.keys[0].factor.key].key, "activation", "what matters comes first");
    let page = report_html(&input);
    assert!(page.contains("p is how likely chance alone lets the best of all settings do as well"));
    assert!(page.contains("this effect cannot be told from chance"));
}

#[test]
fn drawn_trials_of_which_some_were_ended_early_are_compared_where_all_were_measured() {
    let input = ReportInput { trials: made_up::drawn(120), ..ReportInput::default() };
    let overview = Overview::new(&input.trials);
    let effects = effects(&overview);
    assert_eq!((effects.design, effects.at_epoch), (Design::Drawn, Some(4)));
    assert_eq!(effects.keys[0].levels.iter().map(|level| level.n_scored).sum::<usize>(), 120);
    // Lists of one number are numbers.
    assert_eq!(effect_of(&overview, &effects, "hidden").factor.grouping, Grouping::Ranges);
    assert!(overview.cells.iter().all(|cell| cell.n_stopped == 0 || cell.scores.is_empty()));
    let page = report_html(&input);
    assert!(page.contains("after epoch 4:") && page.contains("hidden units"));
    assert!(!page.contains("NaN"));
}

#[test]
fn many_lists_are_taken_together_by_length_and_many_names_are_left_out() {
    let draw = |index: usize| {
        let hidden: Vec<usize> = (0..index % 3 + 1).map(|layer| 100 + index * 3 + layer).collect();
        let settings = [("hidden", json!(hidden)), ("note", json!(format!("text {index}")))];
        scored(&settings, 0, 0.5 + index as f64 / 100.0)
    };
    let input = made_up::input((0..30).map(draw).collect());
    let overview = Overview::new(&input.trials);
    let effects = effects(&overview);
    assert_eq!(effects.keys.len(), 1);
    assert_eq!(effects.keys[0].factor.names, ["1 layer", "2 layers", "3 layers"]);
    assert_eq!(effects.keys[0].factor.grouping, Grouping::Lengths);
    assert_eq!(effects.left_out.len(), 1);
    assert!(report_html(&input).contains("Left out, because of too many values without an order: <code>note</code>"));
}

#[test]
fn with_one_seed_there_is_no_column_of_spread_and_with_several_there_is() {
    let with = |n_seeds: u64| {
        let grid = (0..4u64 * n_seeds).map(|i| scored(&[("l2", json!(i % 4))], i / 4, 0.9 + i as f64 / 1e3));
        report_html(&made_up::input(grid.collect()))
    };
    let (one, several) = (with(1), with(3));
    for column in ["95 % interval</th>", "spread of single runs</th>", "lowest – highest</th>"] {
        assert!(!one.contains(column) && several.contains(column), "{column}");
    }
    assert!(one.contains("Every configuration was run once") && one.contains("With one seed there are no intervals"));
    assert!(several.contains("Student’s t taken with 2 degrees of freedom"));
}

#[test]
fn bimodal_scores_have_no_interval_and_say_how_many_seeds_trained() {
    let scores = [[0.114, 0.97, 0.972], [0.95, 0.951, 0.949]];
    let records = (0..6).map(|i| scored(&[("l2", json!(i / 3))], (i % 3) as u64, scores[i / 3][i % 3]));
    let input = made_up::input(records.collect());
    let overview = Overview::new(&input.trials);
    let (steady, torn) = (&overview.cells[0], &overview.cells[1]);
    assert!(steady.interval().is_some() && !steady.is_bimodal);
    assert!(torn.interval().is_none() && torn.is_bimodal);
    assert_eq!((torn.n_trained, torn.scores.len()), (2, 3));
    let page = report_html(&input);
    assert!(page.contains("<td>two groups</td>") && page.contains("<span class=\"status diverged\">2 of 3</span>"));
    // The same rule for the effect of the setting: a mean, and no interval.
    let found = effects(&overview);
    let levels = &found.keys[0].levels;
    assert!(levels[0].is_bimodal && levels[0].half_width.is_none() && levels[0].estimate().is_some());
    assert!(!levels[1].is_bimodal && levels[1].half_width.is_some());
    let section = &page[page.find("id=\"effects\"").unwrap()..page.find("id=\"trials\"").unwrap()];
    assert!(
        section.contains("<td>two groups</td>")
            && section.contains("a configuration of which some runs trained has none")
    );
    assert!(section.contains("Where runs fall into two groups, no interval is given."));
    // Scores on both sides of the bound, but without a gap between them, are not two groups.
    let near = (0..3).map(|i| scored(&[], i, [0.50, 0.56, 0.97][i as usize]));
    let near = made_up::input(near.collect());
    assert!(!Overview::new(&near.trials).cells[0].is_bimodal);
}

#[test]
fn one_failed_cell_does_not_flatten_the_shades_of_the_others() {
    let score = |i: usize| if i == 0 { 0.114 } else { 0.95 + i as f64 / 300.0 };
    let records = (0..9).map(|i| scored(&[("l1", json!(i / 3)), ("l2", json!(i % 3))], 0, score(i)));
    let input = made_up::input(records.collect());
    let overview = Overview::new(&input.trials);
    let means: Vec<f64> = overview.cells.iter().filter_map(|cell| cell.mean()).collect();
    let scale = ScoreScale::new(&overview, &means).unwrap();
    assert!(scale.worst > 0.94 && scale.best > scale.worst, "{scale:?}");
    assert!(heat_map::heat_map(&overview, 0, 1).contains("or worse"));
}

/// A record of a trial that was ended after `n_epochs` epochs, as a newer version would write it.
fn stopped(settings: &[(&str, Value)], seed: u64, n_epochs: usize) -> TrialResult {
    let mut record = scored(settings, seed, 0.99);
    record.epochs.truncate(n_epochs + 1);
    record.best_epoch = n_epochs;
    record.status = Status::Failed;
    TrialResult { record, model: None, ending: Some("stopped".to_owned()) }
}

#[test]
fn a_trial_that_was_stopped_is_shown_and_never_counts_as_a_result() {
    let mut input = made_up::input(vec![scored(&[("l2", json!(0))], 0, 0.9), scored(&[("l2", json!(0))], 1, 0.91)]);
    input.trials.push(stopped(&[("l2", json!(1))], 0, 1));
    let overview = Overview::new(&input.trials);
    assert_eq!(overview.cells[1].scores, [0.0; 0]);
    assert_eq!(overview.cells[1].n_stopped, 1);
    assert_eq!(overview.best.unwrap().record.config["l2"], json!(0));
    // All three were measured after the first epoch: there they are compared.
    let effects = effects(&overview);
    assert_eq!(effects.at_epoch, Some(1));
    assert_eq!(effects.keys[0].levels.iter().map(|level| level.n_scored).collect::<Vec<_>>(), [2, 1]);
    let page = report_html(&input);
    assert!(page.contains("2 finished, 1 stopped") && page.contains("<option>stopped</option>"));
    assert!(
        page.contains("1 trial was ended early (stopped).")
            && page.contains("0 of 1, <span class=\"status\">1 ended early")
    );
    assert!(page.contains("compares all trials after epoch 1, the last that every one of them reached"));
    assert!(csv::results_csv(&input.trials, csv::Seconds::Without).lines().any(|line| line.contains(",stopped,")));
}

#[test]
fn of_what_was_stopped_what_came_further_stands_first_and_then_what_had_reached_more() {
    let trials = [(1, 2), (2, 4), (3, 4)].map(|(rate, n_epochs)| {
        let mut trial = stopped(&[("learning_rate", json!(rate))], 0, n_epochs);
        let last = trial.record.epochs.last_mut().unwrap();
        last.test.as_mut().unwrap().accuracy = Some(0.1 * f64::from(rate));
        trial
    });
    let rates = Overview::new(&trials).cells.iter().map(|cell| cell.indices[0]).collect::<Vec<_>>();
    assert_eq!(rates, [2, 1, 0]);
}

#[test]
fn a_record_with_an_ending_of_a_newer_version_is_read_with_its_word() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(dir.path().join("trials")).unwrap();
    let record = made_up::own(scored(&[], 0, 0.9));
    let text = record.to_json().unwrap();
    let path = dir.path().join("trials").join(format!("{}.json", record.trial));
    std::fs::write(&path, text.replace("\"finished\"", "\"halted<b>\"")).unwrap();
    let input = read_folder(dir.path()).unwrap();
    assert_eq!(input.warnings, [""; 0]);
    assert_eq!(input.trials[0].ending.as_deref(), Some("halted<b>"));
    assert_eq!(Overview::new(&input.trials).best, None);
    let page = report_html(&input);
    assert!(page.contains("halted&lt;b&gt;") && !page.contains("halted<b>"));
    // What is no word at all is no record.
    std::fs::write(&path, text.replace("\"finished\"", "7")).unwrap();
    assert_eq!(read_folder(dir.path()).unwrap().warnings.len(), 1);
}

#[test]
fn a_value_whose_configurations_diverged_is_marked() {
    let mut records: Vec<RunRecord> =
        (0..6).map(|i| scored(&[("l1", json!(i / 3)), ("l2", json!(i % 3))], 0, 0.9)).collect();
    records[5] = made_up::diverged(
        &[("l1", json!(1)), ("l2", json!(2))],
        Story { accuracy: 0.5, pace: 1.0, n_epochs: 1, seed: 0 },
    );
    records[2] = scored(&[("l1", json!(0)), ("l2", json!(2))], 0, 0.85);
    let input = made_up::input(records);
    let overview = Overview::new(&input.trials);
    let effects = effects(&overview);
    assert_eq!(effect_of(&overview, &effects, "l2").levels.iter().map(|l| l.n_without).collect::<Vec<_>>(), [0, 0, 1]);
    let page = report_html(&input);
    // Its mean counts what did not diverge.
    assert_eq!(
        effect_of(&overview, &effects, "l2").best_and_worst.map(|ends| ends.map(|(level, _)| level)),
        Some([0, 2])
    );
    let marks = ["1 of 2 without a score", "1 of 2 trials diverged or failed"];
    let marks = marks.map(|mark| format!(" <span class=\"status diverged\">({mark})</span>")).concat();
    assert!(page.contains(&format!("<td class=\"left\">2{marks}</td>")), "{page}");
    assert!(page.contains("the value may be worse than its mean"));
    // A value that never came to a result leaves the rest of the grid complete.
    let mut input = input;
    input.trials.retain(|trial| trial.record.config["l2"] != json!(2) || trial.record.status == Status::Diverged);
    assert_eq!(mlp_report::effects::effects(&Overview::new(&input.trials)).design, Design::Complete);
}

#[test]
fn pairs_of_keys_say_over_what_their_points_are_means() {
    let two = made_up::input(made_up::grid(40));
    let overview = Overview::new(&two.trials);
    let of_two = effects(&overview);
    assert_eq!(interplay::pairs(&of_two).len(), 1);
    assert_eq!(interplay::averaged(&overview, &of_two, interplay::pairs(&of_two)[0]), [""; 0]);
    assert!(report_html(&two).contains("No other setting varies, so every point is one configuration."));
    let four = made_up::input(made_up::grid(360));
    let overview = Overview::new(&four.trials);
    let of_four = effects(&overview);
    for pair in interplay::pairs(&of_four) {
        assert_eq!(interplay::averaged(&overview, &of_four, pair).len(), 2);
    }
    assert!(report_html(&four).contains("Every point is a mean over the values of "));
}

#[test]
fn the_raw_table_is_linked_and_the_cost_is_shown_in_seconds() {
    let page = report_html(&made_up::input(made_up::depth_sweep()));
    assert!(page.contains("<a href=\"results.csv\">"));
    assert!(page.contains("seconds per trial</th>") && page.contains("<dt>Time of all trials</dt>"));
    assert!(page.contains("<h2>Cost</h2>"));
}

#[test]
fn the_analysis_of_a_small_sweep_reads_as_it_did() {
    let page = crate::pages::text_of(&report_html(&made_up::input(incomplete_grid())));
    let start = page.find("<section id=\"comparison\">").unwrap();
    let end = page.find("<section id=\"trials\">").unwrap();
    insta::assert_snapshot!(page[start..end]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn the_order_of_the_records_changes_no_byte(keys in proptest::collection::vec(any::<u32>(), 48)) {
        let report = |records: Vec<RunRecord>| {
            let input: ReportInput = made_up::input(records);
            (report_html(&input), csv::results_csv(&input.trials, csv::Seconds::With))
        };
        let records = incomplete_grid();
        let mut shuffled: Vec<(u32, RunRecord)> = keys.into_iter().zip(records.clone()).collect();
        shuffled.sort_by_key(|(key, _)| *key);
        let shuffled = shuffled.into_iter().map(|(_, record)| record).collect();
        prop_assert!(report(records) == report(shuffled));
    }

    #[test]
    fn scores_moved_by_a_constant_move_every_mean_and_no_interval(shift in 0.0..0.1f64) {
        let mut moved = incomplete_grid();
        for record in &mut moved {
            let accuracy = record.epochs[2].test.as_mut().unwrap().accuracy.as_mut().unwrap();
            *accuracy += shift;
        }
        let (before, after) = (made_up::input(incomplete_grid()), made_up::input(moved));
        let (before, after) = (effects(&Overview::new(&before.trials)), effects(&Overview::new(&after.trials)));
        for (a, b) in before.keys.iter().zip(&after.keys) {
            prop_assert_eq!(a.factor.key, b.factor.key);
            for (a, b) in a.levels.iter().zip(&b.levels) {
                prop_assert!((b.adjusted.unwrap() - a.adjusted.unwrap() - shift).abs() < 1e-9);
                prop_assert!((b.half_width.unwrap() - a.half_width.unwrap()).abs() < 1e-9);
            }
        }
    }
}
