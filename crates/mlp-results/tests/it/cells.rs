//! Trials gathered into configurations, and the best of them.

use mlp_results::{
    Compared, Metric, Overview, RankBy, Ranking, Repetitions, RunRecord, Status, best, best_by, gathered,
};
use proptest::prelude::*;
use serde_json::json;

use crate::made_up::{self, Story, scored};

const STORY: Story = Story { accuracy: 0.9, pace: 2.0, n_epochs: 4, seed: 0 };

/// Where there is no validation set.
const BY_TEST: Ranking = Ranking { metric: Metric::Accuracy, set: Compared::Test };

#[test]
fn seeds_are_one_configuration_and_the_depth_is_what_varies() {
    let trials = made_up::trials(made_up::depth_sweep());
    let overview = Overview::new(&trials);
    assert_eq!(overview.varied.len(), 1);
    assert_eq!(overview.varied[0].numbers.as_deref(), Some(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0][..]));
    assert_eq!(overview.cells.len(), 7);
    assert!(overview.cells.iter().all(|cell| cell.trials.len() == 3));
    assert_eq!(overview.cells[0].short_label, "6 layers");
    let deepest = overview.cells.iter().find(|cell| cell.short_label == "7 layers").unwrap();
    assert_eq!((deepest.scores.len(), deepest.n_diverged), (2, 1));
}

#[test]
fn values_are_named_by_their_settings() {
    let trial = |rate: f64, hidden: serde_json::Value, seed| {
        scored(&[("learning_rate", json!(rate)), ("hidden", hidden)], seed, 0.9 - rate)
    };
    let lists = vec![trial(0.1, json!([64, 32]), 0), trial(0.01, json!([16]), 0)];
    let trials = made_up::trials(lists);
    let overview = Overview::new(&trials);
    assert_eq!(overview.named(&overview.cells[0]), "1 layer · learning_rate 0.01");
    assert_eq!(overview.named_in_full(&overview.cells[1]), "hidden 64-32 · learning_rate 0.1");
    let trials = made_up::trials(vec![trial(0.1, json!([54]), 0), trial(0.1, json!([16]), 0)]);
    let overview = Overview::new(&trials);
    let named: Vec<String> = overview.cells.iter().map(|cell| overview.named(cell)).collect();
    assert!(named.contains(&"hidden 54".to_owned()) && named.contains(&"hidden 16".to_owned()), "{named:?}");
    let trials = made_up::trials(vec![trial(0.1, json!([54]), 0), trial(0.1, json!([54]), 1)]);
    let overview = Overview::new(&trials);
    assert_eq!(overview.named(&overview.cells[0]), "");
}

#[test]
fn few_parameters_are_always_named_and_many_and_hashes_only_where_they_tell() {
    let normal = json!({ "name": "normal", "deviation": 0.3, "mean": 0.0 });
    let adam = json!({ "name": "adam", "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8 });
    let named = |key: &str, values: [serde_json::Value; 2]| {
        let trials = values.into_iter().map(|value| scored(&[(key, value)], 0, 0.9));
        let trials = made_up::trials(trials.collect());
        let mut names = Overview::new(&trials).varied[0].short_names.clone();
        names.sort();
        names
    };
    assert_eq!(
        named("initializer", ["glorot-uniform".into(), normal]),
        ["glorot-uniform", "normal (deviation 0.3, mean 0)"]
    );
    assert_eq!(named("optimizer", ["sgd".into(), adam]), ["adam", "sgd"]);
    assert_eq!(named("init", ["ab".repeat(32).into(), "cd".repeat(32).into()]), ["abababababab", "cdcdcdcdcdcd"]);
}

/// Another seed draws other validation samples, as many of them; that is luck, which seeds are there to tell.
#[test]
fn ways_of_splitting_off_validation_samples_are_counted() {
    let trial = |n_validation: u64, seed: u64| {
        let mut record = scored(&[("validation", json!(n_validation))], seed, 0.9);
        record.epochs.iter_mut().for_each(|epoch| epoch.validation = epoch.test.clone());
        record
    };
    assert_eq!(mlp_results::n_validation_splits(&[trial(100, 0), trial(100, 1)]), 1);
    assert_eq!(mlp_results::n_validation_splits(&[trial(100, 0), trial(200, 0), scored(&[], 0, 0.9)]), 2);
}

#[test]
fn the_spread_is_the_sample_standard_deviation() {
    let trials = made_up::trials(vec![made_up::record(&[], STORY), made_up::record(&[], Story { seed: 1, ..STORY })]);
    let overview = Overview::new(&trials);
    let cell = &overview.cells[0];
    let expected = (cell.scores[0] - cell.scores[1]).abs() / 2f64.sqrt();
    assert!((cell.deviation().unwrap() - expected).abs() < 1e-12);
}

#[test]
fn where_no_trial_learned_nobody_speaks_of_trained_networks() {
    let trials = made_up::trials((0..3).map(|seed| scored(&[], seed, 0.11 + seed as f64 / 1e3)).collect());
    let overview = Overview::new(&trials);
    assert_eq!(overview.trained_from, None);
    assert_eq!(overview.is_trained(0.11), None);
}

#[test]
fn repetitions_say_the_same_as_cells_and_stand_in_the_same_order() {
    let records = made_up::depth_sweep();
    let depth = |record: &RunRecord| record.config["hidden"].as_array().unwrap().len();
    let gathered = Repetitions::ranked(records.iter().map(|record| (depth(record), record)), BY_TEST);
    let trials = made_up::trials(records.clone());
    let overview = Overview::new(&trials);
    assert_eq!(gathered.len(), overview.cells.len());
    for (repetitions, cell) in gathered.iter().zip(&overview.cells) {
        assert_eq!(repetitions.settings, depth(&cell.trials[0].record));
        assert_eq!(repetitions.scores(Metric::Accuracy), cell.scores);
        assert_eq!(repetitions.mean(Metric::Accuracy), cell.mean());
        assert_eq!(repetitions.deviation(Metric::Accuracy), cell.deviation());
        assert_eq!(repetitions.interval(Metric::Accuracy), cell.interval());
        assert_eq!((repetitions.n_diverged(), repetitions.n_failed()), (cell.n_diverged, cell.n_failed));
        assert_eq!(repetitions.n_finished(), cell.scores.len());
        assert_eq!(repetitions.seconds(), cell.seconds());
    }
}

#[test]
fn configurations_without_a_result_come_last_and_are_counted() {
    let story = Story { n_epochs: 1, ..STORY };
    let records = [
        made_up::failed(&[("l2", json!(0))], "no memory"),
        made_up::diverged(&[("l2", json!(0))], story),
        scored(&[("l2", json!(1))], 0, 0.5),
        scored(&[("l2", json!(2))], 0, 0.9),
        scored(&[("l2", json!(2))], 1, 0.8),
    ];
    let rows = records.iter().map(|record| (record.config["l2"].to_string(), record));
    let ranked = Repetitions::ranked(rows, BY_TEST);
    let settings: Vec<&str> = ranked.iter().map(|repetitions| repetitions.settings.as_str()).collect();
    assert_eq!(settings, ["2", "1", "0"]);
    assert_eq!((ranked[2].n_diverged(), ranked[2].n_failed(), ranked[2].n_finished()), (1, 1, 0));
    assert_eq!((ranked[2].mean(Metric::Accuracy), ranked[2].seconds()), (None, None));
    assert!((ranked[0].mean(Metric::Accuracy).unwrap() - 0.85).abs() < 1e-12);
    // Of a single run nothing can be said about its spread.
    assert_eq!(ranked[1].deviation(Metric::Accuracy), None);
}

#[test]
fn what_is_gathered_keeps_the_order_in_which_it_came() {
    let rows = [("b", 1), ("a", 2), ("b", 3), ("c", 4), ("a", 5)];
    assert_eq!(gathered(rows), [("b", vec![1, 3]), ("a", vec![2, 5]), ("c", vec![4])]);
}

/// Few distinct scores, so that many trials are equally good; some measured nothing, some did not finish.
fn any_records() -> impl Strategy<Value = Vec<RunRecord>> {
    let one = (0..4u8, 0..5u8, any::<bool>(), any::<bool>());
    prop::collection::vec(one, 0..12).prop_map(|trials| {
        let record = |(index, (score, status, has_test, has_digits)): (usize, (u8, u8, bool, bool))| {
            let mut record = scored(&[], index as u64, f64::from(score) / 4.0);
            record.status = match status {
                0 => Status::Diverged,
                1 => Status::Failed,
                _ => Status::Finished,
            };
            for epoch in &mut record.epochs {
                epoch.train.mae = f64::from(score);
                for metrics in [Some(&mut epoch.train), epoch.test.as_mut()].into_iter().flatten() {
                    metrics.accuracy = metrics.accuracy.filter(|_| has_digits);
                    metrics.exact_accuracy = metrics.accuracy;
                }
                epoch.test = epoch.test.take().filter(|_| has_test);
                epoch.validation = Some(epoch.train.clone()).filter(|_| index % 3 == 0 && score % 2 == 0);
            }
            record
        };
        trials.into_iter().enumerate().map(record).collect()
    })
}

/// A finished run of one epoch with these accuracies.
fn measured(seed: u64, rate: f64, validation: Option<f64>, test: f64) -> RunRecord {
    let mut record = scored(&[("learning_rate", json!(rate))], seed, test);
    for epoch in &mut record.epochs {
        epoch.validation = validation.map(|accuracy| {
            let mut metrics = epoch.train.clone();
            (metrics.accuracy, metrics.loss) = (Some(accuracy), accuracy);
            metrics
        });
    }
    record
}

/// The test set, which flatters whom it chooses, has no say where there is a validation set.
#[test]
fn the_best_is_chosen_by_validation_and_shown_by_its_test_score() {
    let records = [
        measured(0, 0.1, Some(0.95), 0.91),
        measured(1, 0.1, Some(0.93), 0.90),
        measured(0, 0.3, Some(0.92), 0.96),
        measured(1, 0.3, Some(0.91), 0.95),
    ];
    let trials = made_up::trials(records.to_vec());
    let overview = Overview::new(&trials);
    assert_eq!((overview.ranked_on, overview.compared), (Compared::Validation, Compared::Test));
    assert_eq!(overview.ranking().to_string(), "validation.accuracy");
    assert_eq!(overview.best.map(|best| &best.record.trial), Some(&records[0].trial));
    assert_eq!(overview.cells[0].scores, [0.91, 0.90]);
    assert_eq!(overview.cells[0].ranking_scores, [0.95, 0.93]);
    assert_eq!(best(&records), Some(&records[0]));

    let by_test: RankBy = "test.accuracy".parse().unwrap();
    assert_eq!(best_by(&records, by_test), Some(&records[2]));
    assert_eq!(Overview::ranked(&trials, by_test).cells[0].scores, [0.96, 0.95]);
    // Less loss is better.
    let by_loss: RankBy = "loss".parse().unwrap();
    assert_eq!(best_by(&records, by_loss), Some(&records[3]));
    assert_eq!(Overview::ranked(&trials, by_loss).ranking().to_string(), "validation.loss");
}

/// Equal validation scores are equal: the test set does not choose among them.
#[test]
fn the_test_set_has_no_say_among_those_that_validation_does_not_tell_apart() {
    let records =
        [measured(0, 0.1, Some(0.5), 0.2), measured(0, 0.3, Some(0.5), 0.9), measured(0, 0.5, Some(0.5), 0.4)];
    let trials = made_up::trials(records.to_vec());
    let order: Vec<String> = Overview::new(&trials).cells.iter().map(|cell| cell.label.clone()).collect();
    assert_eq!(order, ["0.1", "0.3", "0.5"]);
    let first = records.iter().map(|record| &record.trial).min();
    assert_eq!(best(&records).map(|record| &record.trial), first);
}

/// Of equal accuracies the smaller loss is before the larger, of single trials and of configurations.
#[test]
fn equal_scores_are_told_apart_by_the_loss_on_the_same_samples() {
    let with_loss = |rate: f64, loss: f64| {
        let mut record = measured(0, rate, Some(0.85), 0.5);
        for epoch in &mut record.epochs {
            epoch.validation.as_mut().unwrap().loss = loss;
        }
        record
    };
    let records = [with_loss(0.1, 0.148), with_loss(0.3, 0.129), with_loss(0.5, 0.110)];
    assert_eq!(best(&records), Some(&records[2]));
    // Both ways round, as identities have an order, too.
    let turned = [with_loss(0.1, 0.110), with_loss(0.3, 0.129), with_loss(0.5, 0.148)];
    assert_eq!(best(&turned), Some(&turned[0]));
    let trials = made_up::trials(records.to_vec());
    let order: Vec<String> = Overview::new(&trials).cells.iter().map(|cell| cell.label.clone()).collect();
    assert_eq!(order, ["0.5", "0.3", "0.1"]);
    let ranking = Ranking::of(records.iter(), RankBy::default());
    let rows = records.iter().map(|record| (record.config["learning_rate"].to_string(), record));
    let ranked = Repetitions::ranked(rows, ranking);
    assert_eq!(ranked.iter().map(|row| row.settings.as_str()).collect::<Vec<_>>(), ["0.5", "0.3", "0.1"]);
}

#[test]
fn trials_without_a_validation_set_are_ranked_by_the_test_set_and_behind_those_that_have_one() {
    let without = [measured(0, 0.1, None, 0.91), measured(0, 0.3, None, 0.96)];
    assert_eq!(Ranking::of(without.iter(), RankBy::default()), BY_TEST);
    assert_eq!(best(&without), Some(&without[1]));
    let mixed = [measured(0, 0.1, Some(0.5), 0.51), measured(0, 0.3, None, 0.96)];
    let trials = made_up::trials(mixed.to_vec());
    let overview = Overview::new(&trials);
    assert_eq!(overview.best.map(|best| &best.record), Some(&mixed[0]));
    assert_eq!(overview.cells[1].scores, [0.96]);
}

#[test]
fn what_cannot_rank_is_refused() {
    let refused = |text: &str| text.parse::<RankBy>().unwrap_err().to_string();
    insta::assert_snapshot!(refused("invalid_rate"), @"expected a metric to rank by, found invalid_rate: a network that always answers '0' has no invalid answer; take accuracy, or loss");
    insta::assert_snapshot!(refused("dev.loss"), @r#"expected a set of samples, found "dev"; choose one of validation, test, train"#);
    insta::assert_snapshot!(refused("acuracy"), @r#"expected a metric, alone or on a set as in validation.loss, found "acuracy"; choose one of accuracy, exact_accuracy, nearest_accuracy, bit_accuracy, mae, rmse, loss; did you mean accuracy?"#);
}

proptest! {
    #[test]
    fn the_best_record_is_that_of_the_overviews_best_trial(records in any_records(), turns in 0..12usize) {
        let trials = made_up::trials(records.clone());
        let overview = Overview::new(&trials);
        let found = best(&records).map(|record| &record.trial);
        prop_assert_eq!(found, overview.best.map(|trial| &trial.record.trial));
        let mut turned = records.clone();
        turned.rotate_left(turns.min(records.len()));
        prop_assert_eq!(best(&turned).map(|record| &record.trial), found);
    }
}

#[test]
fn the_same_data_under_another_spelling_make_no_other_configuration() {
    let on = |data: &str, sha256: &str| {
        let mut record = scored(&[("data", serde_json::json!(data))], 0, 0.9);
        record.data.sha256 = sha256.repeat(64);
        record
    };
    let same = made_up::trials(vec![on("datasets/mnist", "a"), on("./datasets/mnist", "a"), on("/x/mnist/", "a")]);
    let overview = Overview::new(&same);
    assert_eq!((overview.varied.len(), overview.cells.len()), (0, 1));
    let other = made_up::trials(vec![on("datasets/mnist", "a"), on("./datasets/mnist", "a"), on("mine", "b")]);
    let overview = Overview::new(&other);
    assert_eq!((overview.varied[0].values.len(), overview.cells.len()), (2, 2));
}

/// A run whose numbers overflowed.
fn lost(rate: f64, seed: u64) -> RunRecord {
    made_up::diverged(&[("learning_rate", json!(rate))], Story { n_epochs: 1, seed, ..STORY })
}

/// The mean of the seeds that are left is that of the luckier ones: it stands behind every mean over more seeds.
#[test]
fn configurations_that_lost_seeds_rank_behind_those_that_lost_fewer() {
    let run = |rate: f64, seed: u64, score: f64| scored(&[("learning_rate", json!(rate))], seed, score);
    let mut records =
        vec![run(0.4, 0, 0.97), lost(0.4, 1), lost(0.4, 2), run(0.5, 0, 0.99), lost(0.5, 1), lost(0.5, 2)];
    records.extend([run(0.3, 0, 0.9), run(0.3, 1, 0.91), lost(0.3, 2)]);
    records.extend((0..3).map(|seed| run(0.1, seed, 0.8)));
    records.extend((0..3).map(|seed| lost(0.9, seed)));
    let trials = made_up::trials(records.clone());
    let overview = Overview::new(&trials);
    let order: Vec<&str> = overview.cells.iter().map(|cell| cell.label.as_str()).collect();
    assert_eq!(order, ["0.1", "0.3", "0.5", "0.4", "0.9"]);
    let losses: Vec<Option<String>> = overview.cells.iter().map(|cell| cell.losses()).collect();
    assert_eq!((losses[0].as_deref(), losses[2].as_deref()), (None, Some("2 of 3 diverged")));
    // The best single trial is what it is.
    assert_eq!(overview.best.map(|best| &best.record.trial), Some(&records[3].trial));
    let rows = records.iter().map(|record| (record.config["learning_rate"].to_string(), record));
    let ranked = Repetitions::ranked(rows, BY_TEST);
    assert_eq!(ranked.iter().map(|row| row.settings.as_str()).collect::<Vec<_>>(), order);
    assert_eq!((ranked[1].n_lost(), ranked[1].losses().as_deref()), (1, Some("1 of 3 diverged")));
}

/// Of a net whose largest output answers, few outputs reach ½ early on: its exact codes are rare, though it has learned much.
#[test]
fn exact_codes_say_of_no_net_that_answers_otherwise_that_it_has_not_trained() {
    let records = [(0.53, 0.172), (0.9, 0.86), (0.91, 0.87)].into_iter().zip(0..).map(|((accuracy, exact), seed)| {
        let mut record = scored(&[("encoding", json!("one-hot"))], seed, accuracy);
        let all = record.epochs.iter_mut().filter_map(|epoch| epoch.test.as_mut());
        all.for_each(|metrics| metrics.exact_accuracy = Some(exact));
        record
    });
    let trials = made_up::trials(records.collect());
    let overview = Overview::ranked(&trials, "test.exact_accuracy".parse().unwrap());
    assert!((overview.trained_from, overview.is_bimodal()) == (None, false) && overview.cells[0].interval().is_some());
}

/// Scores from 24 to 60 %, where always the same answer reaches 11 %: all learn, some more slowly.
#[test]
fn who_learns_slowly_has_trained_and_only_a_gap_makes_two_groups() {
    let overview_of = |scores: &[f64]| -> (Option<f64>, usize, bool) {
        let records: Vec<RunRecord> = scores.iter().zip(0..).map(|(&score, seed)| scored(&[], seed, score)).collect();
        let trials = made_up::trials(records);
        let overview = Overview::new(&trials);
        let cell = &overview.cells[0];
        assert!((cell.mean().unwrap() - scores.iter().sum::<f64>() / scores.len() as f64).abs() < 1e-12);
        assert_eq!(cell.interval().is_none(), overview.is_bimodal());
        (overview.trained_from, cell.n_trained, cell.is_bimodal)
    };
    let (bound, n_trained, is_bimodal) = overview_of(&[0.242, 0.299, 0.36, 0.425, 0.445, 0.52, 0.599]);
    // A tenth of the way from 11.35 %, that of '1', to 59.9 %.
    assert!((bound.unwrap() - (0.1135 + 0.1 * (0.599 - 0.1135))).abs() < 1e-12);
    assert_eq!((n_trained, is_bimodal), (7, false));
    // One that is stuck at the constant answer, with and without runs on the way.
    assert_eq!(overview_of(&[0.1135, 0.95, 0.96]).1, 2);
    assert!(overview_of(&[0.1135, 0.95, 0.96]).2);
    assert!(!overview_of(&[0.1135, 0.35, 0.6, 0.8, 0.96]).2);
    // Of 100 samples three standard errors are more than a tenth of the way.
    let records: Vec<RunRecord> = [0.2, 0.6]
        .into_iter()
        .zip(0..)
        .map(|(score, seed)| {
            let mut record = scored(&[], seed, score);
            record.data.test = 100;
            record
        })
        .collect();
    let trials = made_up::trials(records);
    let overview = Overview::new(&trials);
    assert_eq!((overview.is_trained(0.2), overview.is_trained(0.21)), (Some(false), Some(true)));
}

#[test]
fn the_mean_difference_of_two_groups_is_told_without_an_interval() {
    let of = |rate: f64, scores: [f64; 3]| {
        scores.into_iter().zip(0..).map(move |(score, seed)| scored(&[("learning_rate", json!(rate))], seed, score))
    };
    let records = of(0.1, [0.95, 0.96, 0.955]).chain(of(0.3, [0.1135, 0.95, 0.94])).collect();
    let trials = made_up::trials(records);
    let overview = Overview::new(&trials);
    let (first, torn) = (&overview.cells[0], &overview.cells[1]);
    assert!(torn.is_bimodal && overview.difference(torn, first).is_none());
    let expected = (0.1135 + 0.95 + 0.94 - 0.95 - 0.96 - 0.955) / 3.0;
    assert!((overview.mean_difference(torn, first).unwrap() - expected).abs() < 1e-12);
}

#[test]
fn losses_of_different_kinds_have_no_best_and_are_ranked_within_a_kind() {
    let of = |loss: &str, rate: f64, value: f64| {
        let mut record = scored(&[("loss", json!(loss)), ("learning_rate", json!(rate))], 0, 0.5 + rate / 10.0);
        record.epochs[2].test.as_mut().unwrap().loss = value;
        record
    };
    let (squared, entropy) = ("squared", "cross-entropy");
    let records = vec![of(squared, 1.0, 0.3), of(entropy, 1.0, 0.6), of(squared, 2.0, 0.2), of(entropy, 2.0, 0.5)];
    let trials = made_up::trials(records);
    let by_loss = Overview::ranked(&trials, "loss".parse().unwrap());
    assert_eq!((by_loss.unlike.as_slice(), by_loss.best), (["loss"].as_slice(), None));
    let order: Vec<&str> = by_loss.cells.iter().map(|cell| cell.label.as_str()).collect();
    assert_eq!(order, ["2 · cross-entropy", "1 · cross-entropy", "2 · squared", "1 · squared"]);
    let by_accuracy = Overview::new(&trials);
    assert!(by_accuracy.unlike.is_empty() && by_accuracy.best.is_some());
}

#[test]
fn huge_differences_are_written_with_a_power_of_ten() {
    assert_eq!(Metric::Loss.format_difference(-1.5e30), "−1.500e30");
    assert_eq!(Metric::Loss.format_difference(2.5), "+2.5000");
    let deviations =
        [(9.695e-4, 0.0398), (0.0021, 0.0398), (0.0, 0.0398), (1.2e-7, 0.0398), (2e-5, 4e-4), (9.9e-5, 1.0)];
    let written = deviations.map(|(deviation, mean)| Metric::Loss.format_deviation(deviation, mean));
    assert_eq!(written, ["0.00097", "0.0021", "0.0000", "1.200e-7", "2.000e-5", "0.000099"]);
    assert_eq!(Metric::Accuracy.format_deviation(0.0123, 0.9), "1.23 %");
}
