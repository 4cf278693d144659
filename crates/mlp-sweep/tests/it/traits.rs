//! What every user of a library expects of its types.

use std::fmt::Debug;

use mlp_sweep::{
    Advice, Dataset, Document, Error, Estimate, Experiment, InitialModel, OpenSweep, RunOptions, Shard, SlurmJob,
    Standing, Submission, Sweep, SweepBuilder, SweepOutcome, SweepSpec, Table, Trial, Warning,
};

use crate::small::{Place, SMALL, sweep};

fn is_shared_between_threads<T: Debug + Send + Sync>() {}

#[test]
fn every_type_can_be_printed_and_handed_to_another_thread() {
    is_shared_between_threads::<Advice>();
    is_shared_between_threads::<Dataset>();
    is_shared_between_threads::<Document>();
    is_shared_between_threads::<Error>();
    is_shared_between_threads::<Estimate>();
    is_shared_between_threads::<Experiment>();
    is_shared_between_threads::<InitialModel>();
    is_shared_between_threads::<OpenSweep<'static>>();
    is_shared_between_threads::<RunOptions<'static>>();
    is_shared_between_threads::<Shard>();
    is_shared_between_threads::<SlurmJob>();
    is_shared_between_threads::<Standing>();
    is_shared_between_threads::<Submission>();
    is_shared_between_threads::<Sweep>();
    is_shared_between_threads::<SweepBuilder>();
    is_shared_between_threads::<SweepOutcome>();
    is_shared_between_threads::<SweepSpec>();
    is_shared_between_threads::<Table>();
    is_shared_between_threads::<Trial>();
    is_shared_between_threads::<Warning>();
}

#[test]
fn a_sweep_is_printed_without_its_samples() {
    let place = Place::new();
    let sweep = sweep(SMALL, &place.folder("out"));
    assert_eq!(
        format!("{:?}", sweep.experiment().data()).split(", sha256").next(),
        Some("Dataset { name: \"digits\", n_train: 200, n_test: 100")
    );
    assert!(!format!("{sweep:?}").contains("labels"));
}
