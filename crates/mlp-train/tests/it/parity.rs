//! PyTorch computes the same. `tests/golden/pytorch.py`, `pytorch_dropout.py` and `pytorch_batch_norm.py`
//! wrote the expected numbers.

use mlp_core::{
    Activation, BatchNorm, Dropout, Kernel, Layer, Loss, Mlp, NormalizedLayer, Objective, Reduction, Workers,
    Workspace, backpropagate_normalized,
};
use mlp_train::{Inputs, Optimizer, Rows, Samples, Targets, Trainable, Update};
use ndarray::{Array1, Array2, Axis};
use serde::Deserialize;

const TOLERANCE: f64 = 1e-10;

#[derive(Deserialize)]
struct Golden {
    inputs: Vec<Vec<f64>>,
    bits: Vec<Vec<f64>>,
    classes: Vec<Vec<f64>>,
    first: Network,
    sigmoid_outputs: Vec<Vec<f64>>,
    losses: Vec<OneLoss>,
    optimizers: Vec<OneOptimizer>,
}

#[derive(Deserialize)]
struct Network {
    weights: Vec<Vec<Vec<f64>>>,
    biases: Vec<Vec<f64>>,
}

#[derive(Deserialize)]
struct OneLoss {
    loss: String,
    reduction: String,
    value: f64,
    #[serde(flatten)]
    after_one_step: Network,
}

#[derive(Deserialize)]
struct OneOptimizer {
    optimizer: String,
    #[serde(flatten)]
    after_training: Network,
}

impl Golden {
    fn read() -> Self {
        serde_json::from_str(include_str!("../golden/pytorch.json")).unwrap()
    }
}

impl Network {
    fn mlp(&self, output_activation: Activation) -> Mlp<f64> {
        let n_layers = self.weights.len();
        let layers = self.weights.iter().zip(&self.biases).enumerate().map(|(i, (weights, bias))| Layer {
            weights: matrix(weights),
            bias: Some(Array1::from_vec(bias.clone())),
            activation: if i + 1 == n_layers { output_activation } else { Activation::Tanh },
        });
        Mlp { layers: layers.collect() }
    }
}

fn matrix(rows: &[Vec<f64>]) -> Array2<f64> {
    Array2::from_shape_vec((rows.len(), rows[0].len()), rows.concat()).unwrap()
}

fn assert_same(found: &Mlp<f64>, expected: &Network, what: &str) {
    for (i, layer) in found.layers.iter().enumerate() {
        let weights = (&layer.weights - &matrix(&expected.weights[i])).mapv(f64::abs);
        let bias = (layer.bias.as_ref().unwrap() - &Array1::from_vec(expected.biases[i].clone())).mapv(f64::abs);
        let largest = weights.iter().chain(&bias).copied().fold(0.0, f64::max);
        assert!(largest < TOLERANCE, "{what}: layer {i} differs by {largest}");
    }
}

#[test]
fn the_forward_pass_agrees_with_pytorch() {
    let golden = Golden::read();
    let outputs = golden.first.mlp(Activation::Sigmoid).forward(matrix(&golden.inputs).view());
    let largest = (outputs - matrix(&golden.sigmoid_outputs)).mapv(f64::abs).into_iter().fold(0.0, f64::max);
    assert!(largest < 1e-14, "differs by {largest}");
}

#[test]
fn every_loss_and_its_gradient_agree_with_pytorch() {
    let golden = Golden::read();
    let (inputs, bits, classes) = (matrix(&golden.inputs), matrix(&golden.bits), matrix(&golden.classes));
    for one in &golden.losses {
        let loss = Loss::from_name(&one.loss).unwrap();
        let objective = Objective { loss, reduction: Reduction::from_name(&one.reduction).unwrap() };
        let softmax = loss == Loss::SoftmaxCrossEntropy;
        let targets = if softmax { &classes } else { &bits };
        let mut mlp = golden.first.mlp(if softmax { Activation::Softmax } else { Activation::Sigmoid });
        let all: Vec<usize> = (0..inputs.nrows()).collect();
        let sums = take_steps(&mut mlp, &inputs, targets, &[&all], objective, Optimizer::Sgd, PLAIN);
        let what = format!("{} by {}", one.loss, one.reduction);
        assert!((sums[0] / inputs.nrows() as f64 - one.value).abs() < TOLERANCE, "{what}");
        assert_same(&mlp, &one.after_one_step, &what);
    }
}

#[test]
fn every_rule_agrees_with_pytorch_over_three_epochs_with_penalties() {
    let golden = Golden::read();
    let (inputs, bits) = (matrix(&golden.inputs), matrix(&golden.bits));
    let objective = Objective { loss: Loss::CrossEntropy, reduction: Reduction::Sum };
    let all: Vec<usize> = (0..inputs.nrows()).collect();
    let batches: Vec<&[usize]> = (0..3).flat_map(|_| all.chunks(4)).collect();
    for one in &golden.optimizers {
        let (optimizer, l2) = match one.optimizer.as_str() {
            "sgd" => (Optimizer::Sgd, 0.01),
            "momentum" => (Optimizer::Momentum { momentum: 0.9 }, 0.01),
            "nesterov" => (Optimizer::Nesterov { momentum: 0.9 }, 0.01),
            "adam" => (Optimizer::ADAM, 0.01),
            _ => (Optimizer::AdamW { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, decay: 0.1 }, 0.0),
        };
        let mut mlp = golden.first.mlp(Activation::Sigmoid);
        let update = Update { learning_rate: 0.05, l2, l1: 0.003, ..PLAIN };
        take_steps(&mut mlp, &inputs, &bits, &batches, objective, optimizer, update);
        assert_same(&mlp, &one.after_training, &one.optimizer);
    }
}

#[derive(Deserialize)]
struct GoldenDropout {
    inputs: Vec<Vec<f64>>,
    bits: Vec<Vec<f64>>,
    first: Network,
    after_training: AfterTraining,
}

#[derive(Deserialize)]
struct AfterTraining {
    losses: Vec<f64>,
    #[serde(flatten)]
    network: Network,
}

#[test]
fn dropout_and_bounded_weights_agree_with_pytorch_over_three_epochs() {
    let golden: GoldenDropout = serde_json::from_str(include_str!("../golden/pytorch_dropout.json")).unwrap();
    let (inputs, bits) = (matrix(&golden.inputs), matrix(&golden.bits));
    let samples =
        Samples { inputs: Inputs::Values(inputs.view()), targets: Targets::Values(bits.view()), weights: None };
    let mut mlp = golden.first.mlp(Activation::Sigmoid);
    let hidden = [Activation::Relu, Activation::Tanh, Activation::Sigmoid];
    mlp.layers.iter_mut().zip(hidden).for_each(|(layer, activation)| layer.activation = activation);
    let dropout = Dropout::new(0.2, &[0.5, 0.3, 0.1]);
    let objective = Objective { loss: Loss::CrossEntropy, reduction: Reduction::Sum };
    let (workers, optimizer) = (Workers::new(1), Optimizer::Momentum { momentum: 0.9 });
    let mut workspace = Workspace::new(&mlp, 4, optimizer.n_slots(), Kernel::detect(), &workers);
    let all: Vec<usize> = (0..inputs.nrows()).collect();
    for (step, (rows, expected)) in (1..).zip((0..3).flat_map(|_| all.chunks(4)).zip(&golden.after_training.losses)) {
        let masks = Some(dropout.masks(step));
        let update = Update { learning_rate: 0.05, step, max_norm: Some(0.9), masks, ..PLAIN };
        let batch = Rows::new(&samples, rows);
        let loss = f64::step(optimizer, &mut workspace, &batch, objective, update, &workers).unwrap();
        assert!((loss - expected).abs() < TOLERANCE, "step {step}: {loss} for {expected}");
    }
    workspace.store(&mut mlp);
    assert_same(&mlp, &golden.after_training.network, "dropout");
}

const PLAIN: Update<'static> =
    Update { learning_rate: 1.0, step: 0, l2: 0.0, l1: 0.0, clip_norm: None, max_norm: None, masks: None };

/// One step for each batch, on the fastest instruction set; returns the sums of the losses.
fn take_steps(
    mlp: &mut Mlp<f64>,
    inputs: &Array2<f64>,
    targets: &Array2<f64>,
    batches: &[&[usize]],
    objective: Objective,
    optimizer: Optimizer,
    update: Update<'_>,
) -> Vec<f64> {
    let workers = Workers::new(1);
    let samples =
        Samples { inputs: Inputs::Values(inputs.view()), targets: Targets::Values(targets.view()), weights: None };
    let mut workspace = Workspace::new(mlp, inputs.nrows(), optimizer.n_slots(), Kernel::detect(), &workers);
    let step = |(i, rows): (usize, &&[usize])| {
        let batch = Rows::new(&samples, rows);
        let update = Update { step: i as u64 + 1, ..update };
        f64::step(optimizer, &mut workspace, &batch, objective, update, &workers).unwrap()
    };
    let sums = batches.iter().enumerate().map(step).collect();
    workspace.store(mlp);
    sums
}

#[derive(Deserialize)]
struct GoldenBatchNorm {
    inputs: Vec<Vec<f64>>,
    bits: Vec<Vec<f64>>,
    first: Normalized,
    losses: Vec<f64>,
    after_training: Normalized,
    outputs: Vec<Vec<f64>>,
    with_adamw: NormalizedTraining,
}

#[derive(Deserialize)]
struct NormalizedTraining {
    losses: Vec<f64>,
    after_training: Normalized,
}

#[derive(Deserialize)]
struct Normalized {
    #[serde(flatten)]
    network: Network,
    scales: Vec<Vec<f64>>,
    means: Vec<Vec<f64>>,
    variances: Vec<Vec<f64>>,
}

impl Normalized {
    fn norm(&self) -> BatchNorm<f64> {
        let layers = self.scales.iter().zip(&self.means).zip(&self.variances).map(|((scale, mean), variance)| {
            let [scale, mean, variance] = [scale, mean, variance].map(|numbers| Array1::from_vec(numbers.clone()));
            NormalizedLayer { scale, mean, variance }
        });
        BatchNorm { layers: layers.collect() }
    }
}

#[test]
fn batch_normalisation_agrees_with_pytorch_over_three_epochs() {
    let golden: GoldenBatchNorm = serde_json::from_str(include_str!("../golden/pytorch_batch_norm.json")).unwrap();
    let (inputs, bits) = (matrix(&golden.inputs), matrix(&golden.bits));
    let hidden = [Activation::Relu, Activation::Tanh, Activation::Sigmoid];
    let (mut mlp, mut norm) = (golden.first.network.mlp(Activation::Sigmoid), golden.first.norm());
    mlp.layers.iter_mut().zip(hidden).for_each(|(layer, activation)| layer.activation = activation);
    let objective = Objective { loss: Loss::CrossEntropy, reduction: Reduction::Sum };
    let batches = || inputs.axis_chunks_iter(Axis(0), 4).zip(bits.axis_chunks_iter(Axis(0), 4));
    for ((inputs, bits), expected) in (0..3).flat_map(|_| batches()).zip(&golden.losses) {
        let step = backpropagate_normalized(&mlp, &norm, inputs, bits, None, objective, None);
        assert!((step.loss - expected).abs() < TOLERANCE, "{} for {expected}", step.loss);
        norm.follow(&step.statistics, BatchNorm::<f64>::MOMENTUM);
        for (layer, gradient) in mlp.layers.iter_mut().zip(&step.gradients.layers) {
            layer.weights.scaled_add(-0.05, &gradient.weights);
            layer.bias.iter_mut().zip(&gradient.bias).for_each(|(bias, gradient)| bias.scaled_add(-0.05, gradient));
        }
        norm.layers.iter_mut().zip(&step.scales).for_each(|(layer, gradient)| layer.scale.scaled_add(-0.05, gradient));
    }
    assert_same(&mlp, &golden.after_training.network, "batch normalisation");
    for (found, expected) in norm.layers.iter().zip(&golden.after_training.norm().layers) {
        for (found, expected) in
            [(&found.scale, &expected.scale), (&found.mean, &expected.mean), (&found.variance, &expected.variance)]
        {
            assert!((found - expected).iter().all(|error| error.abs() < TOLERANCE), "{found} for {expected}");
        }
    }
    let outputs = norm.fold(&mlp).forward(inputs.view());
    assert!((outputs - matrix(&golden.outputs)).iter().all(|error| error.abs() < TOLERANCE));
}

/// On the fast path, where γ and β are treated as biases are: without decay, and counted where the gradient is clipped.
#[test]
fn batch_normalisation_agrees_with_pytorch_on_the_fast_path() {
    let golden: GoldenBatchNorm = serde_json::from_str(include_str!("../golden/pytorch_batch_norm.json")).unwrap();
    let adamw = Optimizer::AdamW { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, decay: 0.1 };
    check_normalized(&golden, Optimizer::Sgd, None, &golden.losses, &golden.after_training);
    let NormalizedTraining { losses, after_training } = &golden.with_adamw;
    check_normalized(&golden, adamw, Some(0.8), losses, after_training);
}

fn check_normalized(
    golden: &GoldenBatchNorm,
    optimizer: Optimizer,
    clip_norm: Option<f64>,
    losses: &[f64],
    after_training: &Normalized,
) {
    let (inputs, bits) = (matrix(&golden.inputs), matrix(&golden.bits));
    let samples =
        Samples { inputs: Inputs::Values(inputs.view()), targets: Targets::Values(bits.view()), weights: None };
    let mut mlp = golden.first.network.mlp(Activation::Sigmoid);
    let hidden = [Activation::Relu, Activation::Tanh, Activation::Sigmoid];
    mlp.layers.iter_mut().zip(hidden).for_each(|(layer, activation)| layer.activation = activation);
    let objective = Objective { loss: Loss::CrossEntropy, reduction: Reduction::Sum };
    let all: Vec<usize> = (0..inputs.nrows()).collect();
    for kernel in Kernel::ALL.into_iter().filter(|kernel| kernel.is_supported() && *kernel != Kernel::Reference) {
        let workers = Workers::new(2);
        let workspace = Workspace::new(&mlp, 4, optimizer.n_slots(), kernel, &workers);
        let mut workspace = workspace.with_batch_norm(&golden.first.norm());
        for (step, (rows, expected)) in (1..).zip((0..3).flat_map(|_| all.chunks(4)).zip(losses)) {
            let update = Update { learning_rate: 0.05, step, clip_norm, ..PLAIN };
            let batch = Rows::new(&samples, rows);
            let loss = f64::step(optimizer, &mut workspace, &batch, objective, update, &workers).unwrap();
            assert!((loss / rows.len() as f64 - expected).abs() < TOLERANCE, "step {step}: {loss} for {expected}");
        }
        let mut found = mlp.clone();
        workspace.store(&mut found);
        assert_same(&found, &after_training.network, "batch normalisation");
        let norm = workspace.batch_norm().unwrap();
        for (found, expected) in norm.layers.iter().zip(&after_training.norm().layers) {
            for (found, expected) in
                [(&found.scale, &expected.scale), (&found.mean, &expected.mean), (&found.variance, &expected.variance)]
            {
                assert!((found - expected).iter().all(|error| error.abs() < TOLERANCE), "{found} for {expected}");
            }
        }
    }
}
