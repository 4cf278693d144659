//! What is compared, what is not, and what a comparison leaves out is said.

use mlp_report::effects::effects;
use mlp_report::{FILTER_SCRIPT, best_cells, report_html};
use mlp_results::{DataDescription, Overview, RunRecord, Status};
use serde_json::json;

use crate::made_up::{self, Story, scored};

#[test]
fn the_head_and_the_table_say_how_many_seeds_the_best_configuration_lost() {
    let diverged = |rate: f64, seed| {
        made_up::diverged(&[("learning_rate", json!(rate))], Story { accuracy: 0.9, pace: 1.0, n_epochs: 1, seed })
    };
    let run = |rate: f64, seed, score| scored(&[("learning_rate", json!(rate))], seed, score);
    let records = vec![run(0.1, 0, 0.9), run(0.1, 1, 0.92), diverged(0.1, 2), diverged(0.1, 3)];
    let page = report_html(&made_up::input(records.clone()));
    assert!(page.contains("from 2 runs; 2 of 4 diverged"), "{page}");
    let several = records.into_iter().chain((0..4).map(|seed| run(0.3, seed, 0.7 + seed as f64 / 100.0)));
    let page = report_html(&made_up::input(several.collect()));
    assert!(page.contains("its mean is over the luckier seeds alone") && !page.contains("runs; 2 of 4 diverged"));
    // The best trial is one of those, and says so.
    assert!(page.contains("the luckiest of 2 seeds; 2 of 4 diverged; of configuration no. 2; trial"), "{page}");
}

#[test]
fn losses_of_different_kinds_have_a_warning_and_neither_effects_nor_a_ranking() {
    let of = |loss: &str, rate: usize| scored(&[("loss", json!(loss)), ("learning_rate", json!(rate))], 0, 0.9);
    let records = (0..6).map(|index| of(["squared", "cross-entropy"][index % 2], index / 2)).collect();
    let mut input = made_up::input(records);
    let compared = report_html(&input);
    assert!(compared.contains("<section id=\"effects\">") && !compared.contains("of different kinds"));
    input.by = "test.loss".parse().unwrap();
    let page = report_html(&input);
    assert!(
        page.contains("<strong>These losses are of different kinds.</strong> The trials differ in <code>loss</code>")
    );
    for section in ["effects", "comparison", "cost"] {
        assert!(
            !page.contains(&format!("<section id=\"{section}\">")) && !page.contains(&format!("href=\"#{section}\""))
        );
    }
    assert!(page.contains("losses of different kinds are not compared") && page.contains("<h2>One of the trials</h2>"));
    assert!(page.contains("One trial of each other configuration") && page.contains("of each trial: "), "{page}");
    for claim in ["best trial of", "of the best trial", ">Best first", "; the best: "] {
        assert!(!page.contains(claim), "{claim}");
    }
}

/// Where networks differ in size and none is the best, no size stands for all.
#[test]
fn where_no_trial_is_the_best_no_size_is_told_as_that_of_the_best() {
    let of = |encoding: &str, seed: u64| {
        let mut record = scored(&[("encoding", json!(encoding))], seed, 0.9);
        *record.layers.last_mut().unwrap() += usize::from(encoding == "one-hot");
        record
    };
    let records = (0..4).map(|index| of(["ascii", "one-hot"][index % 2], (index / 2) as u64)).collect();
    let mut input = made_up::input(records);
    assert!(report_html(&input).contains("of the best trial: "));
    input.by = "test.rmse".parse().unwrap();
    let page = report_html(&input);
    assert!(page.contains("errors of outputs of different kinds are not compared"), "{page}");
    assert!(!page.contains("of the best trial") && !page.contains("<dt>Weights and biases</dt>"));
}

/// A small mean beside a huge one, which a sum of effects would take from it again.
#[test]
fn the_mean_of_a_value_is_that_of_its_trials_however_large_others_are() {
    let losses = [6.1932, 1e30, 2.5, 4e12];
    let trial = |rate: usize, seed: u64| {
        let mut record = scored(&[("learning_rate", json!(rate))], seed, 0.5);
        record.epochs[2].test.as_mut().unwrap().loss = losses[rate] * (1.0 + seed as f64 / 10.0);
        record
    };
    let mut input = made_up::input((0..8).map(|index| trial(index / 2, (index % 2) as u64)).collect());
    input.by = "test.loss".parse().unwrap();
    let overview = Overview::ranked(&input.trials, input.by);
    let effects = effects(&overview);
    for (level, loss) in effects.keys[0].levels.iter().zip(losses) {
        assert!((level.estimate().unwrap() / (1.05 * loss) - 1.0).abs() < 1e-12, "{level:?}");
    }
    let page = report_html(&input);
    assert!(page.contains("<td>1.050e30</td>"));
    let zeros = page.find("00000000000000000000").map(|place| &page[place.saturating_sub(200)..place + 40]);
    assert_eq!(zeros, None, "written with all its digits");
}

/// Of one data set other numbers of samples, or of one name other data.
#[test]
fn trials_tested_on_different_samples_are_not_ranked_together_and_the_page_names_the_sets() {
    let run = |rate: f64, score, name: &str, sha256: &str, n_test| {
        let mut record = scored(&[("learning_rate", json!(rate))], 0, score);
        let sha256 = sha256.repeat(64);
        record.data = DataDescription { name: name.to_owned(), sha256, test: n_test, ..record.data };
        record
    };
    let records = |others: (&str, &str, usize)| {
        let own = [0.1, 0.2].map(|rate| run(rate, 0.5 + rate, "mnist", "a", 10_000));
        let others = [0.3, 0.4, 0.5].map(|rate| run(rate, rate + 0.25, others.0, others.1, others.2));
        made_up::input(own.into_iter().chain(others).collect())
    };
    assert!(Overview::new(&records(("mnist", "a", 10_000)).trials).is_comparable());
    for (others, named) in [
        (("mnist", "a", 500), "mnist, 500 samples; mnist, 10,000 samples"),
        (("mnist", "b", 10_000), "mnist, 10,000 samples, data aaaaaaaaaaaa; mnist, 10,000 samples, data bbbbbbbbbbbb"),
        (("digits", "b", 300), "digits, 300 samples; mnist, 10,000 samples"),
    ] {
        let input = records(others);
        let overview = Overview::new(&input.trials);
        assert!(!overview.is_comparable() && overview.best.is_none() && overview.unlike.is_empty());
        let sets: Vec<usize> = overview.cells.iter().map(|cell| cell.trials[0].record.data.test).collect();
        assert!(sets.is_sorted() || sets.is_sorted_by(|one, other| one >= other), "{sets:?}");
        let page = report_html(&input);
        assert!(page.contains(&format!("tested on different sets ({named})")), "{named}");
        assert!(page.contains("what was tested on different samples is not compared"));
        assert!(page.contains("<h2>One of the trials</h2>") && !page.contains("Best mean"));
        for section in ["effects", "comparison", "cost", "epochs"] {
            assert!(!page.contains(&format!("<section id=\"{section}\">")), "{section}");
        }
    }
    // One that came to no result stands in nobody's way.
    let mut input = records(("mnist", "a", 10_000));
    input.trials[0].record.data.test = 7;
    input.trials[0].record.status = Status::Failed;
    assert!(Overview::new(&input.trials).is_comparable());
}

#[test]
fn the_best_are_called_all_where_there_are_no_others() {
    let title = |n_cells: usize, n_failed: usize| {
        let run = |index: usize| {
            let record = scored(&[("learning_rate", json!(index))], 0, 0.5 + index as f64 / 100.0);
            if index < n_failed { RunRecord { status: Status::Failed, ..record } } else { record }
        };
        let input = made_up::input((0..n_cells).map(run).collect());
        best_cells::best_cells(&Overview::new(&input.trials))
    };
    for (n_cells, n_failed, expected) in [
        (12, 0, "All 12 configurations by "),
        (12, 2, "All 10 configurations with a result by "),
        (16, 0, "The best 15 configurations by "),
        (15, 0, "All 15 configurations by "),
    ] {
        let svg = title(n_cells, n_failed);
        assert!(svg.contains(expected), "{expected}: {svg}");
    }
}

/// The filter above the table, where there is something to run it with.
#[test]
fn a_condition_without_a_column_is_refused_with_a_sentence() {
    let page = report_html(&made_up::input(vec![scored(&[("learning_rate", json!(0.1))], 0, 0.9)]));
    assert!(page.contains("expected the name of a column in front") && page.contains("name of a column in front,"));
    let script = format!(
        "{FILTER_SCRIPT}\nconst data = {{ columns: [{{ kind: 'text', name: 'trial', title: 'trial', aliases: [] }}, \
         {{ kind: 'number', name: 'learning_rate', title: 'learning_rate', aliases: [] }}] }};\n\
         for (const text of ['<1', '>= 2', '=5', 'learning_rate<1', 'learning_rate < 1', 'ab', 'learning_rate<'])\n\
         console.log(filterOf(data, text).error + '|' + filterOf(data, text).matches(['ab', 3]));"
    );
    let Ok(output) = std::process::Command::new("node").args(["-e", &script]).output() else { return };
    let said = String::from_utf8(output.stdout).unwrap();
    let refused =
        |token: &str| format!("“{token}”: expected the name of a column in front, such as learning_rate{token}.|true");
    let expected = [&refused("<1"), &refused(">=2"), &refused("=5"), "|false", "|false", "|true", "|true"];
    assert_eq!(said.lines().collect::<Vec<_>>(), expected);
}

/// Settings that all trials share are in no column, and are asked for all the same.
#[test]
fn a_filter_finds_what_all_trials_share_and_headings_of_several_words() {
    let records =
        [0, 1].map(|seed| scored(&[("learning_rate", json!(0.1 * f64::from(seed + 1)))], u64::from(seed as u32), 0.9));
    let page = report_html(&made_up::input(records.to_vec()));
    assert!(page.contains("\"shared\":{") && page.contains("\"activation\":"), "the settings are in the page");
    let script = format!(
        "{FILTER_SCRIPT}\nconst data = {{ shared: {{ activation: 'relu', hidden: '256-128', batch_size: '32' }}, columns: \
         [{{ kind: 'text', name: 'trial', title: 'trial', aliases: [] }}, {{ kind: 'percent', name: 'accuracy', \
         title: 'test accuracy', aliases: ['test_accuracy'] }}] }};\n\
         for (const text of ['relu test_accuracy>=97', 'tanh', 'activation=relu', 'activation=tanh', 'test accuracy>97', \
         'test accuracy>99', 'hidden=[256, 128]', 'batch_size<64', 'batch_size>64', 'batch_size<x'])\n\
         console.log(filterOf(data, text).error + '|' + filterOf(data, text).matches(['ab', 0.98]));"
    );
    let Ok(output) = std::process::Command::new("node").args(["-e", &script]).output() else { return };
    let said = String::from_utf8(output.stdout).unwrap();
    let refused = "“batch_size<x”: all trials have batch_size = 32.|true";
    let expected = ["|true", "|false", "|true", "|false", "|true", "|false", "|true", "|true", "|false", refused];
    assert_eq!(said.lines().collect::<Vec<_>>(), expected);
}
