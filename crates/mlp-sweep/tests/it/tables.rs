//! Sweeps on rows of numbers: with classes, and with numbers as targets.

use std::sync::atomic::{AtomicBool, Ordering};

use mlp_results::{Metric, Overview, RunFolder};
use mlp_sweep::{Dataset, ErrorKind, Event, RunOptions, SampleSet, Sweep, Table, TableTargets};
use mlp_train::load_model;
use mnist_io::{LabeledImages, synthetic_digits};
use ndarray::{Array2, Axis};

use crate::small::{Place, one_by_one, records, specification};

/// Points of the plane, the same for the same numbers.
fn points(n_points: usize, offset: usize) -> Array2<f64> {
    Array2::from_shape_fn((n_points, 2), |(row, column)| {
        let number = (row + offset) * 2 + column;
        (number as f64 * 0.618_033_988_749_894_9).fract() * 2.0 - 1.0
    })
}

/// Whether the two numbers have the same sign: `=` or `x`.
fn signs(n_points: usize, offset: usize) -> Table {
    let inputs = points(n_points, offset);
    let labels = inputs.axis_iter(Axis(0)).map(|point| u8::from(point[0] * point[1] < 0.0)).collect();
    Table { inputs, targets: TableTargets::Classes { labels, classes: vec!["=".to_owned(), "x".to_owned()] } }
}

/// The sum and the product of two numbers.
fn numbers(n_points: usize, offset: usize) -> Table {
    let inputs = points(n_points, offset);
    let values = Array2::from_shape_fn((n_points, 2), |(row, column)| {
        let (x, y) = (inputs[[row, 0]], inputs[[row, 1]]);
        if column == 0 { x + y } else { x * y }
    });
    Table { inputs, targets: TableTargets::Values(values) }
}

const CLASSES: &str = "hidden = [8]\nepochs = 6\nencoding = \"one-hot\"\nprecision = \"f64\"\ntrain_size = 90\n\
                       [sweep]\nlearning_rate = [0.003, 0.03]\nseed = [0, 1]\n";
const VALUES: &str = "hidden = [8]\nepochs = 6\nloss = \"squared\"\noutput_activation = \"identity\"\n\
                      [sweep]\nlearning_rate = [0.003, 0.03]\nseed = [0, 1]\n";

fn sweep(text: &str, table: fn(usize, usize) -> Table, folder: &RunFolder) -> Sweep {
    let data = Dataset::tables("points", table(100, 0), table(40, 100)).expect("two tables").synthetic();
    Sweep::new(specification(text), data, folder.path()).expect("a sweep")
}

#[test]
fn sweeps_of_tables_run_are_taken_up_again_and_read_like_those_of_images() {
    for (text, table, n_outputs, is_classified) in
        [(CLASSES, signs as fn(usize, usize) -> Table, 2, true), (VALUES, numbers, 2, false)]
    {
        let place = Place::new();
        let (whole, stopped) = (place.folder("whole"), place.folder("stopped"));
        let outcome = sweep(text, table, &whole).run(&RunOptions::default(), &()).expect("an outcome");
        assert_eq!(outcome.records.len(), 4);

        let stop = AtomicBool::new(false);
        let mut options = one_by_one();
        options.stop = Some(&stop);
        let observer = |event: Event<'_>| {
            if let Event::Measured { epoch, .. } = event {
                stop.store(epoch.epoch == 4, Ordering::Relaxed);
            }
        };
        let part = sweep(text, table, &stopped).run(&options, &observer).expect("an outcome");
        assert!(part.stopped.is_some() && part.records.is_empty());
        sweep(text, table, &stopped).run(&one_by_one(), &()).expect("an outcome");
        assert_eq!(records(&stopped), records(&whole));

        let results = whole.read().expect("a folder of results");
        assert_eq!(results.warnings, [""; 0]);
        let overview = Overview::new(&results.trials);
        assert_eq!((overview.cells.len(), overview.cells[0].scores.len()), (2, 2));
        assert_eq!(overview.metric == Metric::Accuracy, is_classified, "{:?}", overview.metric);
        for trial in &results.trials {
            let record = &trial.record;
            let metrics = record.epochs.last().and_then(|epoch| epoch.test.as_ref()).expect("what was measured");
            assert_eq!(metrics.accuracy.is_some(), is_classified);
            assert_eq!(metrics.bit_accuracy.is_some(), is_classified);
            assert_eq!(record.confusion.is_some(), is_classified);
            assert_eq!((record.data.inputs, record.data.height, record.data.width), (2, 0, 0));
            assert_eq!(record.data.classes.concat(), if is_classified { "=x" } else { "" });
            assert_eq!(record.layers, [2, 8, n_outputs]);
            let loss = |epoch: usize| record.epochs[epoch].test.as_ref().map(|metrics| metrics.loss);
            assert!(loss(6) < loss(0), "it learns");
            load_model(whole.model(&record.trial)).expect("a model");
        }
    }
}

#[test]
fn the_identity_of_tables_is_that_of_their_numbers() {
    let dataset = |train: Table, test: Table| Dataset::tables("points", train, test).expect("two tables");
    let same = dataset(numbers(10, 0), numbers(5, 9));
    assert_eq!(same.sha256(), dataset(numbers(10, 0), numbers(5, 9)).sha256());
    let mut negative_zero = numbers(10, 0);
    negative_zero.inputs[[3, 1]] = -0.0;
    let mut zero = numbers(10, 0);
    zero.inputs[[3, 1]] = 0.0;
    assert_ne!(dataset(zero.clone(), numbers(5, 9)).sha256(), same.sha256());
    assert_eq!(dataset(zero, numbers(5, 9)).sha256(), dataset(negative_zero, numbers(5, 9)).sha256());
    let mut other_target = numbers(10, 0);
    if let TableTargets::Values(values) = &mut other_target.targets {
        values[[0, 0]] += 1.0;
    }
    assert_ne!(dataset(other_target, numbers(5, 9)).sha256(), same.sha256());
    assert_ne!(dataset(numbers(5, 9), numbers(10, 0)).sha256(), same.sha256());
}

#[test]
fn tables_that_do_not_fit_together_are_refused() {
    let refused = |train: Table, test: Table| {
        let error = Dataset::tables("points", train, test).expect_err("a refusal");
        assert_eq!(error.kind(), ErrorKind::Data);
        error.to_string()
    };
    let mut short = numbers(10, 0);
    short.inputs = points(9, 0);
    assert_eq!(
        refused(short, numbers(5, 0)),
        "training table: expected as many targets as rows, at least one, found 10 and 9"
    );
    assert!(refused(numbers(5, 0), numbers(0, 0)).starts_with("test table: expected as many targets as rows"));
    assert!(refused(numbers(5, 0), signs(5, 0)).starts_with("test table: expected the inputs, outputs and classes"));
    let mut unknown = signs(5, 0);
    if let TableTargets::Classes { labels, .. } = &mut unknown.targets {
        labels[3] = 2;
    }
    assert_eq!(refused(unknown, signs(5, 0)), "training table: row 3: expected a label below 2, found 2");
    let none = Table { inputs: points(2, 0), targets: TableTargets::Classes { labels: vec![0, 0], classes: vec![] } };
    assert_eq!(refused(none, signs(5, 0)), "training table: expected at least one class, found none");
}

#[test]
fn rows_of_numbers_are_no_images_that_could_be_deformed() {
    let place = Place::new();
    let data = Dataset::tables("points", signs(100, 0), signs(40, 100)).expect("two tables");
    let specification = specification("encoding = \"one-hot\"\n[sweep]\naugment = [false, \"gentle\"]\n");
    let error = Sweep::new(specification, data, place.folder("out").path()).expect_err("no images");
    assert!(error.to_string().contains("expected false for samples that are no images"), "{error}");
}

#[test]
fn numbers_that_cannot_be_trained_on_are_a_fault_of_the_data() {
    let mut train = numbers(100, 0);
    // A number as a double, but not in the single precision that is trained in.
    train.inputs[[3, 1]] = 1e300;
    let place = Place::new();
    let data = Dataset::tables("points", train, numbers(40, 100)).expect("two tables");
    let sweep = Sweep::new(specification(VALUES), data, place.folder("out").path()).expect("a sweep");
    for error in [
        sweep.run(&one_by_one(), &()).expect_err("no number"),
        sweep.estimate(sweep.trials(), 1, None).expect_err("no number"),
    ] {
        assert_eq!(error.kind(), ErrorKind::Data, "{error}");
        assert!(error.to_string().contains("of sample 3 is inf"), "{error}");
    }
}

#[test]
fn a_table_with_a_hole_or_with_a_class_twice_is_refused_where_it_is_made() {
    let refused = |train: Table| Dataset::tables("points", train, numbers(5, 1)).expect_err("a refusal").to_string();
    let mut hole = numbers(5, 0);
    hole.inputs[[3, 1]] = f64::NAN;
    assert_eq!(refused(hole), "training table: row 3, input 1: expected a finite number, found NaN");
    let mut hole = numbers(5, 0);
    if let TableTargets::Values(values) = &mut hole.targets {
        values[[2, 0]] = f64::INFINITY;
    }
    assert_eq!(refused(hole), "training table: row 2, target 0: expected a finite number, found inf");
    let twice = TableTargets::Classes { labels: vec![0, 1], classes: vec!["a".to_owned(), "a".to_owned()] };
    let reason = refused(Table { inputs: points(2, 0), targets: twice });
    assert_eq!(reason, "training table: expected a name of its own for each class, found \"a\" twice");
}

#[test]
fn the_default_batch_is_no_larger_than_a_small_training_set() {
    let place = Place::new();
    let data = || Dataset::tables("points", numbers(20, 0), numbers(10, 1)).expect("two tables");
    let small = |text: &str| Sweep::new(specification(&format!("{text}{VALUES}")), data(), place.folder("out").path());
    let sweep = small("validation = 4\n").expect("a sweep");
    assert_eq!(sweep.trials()[0].settings.train.batch_size, 16);
    // The file of its folder says the same.
    let again = specification(&sweep.specification().to_toml());
    let again = Sweep::new(again, data(), place.folder("out").path()).expect("a sweep");
    let ids = |sweep: &Sweep| sweep.trials().iter().map(|trial| trial.id.clone()).collect::<Vec<_>>();
    assert_eq!(ids(&again), ids(&sweep));
    let error = small("batch_size = 32\n").expect_err("somebody chose it").to_string();
    assert!(error.contains("expected at most the 20 training samples, found 32"), "{error}");
}

#[test]
fn images_that_do_not_fit_together_are_refused() {
    let refused = |train: LabeledImages, test: LabeledImages| {
        let error = Dataset::images("digits", train, test).expect_err("a refusal");
        assert_eq!(error.kind(), ErrorKind::Data);
        error.to_string()
    };
    let digits = || synthetic_digits(10, 0);
    let images = |height, labels: Vec<u8>, classes: &str| {
        let pixels = ndarray::Array3::zeros((labels.len(), height, 28));
        LabeledImages::new(pixels, labels, classes.chars().collect()).expect("images")
    };
    assert_eq!(
        refused(digits(), images(14, vec![0, 1], "0123456789")),
        "test images: expected images of 28 × 28, as in the training images, found images of 14 × 28"
    );
    assert_eq!(
        refused(digits(), images(28, vec![0, 1], "ab")),
        "test images: expected the classes 0123456789, as in the training images, found the classes ab"
    );
    let mut unknown = digits();
    unknown.labels[3] = 10;
    assert!(refused(unknown, digits()).starts_with("training images: "));
    let mut short = digits();
    short.labels.pop();
    assert!(refused(digits(), short).starts_with("test images: "));
}

#[test]
fn a_smaller_part_of_a_table_is_contained_in_a_larger_one() {
    let data = Dataset::tables("points", numbers(30, 0), numbers(20, 30)).expect("two tables");
    let part = |size| match data.test_part(size).as_ref() {
        SampleSet::Table(table) => table.clone(),
        _ => panic!("a table has parts that are tables"),
    };
    let (small, large) = (part(Some(5)), part(Some(12)));
    assert_eq!((small.inputs.nrows(), large.inputs.nrows(), part(None).inputs.nrows()), (5, 12, 20));
    assert_eq!(small.inputs, large.inputs.slice(ndarray::s![..5, ..]));
    // Each row keeps its target.
    let TableTargets::Values(values) = &large.targets else { panic!("numbers stay numbers") };
    for (point, target) in large.inputs.axis_iter(Axis(0)).zip(values.axis_iter(Axis(0))) {
        assert_eq!((target[0], target[1]), (point[0] + point[1], point[0] * point[1]));
    }
}
