//! Tests of the public interface.

mod average;
mod back_propagation;
mod batch_norm;
mod clipping;
mod counts;
mod dropout;
mod exactness;
mod names;
mod networks;
mod normalized;
mod one_by_one;
mod own_loss;
mod rounded;
mod shapes;
mod weights;
mod workspace;
