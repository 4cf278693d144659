//! What `bench` measures, one file for each kind of figure.

pub(crate) mod case;
pub(crate) mod estimators;
pub(crate) mod machine;
pub(crate) mod peers;
pub(crate) mod pictures;
pub(crate) mod plan;
pub(crate) mod table;
pub(crate) mod to_accuracy;
pub(crate) mod whole;
