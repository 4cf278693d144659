//! The update rules: from a gradient to the next weights.
//!
//! Back-propagation hands each piece of the gradient to a sink; here every rule is such a sink, with its formula
//! written out once, for one parameter. For a weight w with gradient ∂L/∂w, every rule first adds the penalties,
//!
//! > g = ∂L/∂w + γ·w + γ₁·sign(w),
//!
//! which biases are spared: a bias only shifts a unit, and shrinking it buys no smoothness.
//!
//! Numbers below [`Real::NEGLIGIBLE`] are taken as 0 in gradients, state and parameters. They are too small to matter
//! (1e-31 in `f32`), but products with them can be subnormal, and those slow a processor down tenfold and more.

use mlp_core::{Batch, GradientSink, NonFinite, Objective, Piece, Real, Workers, Workspace};
use serde_json::{Value, json};

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
pub struct Update {
    /// η of this step.
    pub learning_rate: f64,
    /// The number of this step since the start of the run, counted from 1: Adam corrects its averages by it.
    pub step: u64,
    /// γ.
    pub l2: f64,
    /// γ₁.
    pub l1: f64,
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
    /// As [`Workspace::step`], which needs [`Optimizer::n_slots`] slots.
    pub fn step<F: Real>(
        self,
        workspace: &mut Workspace<F>,
        batch: &impl Batch<F>,
        objective: Objective,
        update: Update,
        workers: &Workers,
    ) -> Result<f64, NonFinite> {
        let learning_rate = F::narrow(update.learning_rate);
        let penalty = Penalty { l2: F::narrow(update.l2), l1: F::narrow(update.l1) };
        match self {
            Self::Sgd => workspace.step(batch, objective, &SgdStep { learning_rate, penalty }, workers),
            Self::Momentum { momentum } => {
                let rule = MomentumStep { learning_rate, penalty, momentum: F::narrow(momentum) };
                workspace.step(batch, objective, &rule, workers)
            }
            Self::Nesterov { momentum } => {
                let rule = NesterovStep { learning_rate, penalty, momentum: F::narrow(momentum) };
                workspace.step(batch, objective, &rule, workers)
            }
            Self::Adam { beta1, beta2, epsilon } => {
                let rule = AdamStep::new(update, penalty, [beta1, beta2, epsilon], 0.0);
                workspace.step(batch, objective, &rule, workers)
            }
            Self::AdamW { beta1, beta2, epsilon, decay } => {
                let rule = AdamStep::new(update, penalty, [beta1, beta2, epsilon], decay);
                workspace.step(batch, objective, &rule, workers)
            }
        }
    }

    /// As written in a configuration: a bare name, or a table where there are parameters.
    pub(crate) fn to_value(self) -> Value {
        let name = self.name();
        match self {
            Self::Sgd => json!(name),
            Self::Momentum { momentum } | Self::Nesterov { momentum } => json!({ "name": name, "momentum": momentum }),
            Self::Adam { beta1, beta2, epsilon } => {
                json!({ "name": name, "beta1": beta1, "beta2": beta2, "epsilon": epsilon })
            }
            Self::AdamW { beta1, beta2, epsilon, decay } => {
                json!({ "name": name, "beta1": beta1, "beta2": beta2, "epsilon": epsilon, "decay": decay })
            }
        }
    }
}

/// The gradient of the penalties ½·γ·w² + γ₁·|w|.
#[derive(Clone, Copy)]
struct Penalty<F> {
    l2: F,
    l1: F,
}

impl<F: Real> Penalty<F> {
    /// No penalty: for biases.
    #[inline(always)]
    fn none() -> Self {
        Self { l2: F::zero(), l1: F::zero() }
    }

    /// The gradient with the penalties added.
    #[inline(always)]
    fn add(self, w: F, gradient: F) -> F {
        settle(gradient + self.l2 * w + self.l1 * sign(w))
    }
}

/// Stochastic gradient descent.
struct SgdStep<F> {
    learning_rate: F,
    penalty: Penalty<F>,
}

impl<F: Real> SgdStep<F> {
    #[inline(always)]
    fn update(&self, piece: Piece<'_, F>, penalty: Penalty<F>) {
        for (w, &gradient) in piece.parameters.iter_mut().zip(piece.gradient) {
            let g = penalty.add(*w, gradient);
            *w = settle(*w - self.learning_rate * g);
        }
    }
}

/// Momentum.
struct MomentumStep<F> {
    learning_rate: F,
    penalty: Penalty<F>,
    momentum: F,
}

impl<F: Real> MomentumStep<F> {
    #[inline(always)]
    fn update(&self, piece: Piece<'_, F>, penalty: Penalty<F>) {
        let [velocities, _] = piece.state;
        for ((w, &gradient), v) in piece.parameters.iter_mut().zip(piece.gradient).zip(velocities) {
            let g = penalty.add(*w, gradient);
            *v = settle(self.momentum * *v + g);
            *w = settle(*w - self.learning_rate * *v);
        }
    }
}

/// Nesterov's momentum.
struct NesterovStep<F> {
    learning_rate: F,
    penalty: Penalty<F>,
    momentum: F,
}

impl<F: Real> NesterovStep<F> {
    #[inline(always)]
    fn update(&self, piece: Piece<'_, F>, penalty: Penalty<F>) {
        let [velocities, _] = piece.state;
        for ((w, &gradient), v) in piece.parameters.iter_mut().zip(piece.gradient).zip(velocities) {
            let g = penalty.add(*w, gradient);
            *v = settle(self.momentum * *v + g);
            *w = settle(*w - self.learning_rate * (g + self.momentum * *v));
        }
    }
}

/// Adam, and with a decay AdamW.
struct AdamStep<F> {
    penalty: Penalty<F>,
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

impl<F: Real> AdamStep<F> {
    fn new(update: Update, penalty: Penalty<F>, [beta1, beta2, epsilon]: [f64; 3], decay: f64) -> Self {
        let step = update.step as f64;
        Self {
            penalty,
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

    #[inline(always)]
    fn update(&self, piece: Piece<'_, F>, penalty: Penalty<F>, kept: F) {
        let [first_moments, second_moments] = piece.state;
        let state = first_moments.iter_mut().zip(second_moments);
        for ((w, &gradient), (m, v)) in piece.parameters.iter_mut().zip(piece.gradient).zip(state) {
            let g = penalty.add(*w, gradient);
            *m = settle(self.beta1 * *m + self.rest1 * g);
            *v = settle(self.beta2 * *v + self.rest2 * square(g));
            let step = self.corrected_rate * *m / (v.sqrt() * self.correction2 + self.epsilon);
            *w = settle(kept * *w - step);
        }
    }
}

impl<F: Real> GradientSink<F> for SgdStep<F> {
    const N_SLOTS: usize = 0;

    fn ignores_zero_gradients(&self) -> bool {
        self.penalty.l2 == F::zero() && self.penalty.l1 == F::zero()
    }

    #[inline(always)]
    fn weights(&self, piece: Piece<'_, F>) {
        self.update(piece, self.penalty);
    }

    #[inline(always)]
    fn biases(&self, piece: Piece<'_, F>) {
        self.update(piece, Penalty::none());
    }
}

impl<F: Real> GradientSink<F> for MomentumStep<F> {
    const N_SLOTS: usize = 1;

    #[inline(always)]
    fn weights(&self, piece: Piece<'_, F>) {
        self.update(piece, self.penalty);
    }

    #[inline(always)]
    fn biases(&self, piece: Piece<'_, F>) {
        self.update(piece, Penalty::none());
    }
}

impl<F: Real> GradientSink<F> for NesterovStep<F> {
    const N_SLOTS: usize = 1;

    #[inline(always)]
    fn weights(&self, piece: Piece<'_, F>) {
        self.update(piece, self.penalty);
    }

    #[inline(always)]
    fn biases(&self, piece: Piece<'_, F>) {
        self.update(piece, Penalty::none());
    }
}

impl<F: Real> GradientSink<F> for AdamStep<F> {
    const N_SLOTS: usize = 2;

    #[inline(always)]
    fn weights(&self, piece: Piece<'_, F>) {
        self.update(piece, self.penalty, self.kept);
    }

    #[inline(always)]
    fn biases(&self, piece: Piece<'_, F>) {
        self.update(piece, Penalty::none(), F::one());
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

/// Zero for what is too small to matter; NaN stays NaN.
#[inline(always)]
fn settle<F: Real>(value: F) -> F {
    if value.abs() < F::NEGLIGIBLE { F::zero() } else { value }
}

/// g², and 0 where that is too small to matter: the square of a gradient is subnormal long before the gradient is.
#[inline(always)]
fn square<F: Real>(g: F) -> F {
    if g.abs() < F::NEGLIGIBLE.sqrt() { F::zero() } else { g * g }
}
