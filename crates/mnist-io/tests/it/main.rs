//! Tests of the public interface.

mod blur;
mod convert;
mod damage;
mod disturbance;
mod fixtures;
mod folders;
mod idx;
mod image_folder;
mod images;
mod memory;
mod mnist;
#[cfg(feature = "npz")]
mod npz;
#[cfg(feature = "parquet")]
mod parquet;
mod prepare;
mod synthetic;
mod tables;
