//! What becomes of a gradient.

use crate::real::Real;

/// A parameter, and the state that a sink keeps for it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Parameter<F> {
    /// A weight or a bias.
    pub value: F,
    /// The sink's state; what lies behind its `N_SLOTS` is 0 and is not kept.
    pub state: [F; 2],
}

/// What becomes of a gradient: it is kept, or an optimiser applies it at once.
///
/// Every parameter is handed over once a step, when its derivative is known and still in the cache. Mark the methods
/// `#[inline(always)]` and write plain arithmetic: they become vector instructions of the
/// [`Kernel`](crate::Kernel), many parameters at a time.
///
/// Gradients below [`Real::NEGLIGIBLE`] (1e-19 in `f32`, 1e-154 in `f64`) are handed over as 0, and parameters that come
/// back as small become 0 (weights of a sink that ignores zero gradients may stay): arithmetic on subnormal numbers is many
/// times slower on some processors.
///
/// Behind the last unit of a layer stand parameters that belong to none: they, their gradient and their state are 0,
/// and have to remain so.
pub trait GradientSink<F: Real>: Sync {
    /// Values of state that the sink keeps for each parameter: 0, 1 (a velocity) or 2 (two moments).
    const N_SLOTS: usize;

    /// Whether weights with a gradient of 0 stay as they are, to the bit. Then those that are known to have no other are
    /// not handed over: with one image a batch, most of the first layer.
    fn ignores_zero_gradients(&self) -> bool {
        false
    }

    /// A weight after the step; `gradient` is the derivative of the batch's mean loss by it.
    fn weight(&self, weight: Parameter<F>, gradient: F) -> Parameter<F>;

    /// A bias after the step.
    fn bias(&self, bias: Parameter<F>, gradient: F) -> Parameter<F>;
}

/// The sink that keeps the gradient, in slot 0 of the workspace, and leaves the parameters alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct KeepGradient;

impl<F: Real> GradientSink<F> for KeepGradient {
    const N_SLOTS: usize = 1;

    #[inline(always)]
    fn weight(&self, weight: Parameter<F>, gradient: F) -> Parameter<F> {
        Parameter { state: [gradient, F::zero()], ..weight }
    }

    #[inline(always)]
    fn bias(&self, bias: Parameter<F>, gradient: F) -> Parameter<F> {
        Parameter { state: [gradient, F::zero()], ..bias }
    }
}
