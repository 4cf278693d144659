//! Classes of which there is nothing to learn.

use std::sync::Mutex;

use mlp_sweep::{Dataset, Event, RunOptions, Sweep, SweepSpec};
use mnist_io::LabeledImages;
use ndarray::Array3;

use crate::small::Place;

/// Ten images each of a and b, and one of c; d has none.
fn images() -> LabeledImages {
    let pixels = Array3::from_shape_fn((21, 2, 2), |(i, y, x)| (11 * i + 50 * y + 90 * x) as u8);
    let labels = (0..21).map(|i| if i == 20 { 2 } else { i % 2 }).collect();
    LabeledImages::new(pixels, labels, vec!['a', 'b', 'c', 'd']).expect("a set")
}

/// The warnings of a sweep, run twice.
fn warnings(text: &str) -> [Vec<String>; 2] {
    let place = Place::new();
    [(); 2].map(|()| {
        let data = Dataset::images("letters", images(), images()).expect("a data set");
        let text = format!("hidden = [4]\nepochs = 1\nbatch_size = 4\nencoding = \"one-hot\"\n{text}");
        let spec = SweepSpec::from_toml(&text).expect("a sweep");
        let told = Mutex::new(Vec::new());
        let observer = |event: Event<'_>| {
            if let Event::Warning(warning) = event {
                told.lock().expect("nobody panics with the lock").push(warning.problem().to_owned());
            }
        };
        let sweep = Sweep::new(spec, data, place.folder("out").path()).expect("a sweep");
        sweep.run(&RunOptions::default(), &observer).expect("an outcome");
        told.into_inner().expect("nobody panics with the lock")
    })
}

#[test]
fn a_class_without_a_training_sample_is_said_once_and_not_where_nothing_is_left_to_run() {
    let empty = "no training image is of the class 'd'";
    assert_eq!(warnings("[sweep]\nseed = [0, 1]\n"), [vec![empty.to_owned()], vec![]]);
    let [few, _] = warnings("train_size = 5\n");
    assert!(few[0].starts_with("with train_size = 5, no training image is of the class '"), "{few:?}");
}

#[test]
fn a_class_that_the_validation_split_takes_whole_is_said_with_its_seeds() {
    let seeds: Vec<u64> = (0..40).collect();
    let taken_whole = |&&seed: &&u64| {
        let mut config = mlp_train::TrainConfig::new();
        (config.validation, config.seed) = (5, seed);
        mlp_train::split_validation(21, None, &config).1.contains(&20)
    };
    let taken: Vec<String> = seeds.iter().filter(taken_whole).map(u64::to_string).collect();
    assert!((4..20).contains(&taken.len()), "{taken:?}");
    let [told, _] = warnings(&format!("validation = 5\n[sweep]\nseed = [{}, {}]\n", taken[0], taken[1]));
    let expected = format!(
        "the validation split (validation = 5, seed = {}, {}) leaves no training image of the class 'c'",
        taken[0], taken[1]
    );
    assert_eq!(told, ["no training image is of the class 'd'", &expected]);
    let [told, _] = warnings(&format!("validation = 5\n[sweep]\nseed = {seeds:?}\n"));
    let expected = format!("{} of the seeds) leaves no", taken.len());
    assert!(told[1].contains(&expected), "{told:?}");
}
