//! Which settings of a random search matter: no more of them under pure chance than was promised, and the true ones.

use mlp_report::effects::{Design, Effects, SharedSeeds, effects};
use mlp_report::report_html;
use mlp_results::{Overview, RunRecord, TrialResult};
use serde_json::json;

use crate::made_up::{self, Story, noise, scored};

/// A draw of six settings: rates and penalties by their order of magnitude, widths, a share, two names.
fn draw(index: u64, accuracy: impl Fn(f64) -> f64) -> RunRecord {
    let random = |part: u64| noise(77 + index, part);
    let rate = 10f64.powf(-4.0 + 4.0 * random(1));
    let settings = [
        ("learning_rate", json!(rate)),
        ("l2", json!(10f64.powf(-6.0 + 4.0 * random(2)))),
        ("hidden", json!([16 + (random(3) * 500.0) as usize])),
        ("batch_size", json!(8 + (random(4) * 120.0) as usize)),
        ("activation", json!(["sigmoid", "tanh", "relu"][(random(5) * 3.0) as usize])),
        ("bias", json!(random(6) < 0.5)),
    ];
    scored(&settings, 0, accuracy(rate))
}

/// Sets the final score of trial number `index` of search number `search` to a number that has nothing to do with its
/// settings.
fn shuffle(trials: &mut [TrialResult], search: u64) {
    for (index, trial) in trials.iter_mut().enumerate() {
        let metrics = trial.record.epochs[2].test.as_mut().unwrap();
        metrics.accuracy = Some(0.5 + 0.4 * noise(1_000_000 + search, index as u64));
    }
}

fn names<'o>(overview: &'o Overview<'_>, effects: &Effects) -> Vec<&'o str> {
    let important = effects.keys.iter().filter(|key| key.importance.is_some_and(|importance| importance.matters));
    important.map(|key| overview.varied[key.factor.key].key.as_str()).collect()
}

#[test]
fn with_shuffled_scores_a_search_names_no_setting_in_nineteen_of_twenty_cases() {
    const N_SEARCHES: u64 = 200;
    let mut input = made_up::input((0..30).map(|index| draw(index, |_| 0.9)).collect());
    let (mut n_searches, mut n_keys) = (0, 0);
    for search in 0..N_SEARCHES {
        shuffle(&mut input.trials, search);
        let overview = Overview::new(&input.trials);
        let effects = effects(&overview);
        assert_eq!((effects.design, effects.keys.len(), effects.n_compared), (Design::Drawn, 6, 30));
        let n_named = names(&overview, &effects).len();
        n_searches += u64::from(n_named > 0);
        n_keys += n_named;
    }
    // 5 % of 200 searches are 10, give or take 3; of all 1,200 settings, far fewer are named.
    assert!((3..=17).contains(&n_searches), "{n_searches} of {N_SEARCHES} searches name a setting");
    assert!(n_keys < 1_200 / 50, "{n_keys} of 1,200 settings");
}

#[test]
fn a_true_effect_is_found_among_thirty_trials_and_stands_first() {
    let by_rate = |rate: f64| 0.9 - 0.05 * (rate.log10() + 2.0).powi(2);
    let input = made_up::input((0..30).map(|i| draw(i, |rate| by_rate(rate) + 0.05 * noise(3, i))).collect());
    let overview = Overview::new(&input.trials);
    let found = effects(&overview);
    assert_eq!(names(&overview, &found), ["learning_rate"]);
    let found = found.keys[0].importance.unwrap();
    assert!(found.share > 0.5 && found.p <= 0.01, "{found:?}");
    // However clear the effect, chance favours each of the six settings in one of the tables most.
    let clear = made_up::input((0..30).map(|i| draw(i, by_rate)).collect());
    let least = effects(&Overview::new(&clear.trials)).keys[0].importance.unwrap().p;
    assert!((0.004..=0.006).contains(&least), "{least}");
    assert!(report_html(&clear).contains("p can hardly be below 0.006 here"));
    let page = report_html(&input);
    assert!(page.contains("cannot be told from chance with 30 configurations"));
    assert!(page.contains("forward selection by permutation of residuals") && !page.contains("NaN"));
}

#[test]
fn trials_that_diverged_rank_last_so_that_a_rate_that_is_too_large_is_found() {
    // Whatever trained is equally good: only that large rates diverge tells anything.
    let mut records: Vec<RunRecord> = (0..30).map(|i| draw(i, |_| 0.9 + 0.01 * noise(8, i))).collect();
    for record in &mut records {
        if record.config["learning_rate"].as_f64().unwrap() > 0.05 {
            let settings: Vec<(&str, _)> = ["learning_rate", "l2", "hidden", "batch_size", "activation", "bias"]
                .map(|key| (key, record.config[key].clone()))
                .to_vec();
            *record = made_up::diverged(&settings, Story { accuracy: 0.5, pace: 1.0, n_epochs: 1, seed: 0 });
        }
    }
    let input = made_up::input(records);
    let overview = Overview::new(&input.trials);
    let effects = effects(&overview);
    assert_eq!(effects.n_compared, 30);
    assert_eq!(names(&overview, &effects).first(), Some(&"learning_rate"), "{:?}", effects.keys);
}

#[test]
fn scores_that_are_all_equal_and_searches_of_a_handful_of_trials_name_nothing() {
    let equal = made_up::input((0..30).map(|index| draw(index, |_| 0.9)).collect());
    let overview = Overview::new(&equal.trials);
    assert_eq!(names(&overview, &effects(&overview)), [""; 0]);
    assert!(!report_html(&equal).contains("NaN"));
    let few = made_up::input((0..4).map(|index| draw(index, |rate| rate)).collect());
    assert!(!report_html(&few).contains("NaN"));
}

#[test]
fn a_setting_that_always_changes_together_with_one_that_matters_is_not_called_chance() {
    let mut records: Vec<RunRecord> =
        (0..30).map(|i| draw(i, |rate| 0.9 - 0.05 * (rate.log10() + 2.0).powi(2))).collect();
    for record in &mut records {
        let rate = record.config["learning_rate"].as_f64().unwrap();
        record.config.insert("l2".to_owned(), json!(rate / 100.0));
    }
    let input = made_up::input(records);
    let overview = Overview::new(&input.trials);
    let effects = effects(&overview);
    let alias = effects.keys.iter().find(|key| key.importance.is_some_and(|importance| importance.is_alias)).unwrap();
    let alias = overview.varied[alias.factor.key].key.as_str();
    let named = names(&overview, &effects);
    let twins = ["l2", "learning_rate"];
    assert!(twins.contains(&alias) && twins.contains(&named[0]) && !named.contains(&alias), "{alias}, {named:?}");
    assert!(report_html(&input).contains("always changes together with settings above it"));
}

/// Every value was drawn once: the best minus the worst of a setting would be the best minus the worst trial.
#[test]
fn few_draws_are_never_ranked_by_the_best_minus_the_worst() {
    for n_draws in [4, 5, 8, 10, 12] {
        let input = made_up::input((0..n_draws).map(|i| draw(i, |_| 0.2 + 0.7 * noise(5, i))).collect());
        let overview = Overview::new(&input.trials);
        let effects = effects(&overview);
        assert_eq!(effects.design, Design::Drawn, "{n_draws}");
        assert_eq!(names(&overview, &effects), [""; 0], "{n_draws}");
        assert!(effects.keys.iter().all(|key| !key.may_matter()), "{n_draws}");
        assert_eq!(mlp_report::interplay::pairs(&effects), []);
        let page = report_html(&input);
        let said = if n_draws < 6 { "too few configurations to say" } else { "cannot be told from chance with" };
        assert!(page.contains(said) && !page.contains("not more than one value"), "{n_draws}");
    }
}

#[test]
fn a_range_in_which_trials_diverged_is_not_called_the_best() {
    let diverges = |rate: f64, index: u64| rate > 0.1 && !index.is_multiple_of(3);
    let records = (0..32).map(|index| {
        let mut record = draw(index, |rate| 0.6 + 0.05 * (rate.log10() + 4.0));
        let rate = record.config["learning_rate"].as_f64().unwrap();
        if diverges(rate, index) {
            record.status = mlp_results::Status::Diverged;
        }
        record
    });
    let input = made_up::input(records.collect());
    let overview = Overview::new(&input.trials);
    let effects = effects(&overview);
    let key = effects.keys.iter().find(|key| overview.varied[key.factor.key].key == "learning_rate").unwrap();
    let [(best, _), _] = key.best_and_worst.unwrap();
    assert!(key.hinges_on_losses && key.levels[best].n_lost > 0, "{key:?}");
    assert!(report_html(&input).contains("but not if what diverged or failed counted like"));
}

#[test]
fn a_best_value_in_the_middle_of_few_draws_is_named_as_such() {
    for n_draws in [12, 15, 18, 20] {
        let score = |rate: f64| 0.95 - 0.1 * (rate.log10() + 2.0).powi(2);
        let input = made_up::input((0..n_draws).map(|index| draw(index, score)).collect());
        let overview = Overview::new(&input.trials);
        let effects = effects(&overview);
        assert_eq!(names(&overview, &effects), ["learning_rate"], "{n_draws}");
        let [(best, _), _] = effects.keys[0].best_and_worst.unwrap();
        let n_levels = effects.keys[0].levels.len();
        assert!(n_levels >= 3 && 0 < best && best < n_levels - 1, "{n_draws}: {best} of {n_levels}");
    }
}

#[test]
fn one_setting_changed_after_the_other_is_no_search() {
    let change = |key: &str, value: f64, score| scored(&[(key, json!(value))], 0, score);
    // The defaults are the configuration in the middle, from which both go out.
    let mut records = vec![scored(&[], 0, 0.85)];
    records.extend((1..7).map(|i| change("learning_rate", f64::from(i), 0.9 + f64::from(i) / 100.0)));
    records.push(change("l2", 0.5, 0.8));
    let input = made_up::input(records);
    let effects = effects(&Overview::new(&input.trials));
    assert_eq!(effects.design, Design::Incomplete);
    assert!(effects.keys.iter().all(|key| key.is_separable && !key.has_too_few));
}

#[test]
fn values_that_reach_the_same_make_no_difference() {
    let grid = |i: u64| scored(&[("l1", json!(i / 2)), ("l2", json!(i % 2))], 0, 0.5 + 0.1 * (i % 2) as f64);
    let page = report_html(&made_up::input((0..4).map(grid).collect()));
    assert!(page.contains("no difference: every value reaches 55.00") && page.contains("0.00 points"), "{page}");
    assert!(!page.contains("not more than one value has a result"));
}

/// What a search of `n_draws` draws with these seeds reaches where `luck` says what a value of a setting does with a seed: the
/// setting (by its place), its value, and the seed; and `effect` what a rate does with a seed.
fn search_with_luck(
    search: u64,
    seeds: u64,
    luck: impl Fn(u64, u64, u64) -> f64,
    effect: impl Fn(f64, u64) -> f64,
) -> Vec<RunRecord> {
    let one = |index: u64| {
        let random = |part: u64| noise(9_000 + 1_000 * search + index, part);
        let rate = 0.005 * 4f64.powf(random(1));
        let places = [3, 2, 2].map(|n_values| n_values as f64).into_iter().zip(2..);
        let values: Vec<u64> = places.map(|(n_values, part)| (n_values * random(part)) as u64).collect();
        let settings = [
            ("learning_rate", json!(rate)),
            ("batch_size", json!(30 + values[0])),
            ("initializer", json!(["glorot-uniform", "glorot-normal"][values[1] as usize])),
            ("validation_split", json!(["random", "stratified"][values[2] as usize])),
        ];
        let by_seed = |seed: u64| {
            let luck: f64 = (0..3).map(|key| luck(key, values[key as usize], 100 * search + seed)).sum();
            scored(
                &settings,
                seed,
                0.5 + effect(rate, 100 * search + seed) + luck + 0.01 * gauss(search, 1_000 * index + seed),
            )
        };
        (0..seeds).map(by_seed).collect::<Vec<_>>()
    };
    (0..24).flat_map(one).collect()
}

/// A number with the normal distribution (Box and Muller).
fn gauss(seed: u64, index: u64) -> f64 {
    let (radius, angle) = (noise(seed + 40_000, 2 * index), noise(seed + 40_000, 2 * index + 1));
    (-2.0 * radius.max(1e-12).ln()).sqrt() * (std::f64::consts::TAU * angle).cos()
}

/// How many of the searches name a setting of `keys`.
fn n_naming(n_searches: u64, keys: &[&str], search: impl Fn(u64) -> Vec<RunRecord>) -> usize {
    let is_named = |index: &u64| {
        let input = made_up::input(search(*index));
        let overview = Overview::new(&input.trials);
        names(&overview, &effects(&overview)).iter().any(|name| keys.contains(name))
    };
    (0..n_searches).filter(is_named).count()
}

/// Two values that draw other random numbers have one luck each in all trials of a seed; with three seeds their luck is no effect.
#[test]
fn the_luck_of_a_value_with_its_seed_is_no_effect_where_there_are_seeds_to_tell() {
    const N_SEARCHES: u64 = 200;
    // One setting that has luck, and three; three seeds, and five.
    for (n_lucky, n_seeds) in [(1, 3), (3, 3), (3, 5)] {
        let luck = |key: u64, value: u64, seed: u64| {
            if key < 3 - n_lucky { 0.0 } else { 0.05 * gauss(key + 10 * value, seed) }
        };
        let names = ["batch_size", "initializer", "validation_split"];
        let n_named = n_naming(N_SEARCHES, &names, |search| search_with_luck(search, n_seeds, luck, |_, _| 0.0));
        // 5 % of 200 searches are 10, give or take 3.
        assert!(
            n_named <= 17,
            "{n_lucky} lucky settings, {n_seeds} seeds: {n_named} of {N_SEARCHES} searches name one"
        );
    }
}

#[test]
fn with_several_seeds_what_truly_matters_is_still_found_beside_luck() {
    let luck = |key: u64, value: u64, seed: u64| if key == 2 { 0.05 * gauss(value, seed) } else { 0.0 };
    let effect = |rate: f64, _: u64| 0.1 * (rate / 0.01).log2();
    let n_found = n_naming(40, &["learning_rate"], |search| search_with_luck(search, 3, luck, effect));
    assert!(n_found >= 36, "found in {n_found} of 40 searches");
}

/// What a rate does may well depend a little on the seed: all its values have the same draws, so that is no luck of theirs.
#[test]
fn a_setting_that_works_on_the_same_draws_needs_no_agreement_of_the_seeds() {
    let effect = |rate: f64, seed: u64| (0.03 + 0.02 * gauss(7, seed)) * (rate / 0.01).log2();
    let search = |index| search_with_luck(index, 3, |_, _, _| 0.0, effect);
    let n_found = n_naming(40, &["learning_rate"], search);
    assert!(n_found >= 36, "found in {n_found} of 40 searches");
}

#[test]
fn with_one_seed_what_is_named_is_named_for_that_seed_alone() {
    let luck = |key: u64, value: u64, _: u64| if key == 2 { 0.05 * value as f64 } else { 0.0 };
    let one = made_up::input(search_with_luck(1, 1, luck, |_, _| 0.0));
    let overview = Overview::new(&one.trials);
    let effects_of_one = effects(&overview);
    assert_eq!(effects_of_one.shared_seeds, SharedSeeds::One);
    assert_eq!(names(&overview, &effects_of_one), ["validation_split"]);
    let page = report_html(&one);
    assert!(page.contains("validation_split <span class=\"status\">for this seed alone</span>"));
    assert!(page.contains("What is told from chance here is told for this seed alone."));
    assert!(page.contains("Told from chance for this seed alone. Grey"));
    let three = made_up::input(search_with_luck(1, 3, luck, |_, _| 0.0));
    let overview = Overview::new(&three.trials);
    assert_eq!(effects(&overview).shared_seeds, SharedSeeds::Several(3));
    assert_eq!(names(&overview, &effects(&overview)), ["validation_split"], "the same with every seed");
    let page = report_html(&three);
    assert!(!page.contains("for this seed alone") && page.contains("the scores of each of the 3 seeds"));
    assert!(page.contains("cannot be told from chance with 24 configurations and 3 seeds"));
    // Where each configuration has a seed of its own, luck says nothing about others.
    let mut own = one;
    for (seed, trial) in own.trials.iter_mut().enumerate() {
        trial.record.config.insert("seed".to_owned(), json!(seed));
    }
    assert_eq!(effects(&Overview::new(&own.trials)).shared_seeds, SharedSeeds::Own);
}

/// One folder of three has early stopping and other layers: nothing tells which of these made its scores.
#[test]
fn a_setting_that_hardly_varies_apart_from_others_is_no_finding() {
    let trial = |index: u64| {
        let is_other = index % 3 == 2;
        let wide = if is_other && index != 2 { 128 } else { 64 };
        let settings = [
            ("folder", json!(["g", "h", "k"][(index % 3) as usize])),
            ("early_stopping", json!(is_other)),
            ("hidden", json!([wide])),
            ("learning_rate", json!(0.001 * 10f64.powf(2.0 * noise(5, index)))),
        ];
        scored(&settings, 0, 0.6 + if is_other { 0.2 } else { 0.0 } + 0.05 * noise(6, index))
    };
    let input = made_up::input((0..36).map(trial).collect());
    let overview = Overview::new(&input.trials);
    let effects = effects(&overview);
    let of = |name: &str| effects.keys.iter().find(|key| overview.varied[key.factor.key].key == name).unwrap();
    for name in ["folder", "early_stopping", "hidden"] {
        assert!(!of(name).may_matter(), "{name}");
    }
    let key = |name: &str| overview.varied.iter().position(|varied| varied.key == name).unwrap();
    // Exactly what the folder says, and nearly what the layers say.
    assert_eq!(of("early_stopping").not_apart_from, [key("folder"), key("hidden")]);
    assert_eq!(of("hidden").not_apart_from, [key("folder"), key("early_stopping")]);
    assert_eq!(of("learning_rate").not_apart_from, [0; 0]);
    let page = report_html(&input);
    assert!(page.contains("stands out, but cannot be told from early_stopping, hidden: it hardly varies apart"));
    assert!(page.contains("This setting cannot be told from early_stopping, hidden: it hardly varies apart."));
}
