//! Tests of the public interface.

mod back_propagation;
mod exactness;
mod nets;
mod shapes;
mod workspace;
