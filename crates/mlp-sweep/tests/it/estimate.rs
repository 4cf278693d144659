//! What a sweep will cost, before it runs and half-way.

use mlp_sweep::Parallelism;

use crate::small::{Place, SMALL, run, specification, sweep, sweep_of};

#[test]
fn an_estimate_says_what_is_done_and_what_the_rest_costs_and_runs_nothing() {
    let place = Place::new();
    let folder = place.folder("out");
    let first = sweep(SMALL, &folder);
    let estimate = first.estimate(first.trials(), 2, None).expect("an estimate");
    assert!(!folder.path().exists(), "nothing is kept");
    assert_eq!((estimate.n_trials, estimate.n_over, estimate.n_measured), (6, 0, 1));
    assert_eq!((estimate.parallelism, estimate.n_threads_each), (Parallelism::new(2, None, 6), 1));
    assert_eq!((estimate.parallelism.n_jobs, estimate.parallelism.n_threads), (2, 2));
    assert!(estimate.longest > 0.0 && estimate.seconds >= estimate.longest, "{estimate:?}");
    assert!(estimate.memory.at_once > 0 && estimate.memory.n_too_large == 0, "{estimate:?}");
    let counts = |estimate: &mlp_sweep::Estimate| -> Vec<(String, usize, usize)> {
        let configurations = estimate.configurations.iter();
        configurations.map(|one| (one.varied[0].1.clone(), one.n_over, one.n_trials)).collect()
    };
    assert_eq!(counts(&estimate), [("0.01".to_owned(), 0, 3), ("0.001".to_owned(), 0, 3)]);

    run(&first);
    let over = first.estimate(first.trials(), 2, None).expect("an estimate");
    assert_eq!((over.n_over, over.n_measured, over.seconds, over.longest), (6, 0, 0.0, 0.0));

    let grown = sweep_of(specification(SMALL).vary("seed", 0..4).expect("a longer list"), &folder);
    let estimate = grown.estimate(grown.trials(), 2, Some(1)).expect("an estimate");
    assert_eq!((estimate.n_trials, estimate.n_over), (8, 6));
    assert_eq!((estimate.parallelism, estimate.n_threads_each), (Parallelism::new(2, Some(1), 2), 2));
    assert_eq!((estimate.parallelism.n_jobs, estimate.parallelism.n_threads), (1, 2));
    assert_eq!(counts(&estimate), [("0.01".to_owned(), 3, 4), ("0.001".to_owned(), 3, 4)]);
}

#[test]
fn more_work_is_judged_to_take_longer() {
    let place = Place::new();
    let sweep = sweep("test_size = 50\n[sweep]\nhidden = [[8], [256, 256]]\nepochs = [2, 20]\n", &place.folder("out"));
    let estimate = sweep.estimate(sweep.trials(), 1, None).expect("an estimate");
    assert_eq!(estimate.n_measured, 2);
    let seconds: Vec<f64> = estimate.configurations.iter().filter_map(|one| one.seconds).collect();
    assert!(seconds[1] > seconds[0] && seconds[3] > seconds[2], "ten times the epochs: {seconds:?}");
    let work: Vec<u64> = sweep.trials().iter().map(|trial| sweep.experiment().work(&trial.settings)).collect();
    assert!(work[1] == 10 * work[0] && work[2] > work[0], "{work:?}");
}

/// The smaller the batch, the longer a sample takes: each is judged by a measured one with such batches.
#[test]
fn trials_with_batches_of_another_size_are_measured_apart() {
    let place = Place::new();
    let sweep = sweep("hidden = [64]\n[sweep]\nbatch_size = [1, 30]\n", &place.folder("out"));
    let estimate = sweep.estimate(sweep.trials(), 1, None).expect("an estimate");
    assert_eq!(estimate.n_measured, 2);
    assert_ne!(estimate.configurations[0].seconds, estimate.configurations[1].seconds);
}
