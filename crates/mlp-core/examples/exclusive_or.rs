//! Gradient descent on exclusive or, printing what every part of the network does.
//!
//!     cargo run --release -p mlp-core --example exclusive_or

use mlp_core::ndarray::array;
use mlp_core::{Activation, Initializer, Loss, Mlp, Objective, Reduction, backpropagate, gradient_check};

fn main() {
    let inputs = array![[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]];
    let targets = array![[0.0], [1.0], [1.0], [0.0]];
    let objective = Objective { loss: Loss::CrossEntropy, reduction: Reduction::Sum };
    let learning_rate = 1.0;

    let activations = [Activation::Tanh, Activation::Sigmoid];
    let mut mlp = Mlp::<f64>::seeded(&[2, 4, 1], &activations, true, Initializer::GLOROT_UNIFORM, 1);

    println!("The gradient that back-propagation finds, against finite differences of the loss:");
    for check in gradient_check(&mlp, inputs.view(), targets.view(), objective, 1e-3) {
        let tensor = if check.is_bias { "biases" } else { "weights" };
        println!("  layer {} {tensor:8} relative error {:.1e}", check.layer + 1, check.relative_error);
    }

    println!("\nGradient descent:");
    for step in 0..=500 {
        let (loss, gradients) = backpropagate(&mlp, inputs.view(), targets.view(), objective);
        if step % 100 == 0 {
            println!("  step {step:3}  loss {loss:.5}");
        }
        for (layer, gradient) in mlp.layers.iter_mut().zip(&gradients.layers) {
            layer.weights.scaled_add(-learning_rate, &gradient.weights);
            if let (Some(bias), Some(gradient)) = (&mut layer.bias, &gradient.bias) {
                bias.scaled_add(-learning_rate, gradient);
            }
        }
    }

    println!("\nWhat the network answers, and what its hidden units said:");
    let activations = mlp.activations(inputs.view());
    for sample in 0..4 {
        let (hidden, output) = (activations[0].row(sample), activations[1][[sample, 0]]);
        println!("  {} xor {} = {output:.3}   hidden {hidden:+.2}", inputs[[sample, 0]], inputs[[sample, 1]]);
    }
}
