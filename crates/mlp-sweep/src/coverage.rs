//! Whether there is something to learn of every class: a class without a training sample is said, as no metric shows why it
//! is never answered.

use std::collections::{BTreeMap, BTreeSet};

use mlp_train::split_validation;

use crate::dataset::SampleSet;
use crate::event::{Event, Observer, Warning};
use crate::experiment::Experiment;
use crate::trial::Trial;

/// Says which classes some of the trials have no training sample of, because the data have none, because `train_size` leaves
/// none, or because all went into the validation split.
pub(crate) fn warn<'a>(experiment: &Experiment, trials: impl Iterator<Item = &'a Trial>, observer: &dyn Observer) {
    let mut seen = BTreeSet::new();
    // Seeds by what they have in common, so that a sweep over many of them says it once.
    let mut missing: BTreeMap<(Option<usize>, usize, String), BTreeSet<u64>> = BTreeMap::new();
    for trial in trials {
        let (train_size, train) = (trial.settings.train_size, &trial.settings.train);
        let seed = if train.validation > 0 { train.seed } else { 0 };
        if !seen.insert((train_size, train.validation, train.validation_split.name(), seed)) {
            continue;
        }
        let (samples, _) = experiment.parts(&trial.settings);
        let before = absent(&samples, 0..samples.len());
        if !before.is_empty() {
            missing.entry((train_size, 0, named(&samples, &before))).or_default();
        }
        if train.validation > 0 {
            let labels = (!samples.labels().is_empty()).then(|| samples.labels().into());
            let (rows, _) = split_validation(samples.len(), labels, train);
            let mut after = absent(&samples, rows.into_iter());
            after.retain(|class| !before.contains(class));
            if !after.is_empty() {
                missing.entry((train_size, train.validation, named(&samples, &after))).or_default().insert(seed);
            }
        }
    }
    let noun = experiment.data().train().noun_of_one();
    for ((train_size, validation, classes), seeds) in missing {
        let problem = match (validation, train_size) {
            (0, None) => format!("no training {noun} is of the class {classes}"),
            (0, Some(size)) => format!("with train_size = {size}, no training {noun} is of the class {classes}"),
            _ => format!(
                "the validation split ({}validation = {validation}, {}) leaves no training {noun} of the class {classes}",
                train_size.map(|size| format!("train_size = {size}, ")).unwrap_or_default(),
                described(&seeds)
            ),
        };
        observer.notify(Event::Warning(&Warning::new(problem).with_remedy("a net cannot learn it, and goes without")));
    }
}

/// The classes that none of these samples is of, by index.
fn absent(samples: &SampleSet, rows: impl Iterator<Item = usize>) -> Vec<usize> {
    let labels = samples.labels();
    let mut is_there = vec![false; samples.classes().len()];
    if labels.is_empty() {
        return Vec::new();
    }
    rows.for_each(|row| is_there[usize::from(labels[row])] = true);
    (0..is_there.len()).filter(|class| !is_there[*class]).collect()
}

/// `'a', 'b' or 'c'`.
fn named(samples: &SampleSet, classes: &[usize]) -> String {
    let names: Vec<String> = classes.iter().map(|class| format!("'{}'", samples.classes()[*class])).collect();
    match names.split_last() {
        Some((last, before)) if !before.is_empty() => format!("{} or {last}", before.join(", ")),
        _ => names.concat(),
    }
}

/// How many seeds are listed.
const MAX_LISTED: usize = 5;

fn described(seeds: &BTreeSet<u64>) -> String {
    if seeds.len() > MAX_LISTED {
        return format!("{} of the seeds", seeds.len());
    }
    let listed: Vec<String> = seeds.iter().map(u64::to_string).collect();
    format!("seed = {}", listed.join(", "))
}
