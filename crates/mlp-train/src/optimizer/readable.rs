//! The update rules on the readable path: one parameter after the other, by the same formulas.

use mlp_core::{BatchNorm, GradientSink, Gradients, Mlp, Parameter, Real};
use ndarray::{Array, Array1, Dimension, NdIndex};

use super::{Optimizer, Update, UseOfSink};

impl Optimizer {
    /// Updates the parameters of a network, and what the rule remembers of each in `slots`, from their gradient: the same
    /// formulas, on the readable path.
    ///
    /// # Panics
    ///
    /// If there are not [`Optimizer::n_slots`] slots, or shapes differ.
    pub(crate) fn update<F: Real>(
        self,
        mlp: &mut Mlp<F>,
        slots: &mut [Gradients<F>],
        gradients: &Gradients<F>,
        update: Update<'_>,
    ) {
        self.with_sink(update, ParameterByParameter { mlp, slots, gradients });
    }

    /// The same for the scales γ of batch normalisation, which are treated as biases are.
    ///
    /// # Panics
    ///
    /// As [`Optimizer::update`].
    pub(crate) fn update_scales<F: Real>(
        self,
        norm: &mut BatchNorm<F>,
        slots: &mut [Vec<Array1<F>>],
        gradient: &[Array1<F>],
        update: Update<'_>,
    ) {
        self.with_sink(update, Scales { norm, slots, gradient });
    }
}

/// An update on the readable path.
struct ParameterByParameter<'a, F> {
    mlp: &'a mut Mlp<F>,
    slots: &'a mut [Gradients<F>],
    gradients: &'a Gradients<F>,
}

impl<F: Real> UseOfSink<F> for ParameterByParameter<'_, F> {
    type Output = ();

    fn with(&mut self, sink: &impl GradientSink<F>) {
        for (index, (layer, gradient)) in self.mlp.layers.iter_mut().zip(&self.gradients.layers).enumerate() {
            let mut states: Vec<_> = self.slots.iter_mut().map(|slot| &mut slot.layers[index]).collect();
            let mut of_weights: Vec<_> = states.iter_mut().map(|state| &mut state.weights).collect();
            let weight = |weight, gradient| sink.weight(weight, gradient);
            update_each(&mut layer.weights, &gradient.weights, &mut of_weights, weight);
            if let (Some(bias), Some(gradient)) = (&mut layer.bias, &gradient.bias) {
                let mut of_biases: Vec<_> = states.iter_mut().filter_map(|state| state.bias.as_mut()).collect();
                update_each(bias, gradient, &mut of_biases, |bias, gradient| sink.bias(bias, gradient));
            }
        }
    }
}

/// The same for scales.
struct Scales<'a, F> {
    norm: &'a mut BatchNorm<F>,
    slots: &'a mut [Vec<Array1<F>>],
    gradient: &'a [Array1<F>],
}

impl<F: Real> UseOfSink<F> for Scales<'_, F> {
    type Output = ();

    fn with(&mut self, sink: &impl GradientSink<F>) {
        for (index, (layer, gradient)) in self.norm.layers.iter_mut().zip(self.gradient).enumerate() {
            let mut states: Vec<_> = self.slots.iter_mut().map(|slot| &mut slot[index]).collect();
            update_each(&mut layer.scale, gradient, &mut states, |scale, gradient| sink.bias(scale, gradient));
        }
    }
}

fn update_each<F: Real, D: Dimension>(
    values: &mut Array<F, D>,
    gradient: &Array<F, D>,
    states: &mut [&mut Array<F, D>],
    rule: impl Fn(Parameter<F>, F) -> Parameter<F>,
) where
    D::Pattern: NdIndex<D>,
{
    for ((position, value), &gradient) in values.indexed_iter_mut().zip(gradient) {
        let mut state = [F::zero(); 2];
        state.iter_mut().zip(states.iter()).for_each(|(number, state)| *number = state[position.clone()]);
        let updated = rule(Parameter { value: *value, state }, gradient);
        *value = updated.value;
        states.iter_mut().zip(updated.state).for_each(|(state, number)| state[position.clone()] = number);
    }
}
