//! What is compiled here, once for each type of number.

use mlp_core::{Descent, NonFinite, Objective, OneByOne, Real, Workers, Workspace};

use crate::data::Rows;
use crate::optimizer::{Optimizer, Update};

/// `f32` or `f64`: the type of number that a network is trained and measured in.
///
/// The inner loops are long once they are written out for every update rule and every set of instructions. This trait has
/// them compiled with this crate, and not again in every program that calls [`train()`](crate::train()). A default method, or
/// one implementation for every [`Real`], would be compiled where it is called, so both types are written out.
pub trait Trainable: Real {
    /// [`Optimizer::step`].
    #[doc(hidden)]
    fn step(
        optimizer: Optimizer,
        workspace: &mut Workspace<Self>,
        rows: &Rows<'_, '_, Self>,
        objective: Objective,
        update: Update<'_>,
        workers: &Workers,
    ) -> Result<f64, NonFinite>;

    /// [`OneByOne::descend`].
    #[doc(hidden)]
    fn descend(
        one_by_one: &mut OneByOne<Self>,
        rows: &Rows<'_, '_, Self>,
        objective: Objective,
        steps: &[Descent<Self>],
        workers: &Workers,
    ) -> Result<f64, (usize, NonFinite)>;

    /// [`Workspace::forward`].
    #[doc(hidden)]
    fn forward(workspace: &mut Workspace<Self>, rows: &Rows<'_, '_, Self>, workers: &Workers);
}

impl Trainable for f32 {
    #[inline(never)]
    fn step(
        optimizer: Optimizer,
        workspace: &mut Workspace<Self>,
        rows: &Rows<'_, '_, Self>,
        objective: Objective,
        update: Update<'_>,
        workers: &Workers,
    ) -> Result<f64, NonFinite> {
        optimizer.step(workspace, rows, objective, update, workers)
    }

    #[inline(never)]
    fn descend(
        one_by_one: &mut OneByOne<Self>,
        rows: &Rows<'_, '_, Self>,
        objective: Objective,
        steps: &[Descent<Self>],
        workers: &Workers,
    ) -> Result<f64, (usize, NonFinite)> {
        one_by_one.descend(rows, objective, steps, workers)
    }

    #[inline(never)]
    fn forward(workspace: &mut Workspace<Self>, rows: &Rows<'_, '_, Self>, workers: &Workers) {
        workspace.forward(rows, workers);
    }
}

impl Trainable for f64 {
    #[inline(never)]
    fn step(
        optimizer: Optimizer,
        workspace: &mut Workspace<Self>,
        rows: &Rows<'_, '_, Self>,
        objective: Objective,
        update: Update<'_>,
        workers: &Workers,
    ) -> Result<f64, NonFinite> {
        optimizer.step(workspace, rows, objective, update, workers)
    }

    #[inline(never)]
    fn descend(
        one_by_one: &mut OneByOne<Self>,
        rows: &Rows<'_, '_, Self>,
        objective: Objective,
        steps: &[Descent<Self>],
        workers: &Workers,
    ) -> Result<f64, (usize, NonFinite)> {
        one_by_one.descend(rows, objective, steps, workers)
    }

    #[inline(never)]
    fn forward(workspace: &mut Workspace<Self>, rows: &Rows<'_, '_, Self>, workers: &Workers) {
        workspace.forward(rows, workers);
    }
}
