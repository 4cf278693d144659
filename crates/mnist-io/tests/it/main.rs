//! Tests of the public interface.

mod blur;
mod convert;
mod damage;
mod disturbance;
mod fixtures;
mod idx;
mod images;
mod memory;
mod mnist;
mod prepare;
mod synthetic;
