//! The two types of number that networks compute in.

use mlp_train::Trainable;
use numpy::Element;

/// `f32` or `f64`, in NumPy as here.
pub(crate) trait Number: Trainable + Element {}

impl Number for f32 {}
impl Number for f64 {}
