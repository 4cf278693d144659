//! One file for each command.

pub(crate) mod bench;
pub(crate) mod check;
pub(crate) mod climb;
pub(crate) mod data;
pub(crate) mod download;
pub(crate) mod estimate;
pub(crate) mod evaluate;
pub(crate) mod export;
pub(crate) mod import;
pub(crate) mod predict;
pub(crate) mod report;
pub(crate) mod reproduce;
pub(crate) mod serve;
pub(crate) mod slurm;
pub(crate) mod status;
pub(crate) mod sweep;
pub(crate) mod train;
