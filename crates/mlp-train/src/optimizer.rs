//! The update rules: from a gradient to the next weights.
//!
//! Back-propagation hands each piece of the gradient to a sink; here every rule is such a sink, with its formula
//! written out once, for one parameter. For a weight w with gradient ∂L/∂w, every rule first adds the penalties,
//!
//! > g = ∂L/∂w + γ·w + γ₁·sign(w),
//!
//! which biases are spared: a bias only shifts a unit, and shrinking it buys no smoothness. So are the scales and shifts of batch
//! normalisation, which every rule treats as biases.
//!
//! Gradients, velocities, means of gradients and parameters below [`Real::NEGLIGIBLE`] (1e-19 in `f32`, 1e-154 in `f64`) are
//! taken as 0, and means of squares below 1e-31 (1e-292). They are too small to matter, but products with them can be
//! subnormal, and those slow a processor down tenfold and more.

mod readable;

use std::fmt;

use mlp_core::{Batch, GradientSink, Masks, NonFinite, Objective, Parameter, Real, StepOptions, Workers, Workspace};

/// An update rule with its parameters. The learning rate η belongs to the configuration and its schedule.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Optimizer {
    /// Stochastic gradient descent: w ← w − η·g.
    Sgd,
    /// Momentum (Polyak 1964): v ← μ·v + g; w ← w − η·v.
    Momentum {
        /// μ, at least 0 and below 1.
        momentum: f64,
    },
    /// Nesterov's momentum (Sutskever et al. 2013, with the parameters at the point looked ahead to, as PyTorch
    /// has it): v ← μ·v + g; w ← w − η·(g + μ·v).
    Nesterov {
        /// μ, at least 0 and below 1.
        momentum: f64,
    },
    /// Adam (Kingma & Ba 2015, algorithm 1), at step t = 1, 2, …:
    /// m ← β₁·m + (1 − β₁)·g; v ← β₂·v + (1 − β₂)·g²;
    /// w ← w − η·(m / (1 − β₁ᵗ)) / (√(v / (1 − β₂ᵗ)) + ε).
    Adam {
        /// β₁, at least 0 and below 1.
        beta1: f64,
        /// β₂, at least 0 and below 1.
        beta2: f64,
        /// ε, above 0.
        epsilon: f64,
    },
    /// Adam with decoupled weight decay (after Loshchilov & Hutter 2019, algorithm 2): first w ← w − η·λ·w, for weights
    /// only, then Adam's step. The decay is scaled by the learning rate η, as PyTorch has it; the paper scales it by the
    /// schedule alone.
    AdamW {
        /// β₁, at least 0 and below 1.
        beta1: f64,
        /// β₂, at least 0 and below 1.
        beta2: f64,
        /// ε, above 0.
        epsilon: f64,
        /// λ, at least 0.
        decay: f64,
    },
}

/// What a single update needs besides the gradient.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Update<'a> {
    /// η of this step.
    pub learning_rate: f64,
    /// The number of this step since the start of the run, counted from 1: Adam corrects its averages by it.
    pub step: u64,
    /// γ.
    pub l2: f64,
    /// γ₁.
    pub l1: f64,
    /// The largest norm of the gradient, if there is one; on the readable path whoever computes the gradient sees to it.
    pub clip_norm: Option<f64>,
    /// The largest norm of each unit's weights, if there is one; likewise.
    pub max_norm: Option<f64>,
    /// What dropout leaves out of this step; likewise.
    pub masks: Option<Masks<'a>>,
}

impl Update<'_> {
    /// What a step on the fast path does besides the rule.
    fn options(&self) -> StepOptions<'_> {
        StepOptions { masks: self.masks, clip_norm: self.clip_norm, max_norm: self.max_norm }
    }
}

impl Optimizer {
    /// The names of the update rules.
    pub const NAMES: [&'static str; 5] = ["sgd", "momentum", "nesterov", "adam", "adamw"];
    /// Adam with the parameters that its authors recommend.
    pub const ADAM: Self = Self::Adam { beta1: Self::BETA1, beta2: Self::BETA2, epsilon: Self::EPSILON };

    pub(crate) const MOMENTUM: f64 = 0.9;
    pub(crate) const BETA1: f64 = 0.9;
    pub(crate) const BETA2: f64 = 0.999;
    pub(crate) const EPSILON: f64 = 1e-8;
    pub(crate) const DECAY: f64 = 0.01;

    /// The name in configuration files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sgd => "sgd",
            Self::Momentum { .. } => "momentum",
            Self::Nesterov { .. } => "nesterov",
            Self::Adam { .. } => "adam",
            Self::AdamW { .. } => "adamw",
        }
    }

    /// The numbers that the rule remembers for each parameter: the slots of its [`Workspace`].
    pub fn n_slots(self) -> usize {
        match self {
            Self::Sgd => 0,
            Self::Momentum { .. } | Self::Nesterov { .. } => 1,
            Self::Adam { .. } | Self::AdamW { .. } => 2,
        }
    }

    /// Takes one training step: forward, back-propagation, update. Returns the sum of the samples' losses before the
    /// update.
    ///
    /// # Errors
    ///
    /// When numbers overflow: the layer in which it was noticed.
    ///
    /// # Panics
    ///
    /// As [`Workspace::step_with_options`]; the workspace needs [`Optimizer::n_slots`] slots.
    pub fn step<F: Real>(
        self,
        workspace: &mut Workspace<F>,
        batch: &impl Batch<F>,
        objective: Objective,
        update: Update<'_>,
        workers: &Workers,
    ) -> Result<f64, NonFinite> {
        let options = update.options();
        self.with_sink(update, Step { workspace, batch, objective, options, workers })
    }

    /// Does something with the rule as a sink.
    fn with_sink<F: Real, U: UseOfSink<F>>(self, update: Update<'_>, mut used: U) -> U::Output {
        let penalty = Penalty { l2: F::narrow(update.l2), l1: F::narrow(update.l1) };
        let learning_rate = F::narrow(update.learning_rate);
        match self {
            // Without a penalty: only worth its code where there is little else to compute.
            Self::Sgd if penalty.is_none() => used.with(&Sink::<F, _, false> { rule: Sgd { learning_rate }, penalty }),
            Self::Sgd => used.with(&Sink::<F, _, true> { rule: Sgd { learning_rate }, penalty }),
            Self::Momentum { momentum } => {
                let rule = Momentum { learning_rate, momentum: F::narrow(momentum) };
                used.with(&Sink::<F, _, true> { rule, penalty })
            }
            Self::Nesterov { momentum } => {
                let rule = Nesterov { learning_rate, momentum: F::narrow(momentum) };
                used.with(&Sink::<F, _, true> { rule, penalty })
            }
            Self::Adam { beta1, beta2, epsilon } => {
                let rule = Adam::new(update, [beta1, beta2, epsilon], 0.0);
                used.with(&Sink::<F, _, true> { rule, penalty })
            }
            Self::AdamW { beta1, beta2, epsilon, decay } => {
                let rule = Adam::new(update, [beta1, beta2, epsilon], decay);
                used.with(&Sink::<F, _, true> { rule, penalty })
            }
        }
    }
}

impl fmt::Display for Optimizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What is done with a rule as a sink: its type is known only here.
trait UseOfSink<F: Real> {
    type Output;
    fn with(&mut self, sink: &impl GradientSink<F>) -> Self::Output;
}

/// A step on the fast path.
struct Step<'a, F, B> {
    workspace: &'a mut Workspace<F>,
    batch: &'a B,
    objective: Objective,
    options: StepOptions<'a>,
    workers: &'a Workers,
}

impl<F: Real, B: Batch<F>> UseOfSink<F> for Step<'_, F, B> {
    type Output = Result<f64, NonFinite>;

    fn with(&mut self, sink: &impl GradientSink<F>) -> Self::Output {
        self.workspace.step_with_options(self.batch, self.objective, sink, self.options, self.workers)
    }
}

/// The gradient of the penalties ½·γ·w² + γ₁·|w|.
#[derive(Clone, Copy)]
struct Penalty<F> {
    l2: F,
    l1: F,
}

impl<F: Real> Penalty<F> {
    fn is_none(self) -> bool {
        self.l2 == F::zero() && self.l1 == F::zero()
    }

    /// The gradient with the penalties added.
    #[inline(always)]
    fn add(self, w: F, gradient: F) -> F {
        flush(gradient + self.l2 * w + self.l1 * sign(w), F::NEGLIGIBLE)
    }
}

/// An update rule for one parameter, from its gradient with the penalties.
trait Rule<F: Real>: Sync {
    const N_SLOTS: usize;
    fn apply(&self, parameter: Parameter<F>, g: F) -> Parameter<F>;
    /// What is left of a weight before the step: 1 − η·λ where the decay is decoupled.
    #[inline(always)]
    fn decay(&self, w: F) -> F {
        w
    }
}

/// A rule as the sink of back-propagation. Without penalties (`PENALTY` is false) they cost nothing.
struct Sink<F, R, const PENALTY: bool> {
    rule: R,
    penalty: Penalty<F>,
}

impl<F: Real, R: Rule<F>, const PENALTY: bool> GradientSink<F> for Sink<F, R, PENALTY> {
    const N_SLOTS: usize = R::N_SLOTS;

    fn ignores_zero_gradients(&self) -> bool {
        // Without state, nothing moves a weight but its gradient.
        R::N_SLOTS == 0 && !PENALTY
    }

    #[inline(always)]
    fn weight(&self, weight: Parameter<F>, gradient: F) -> Parameter<F> {
        let g = if PENALTY { self.penalty.add(weight.value, gradient) } else { gradient };
        self.rule.apply(Parameter { value: self.rule.decay(weight.value), ..weight }, g)
    }

    #[inline(always)]
    fn bias(&self, bias: Parameter<F>, gradient: F) -> Parameter<F> {
        self.rule.apply(bias, gradient)
    }
}

/// Stochastic gradient descent.
struct Sgd<F> {
    learning_rate: F,
}

impl<F: Real> Rule<F> for Sgd<F> {
    const N_SLOTS: usize = 0;

    #[inline(always)]
    fn apply(&self, parameter: Parameter<F>, g: F) -> Parameter<F> {
        Parameter { value: parameter.value - self.learning_rate * g, ..parameter }
    }
}

/// Momentum.
struct Momentum<F> {
    learning_rate: F,
    momentum: F,
}

impl<F: Real> Rule<F> for Momentum<F> {
    const N_SLOTS: usize = 1;

    #[inline(always)]
    fn apply(&self, Parameter { value: w, state: [v, _] }: Parameter<F>, g: F) -> Parameter<F> {
        let v = flush(self.momentum * v + g, F::NEGLIGIBLE);
        Parameter { value: w - self.learning_rate * v, state: [v, F::zero()] }
    }
}

/// Nesterov's momentum.
struct Nesterov<F> {
    learning_rate: F,
    momentum: F,
}

impl<F: Real> Rule<F> for Nesterov<F> {
    const N_SLOTS: usize = 1;

    #[inline(always)]
    fn apply(&self, Parameter { value: w, state: [v, _] }: Parameter<F>, g: F) -> Parameter<F> {
        let v = flush(self.momentum * v + g, F::NEGLIGIBLE);
        Parameter { value: w - self.learning_rate * (g + self.momentum * v), state: [v, F::zero()] }
    }
}

/// Adam, and with a decay AdamW.
struct Adam<F> {
    beta1: F,
    beta2: F,
    /// 1 − β₁ and 1 − β₂, rounded once: β₂ in single precision would leave few digits of the difference.
    rest1: F,
    rest2: F,
    epsilon: F,
    /// η / (1 − β₁ᵗ)
    corrected_rate: F,
    /// 1 / √(1 − β₂ᵗ)
    correction2: F,
    /// 1 − η·λ
    kept: F,
}

impl<F: Real> Adam<F> {
    fn new(update: Update<'_>, [beta1, beta2, epsilon]: [f64; 3], decay: f64) -> Self {
        let step = update.step as f64;
        Self {
            beta1: F::narrow(beta1),
            beta2: F::narrow(beta2),
            rest1: F::narrow(1.0 - beta1),
            rest2: F::narrow(1.0 - beta2),
            epsilon: F::narrow(epsilon),
            corrected_rate: F::narrow(update.learning_rate / (1.0 - libm::pow(beta1, step))),
            correction2: F::narrow(1.0 / (1.0 - libm::pow(beta2, step)).sqrt()),
            kept: F::narrow(1.0 - update.learning_rate * decay),
        }
    }
}

impl<F: Real> Rule<F> for Adam<F> {
    const N_SLOTS: usize = 2;

    #[inline(always)]
    fn apply(&self, Parameter { value: w, state: [m, v] }: Parameter<F>, g: F) -> Parameter<F> {
        let m = flush(self.beta1 * m + self.rest1 * g, F::NEGLIGIBLE);
        let v = flush(self.beta2 * v + self.rest2 * square(g), negligible_square());
        let step = self.corrected_rate * m / (v.sqrt() * self.correction2 + self.epsilon);
        Parameter { value: w - step, state: [m, v] }
    }

    #[inline(always)]
    fn decay(&self, w: F) -> F {
        self.kept * w
    }
}

/// −1, 0 or 1: the subgradient of |w| that leaves a weight of 0 where it is.
#[inline(always)]
fn sign<F: Real>(w: F) -> F {
    if w > F::zero() {
        F::one()
    } else if w < F::zero() {
        -F::one()
    } else {
        F::zero()
    }
}

/// Zero for a value of a magnitude below `least`, which is too small to matter; NaN stays NaN.
#[inline(always)]
fn flush<F: Real>(value: F, least: F) -> F {
    if value.abs() < least { F::zero() } else { value }
}

/// The smallest mean of squares that matters, as squares are small long before a gradient is: (1 − β₂) of it is still a normal number.
#[inline(always)]
fn negligible_square<F: Real>() -> F {
    F::min_positive_value() / F::epsilon()
}

/// g², and 0 where that is too small to matter.
#[inline(always)]
fn square<F: Real>(g: F) -> F {
    if g.abs() < negligible_square::<F>().sqrt() { F::zero() } else { g * g }
}
