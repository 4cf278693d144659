//! The mean of the weights over steps.

use mlp_core::{Activation, Average, Kernel, Real, Workers, Workspace};

use crate::networks::{bits, kernels, network};

const SIZES: [usize; 4] = [301, 260, 33, 5];
const ACTIVATIONS: [Activation; 3] = [Activation::Sigmoid, Activation::Relu, Activation::Sigmoid];

/// The bits of the mean of some networks in turn, after a way through matrices half-way.
fn mean_of<F: Real>(kernel: Kernel, n_threads: usize, bias: bool) -> Vec<u64> {
    let mut mlp = network::<F>(&SIZES, &ACTIVATIONS, bias, 0);
    let workers = Workers::new(n_threads);
    let mut workspace = Workspace::new(&mlp, 40, 1, kernel, &workers);
    let mut average = Average::new(&workspace);
    for seed in 1..6 {
        workspace.load(&network::<F>(&SIZES, &ACTIVATIONS, bias, seed));
        average.add(&workspace, 1.0 / (seed + 1) as f64, &workers);
        if seed == 3 {
            average.store(&workspace, &mut mlp);
            average = Average::new(&workspace);
            average.load(&workspace, &mlp);
        }
    }
    average.store(&workspace, &mut mlp);
    bits(&mlp)
}

#[test]
fn the_mean_is_the_mean_with_the_same_bits_on_all_threads_and_kernels() {
    for bias in [true, false] {
        let expected = mean_of::<f64>(Kernel::Portable, 1, bias);
        let networks: Vec<_> = (0..6).map(|seed| bits(&network::<f64>(&SIZES, &ACTIVATIONS, bias, seed))).collect();
        for (index, &mean) in expected.iter().enumerate() {
            let by_hand = networks.iter().map(|network| f64::from_bits(network[index])).sum::<f64>() / 6.0;
            assert!((f64::from_bits(mean) - by_hand).abs() < 1e-14);
        }
        for kernel in kernels() {
            for n_threads in [1, 2, 4] {
                assert!(mean_of::<f64>(kernel, n_threads, bias) == expected, "{kernel}, {n_threads} threads");
                let single = mean_of::<f32>(Kernel::Portable, 1, bias);
                assert!(mean_of::<f32>(kernel, n_threads, bias) == single, "{kernel}, {n_threads} threads");
            }
        }
    }
}

#[test]
fn a_rate_of_one_takes_the_weights_over_to_the_bit() {
    let (mut first, second) = (network::<f32>(&SIZES, &ACTIVATIONS, true, 0), network(&SIZES, &ACTIVATIONS, true, 1));
    let workers = Workers::new(2);
    let mut workspace = Workspace::new(&first, 2, 0, Kernel::detect(), &workers);
    let mut average = Average::new(&workspace);
    workspace.load(&second);
    average.add(&workspace, 1.0, &workers);
    average.store(&workspace, &mut first);
    assert!(bits(&first) == bits(&second));
}

#[test]
#[should_panic(expected = "the mean is one of a workspace of another shape")]
fn a_mean_of_another_network_is_refused() {
    let workers = Workers::new(1);
    let workspace = |sizes: &[usize]| {
        Workspace::new(&network::<f32>(sizes, &[Activation::Sigmoid], true, 0), 2, 0, Kernel::detect(), &workers)
    };
    Average::new(&workspace(&[9, 2])).add(&workspace(&[5, 2]), 0.5, &workers);
}
