//! Tests of the public interface.

mod back_propagation;
mod exactness;
mod nets;
mod one_by_one;
mod shapes;
mod workspace;
