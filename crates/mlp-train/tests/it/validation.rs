//! Which samples are split off for validation.

use std::ops::ControlFlow;

use mlp_core::{Kernel, Workers};
use mlp_train::{
    Inputs, Labels, Samples, Setup, TargetEncoding, Targets, TrainConfig, ValidationSplit, split_validation, train,
};
use ndarray::Array2;

use crate::problems::{Blobs, Xor};

/// Forty samples each of two classes, and four of a third; in turns, the rare ones at the end.
fn labels() -> Vec<u8> {
    (0..84).map(|sample| if sample < 80 { sample % 2 } else { 2 }).collect()
}

fn split(config: &TrainConfig) -> (Vec<usize>, Vec<usize>) {
    split_validation(84, Some(Labels::Bytes(&labels())), config)
}

#[test]
fn a_random_split_can_take_a_rare_class_whole_and_a_stratified_one_takes_its_share() {
    let counts = |rows: &[usize]| [0, 1, 2].map(|class| rows.iter().filter(|row| labels()[**row] == class).count());
    let vanishes = |seed: &u64| counts(&split(&TrainConfig::new().validation(40).seed(*seed)).0)[2] == 0;
    // Of 84 · 83 · 82 · 81 choices of four samples 40 · 39 · 38 · 37 are all among the forty: one in 21.
    assert!((4..20).contains(&(0..200).filter(vanishes).count()));
    for seed in 0..20 {
        let config = TrainConfig::new().validation(40).validation_split(ValidationSplit::Stratified).seed(seed);
        let (train, validation) = split(&config);
        assert_eq!((counts(&train), counts(&validation)), ([21, 21, 2], [19, 19, 2]), "seed {seed}");
        let mut all = [train.clone(), validation.clone()].concat();
        all.sort_unstable();
        assert_eq!(all, (0..84).collect::<Vec<_>>());
        assert!(train.is_sorted() && validation.is_sorted());
        assert_eq!(split(&config), (train, validation));
    }
    let stratified =
        |seed| split(&TrainConfig::new().validation(40).validation_split(ValidationSplit::Stratified).seed(seed)).1;
    assert_ne!(stratified(0), stratified(1));
}

#[test]
fn the_splits_of_a_seed_are_fixed_for_ever() {
    let config = TrainConfig::new().validation(5).seed(3);
    assert_eq!(split_validation(20, None, &config).1, [1, 5, 7, 9, 14]);
    let labels: Vec<u8> = (0..20).map(|sample| sample % 2).collect();
    let stratified = config.validation_split(ValidationSplit::Stratified);
    assert_eq!(split_validation(20, Some(Labels::Bytes(&labels)), &stratified).1, [5, 7, 10, 16, 18]);
}

#[test]
fn a_run_measures_the_stratified_samples() {
    let labels = labels();
    let pixels = Array2::from_shape_fn((84, 3), |(sample, input)| labels[sample] * 100 + input as u8);
    let codebook = TargetEncoding::OneHot.codebook(&['a', 'b', 'c']);
    let samples =
        Samples { inputs: Inputs::Pixels(pixels.view()), targets: Targets::labels(&labels, &codebook), weights: None };
    let config = TrainConfig::new()
        .hidden([4])
        .encoding(TargetEncoding::OneHot)
        .epochs(0)
        .validation(40)
        .validation_split(ValidationSplit::Stratified)
        .seed(8);
    let run = crate::problems::run::<f32>(&config, &samples, None);
    let rows = split(&config).1;
    let chosen = pixels.select(ndarray::Axis(0), &rows);
    let chosen_labels: Vec<u8> = rows.iter().map(|row| labels[*row]).collect();
    let chosen = Samples {
        inputs: Inputs::Pixels(chosen.view()),
        targets: Targets::labels(&chosen_labels, &codebook),
        weights: None,
    };
    let workers = Workers::new(1);
    let expected = mlp_train::evaluate(&run.mlp, &chosen, config.objective(), &workers, Kernel::detect());
    assert_eq!(run.history.epochs[0].validation.as_ref(), Some(&expected.metrics));
}

#[test]
fn a_stratified_split_without_samples_or_without_labels_is_refused() {
    let refusal = |config: &TrainConfig, samples: &Samples<'_, f64>| {
        let workers = Workers::new(1);
        let setup = Setup { workers: &workers, kernel: Kernel::detect(), initial: None };
        train(config, samples, None, setup, &mut |_| ControlFlow::Continue(())).unwrap_err().to_string()
    };
    let (xor, blobs) = (Xor::new(), Blobs::new(20, 0));
    let config = Xor::config().validation_split(ValidationSplit::Stratified);
    let none = refusal(&config, &blobs.samples());
    assert!(
        none.ends_with("validation: expected at least 1 sample, because validation_split says which they are, found 0")
    );
    let unlabelled = refusal(&config.batch_size(2).validation(1), &xor.samples());
    let expected = "validation_split: expected random for samples without labels, found stratified";
    assert_eq!(unlabelled, format!("configuration: {expected}"));
}
