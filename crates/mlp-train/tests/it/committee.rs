//! Several networks answer together: their outputs are averaged, and decoded as one network's are.

use mlp_core::{Activation, Kernel, Loss, Mlp, Reduction, Workers};
use mlp_train::{
    Classifier, Committee, Decoding, ErrorKind, Inputs, Precision, Samples, SavedModel, TargetEncoding, Targets,
    TrainConfig, evaluate,
};
use ndarray::{Array2, Axis};

use crate::problems::Blobs;

fn model(config: &TrainConfig, seed: u64) -> SavedModel {
    let n_outputs = config.encoding.n_bits(&('0'..='9').collect::<Vec<_>>());
    let (sizes, activations) = (config.sizes(8, n_outputs), config.activations());
    match config.precision {
        Precision::F32 | Precision::Bf16 => SavedModel::new(
            Mlp::<f32>::seeded(&sizes, &activations, true, config.initializer, seed),
            config.clone(),
            '0'..='9',
        ),
        Precision::F64 => SavedModel::new(
            Mlp::<f64>::seeded(&sizes, &activations, true, config.initializer, seed),
            config.clone(),
            '0'..='9',
        ),
    }
}

fn ascii() -> TrainConfig {
    TrainConfig::new().hidden([9]).precision(Precision::F64)
}

fn one_hot() -> TrainConfig {
    let config = ascii().encoding(TargetEncoding::OneHot).output_activation(Activation::Softmax);
    config.loss(Loss::SoftmaxCrossEntropy).reduction(Reduction::Sum)
}

/// The mean outputs, by the readable forward pass.
fn means(models: &[SavedModel], inputs: &Array2<f64>) -> Array2<f64> {
    let of_one = |model: &SavedModel| match &model.network {
        mlp_train::AnyMlp::F64(mlp) => mlp.forward(inputs.view()),
        mlp_train::AnyMlp::F32(mlp) => mlp.forward(inputs.mapv(|value| value as f32).view()).mapv(f64::from),
    };
    let sum = models.iter().map(of_one).reduce(|sum, outputs| sum + outputs).unwrap();
    sum / models.len() as f64
}

#[test]
fn the_mean_of_the_outputs_is_measured_and_decoded() {
    let blobs = Blobs::new(700, 0);
    let inputs = blobs.pixels.mapv(|pixel| f64::from(pixel) / 255.0);
    for config in [ascii(), one_hot(), ascii().loss(Loss::Rmse), ascii().decoding(Decoding::Nearest)] {
        let models = [model(&config, 0), model(&config, 1), model(&config.clone().precision(Precision::F32), 2)];
        let codebook = config.codebook(&('0'..='9').collect::<Vec<_>>());
        let samples = Samples {
            inputs: Inputs::Pixels(blobs.pixels.view()),
            targets: Targets::labels(&blobs.labels, &codebook),
            weights: None,
        };
        let committee = Committee::new(&models).unwrap();
        let found = committee.evaluate(&samples, &Workers::new(2), Kernel::Portable);
        assert_eq!(found, committee.evaluate(&samples, &Workers::new(1), Kernel::Portable));

        let means = means(&models, &inputs);
        let codes = |sample: usize| codebook.codes.row(usize::from(blobs.labels[sample])).mapv(f64::from);
        // −ln of the probability that the mean answer gives to the label, or of each bit.
        let losses = means.rows().into_iter().enumerate().map(|(sample, outputs)| {
            let code = codes(sample);
            let terms = outputs.iter().zip(&code).map(|(a, y)| match config.loss {
                Loss::Rmse => (a - y) * (a - y) / 6.0,
                Loss::SoftmaxCrossEntropy => -y * a.ln(),
                _ => -(y * a.ln() + (1.0 - y) * (1.0 - a).ln()) / 6.0,
            });
            let sum: f64 = terms.sum();
            if config.loss == Loss::Rmse { sum.sqrt() } else { sum }
        });
        let loss = losses.sum::<f64>() / 700.0;
        assert!((found.metrics.loss - loss).abs() < 1e-6, "{}: {} and {loss}", config.loss, found.metrics.loss);
        let right = means.rows().into_iter().zip(&blobs.labels);
        let right =
            right.filter(|(outputs, label)| codebook.decode(outputs.to_vec().as_slice()) == Some(usize::from(**label)));
        assert_eq!(found.metrics.accuracy, Some(right.count() as f64 / 700.0));
        assert_eq!((found.answers.len(), found.confusion.unwrap().counts.len()), (700, 10));
        let mistake = &found.mistakes[0];
        let outputs = means.index_axis(Axis(0), mistake.index);
        assert!(mistake.outputs.iter().zip(&outputs).all(|(found, mean)| (found - mean).abs() < 1e-6));

        let mut classifier = Classifier::of_committee(&models, Kernel::Portable, Workers::new(1)).unwrap();
        for (answer, outputs) in classifier.classify_images(blobs.pixels.view()).unwrap().iter().zip(means.rows()) {
            assert!(answer.bits.iter().zip(outputs).all(|(bit, mean)| (bit.output - mean).abs() < 1e-6));
        }
        let rows = classifier.classify_rows(inputs.view()).unwrap();
        assert!(rows[3].bits.iter().zip(means.row(3)).all(|(bit, mean)| (bit.output - mean).abs() < 1e-6));
    }
}

#[test]
fn of_one_model_it_is_that_model() {
    let blobs = Blobs::new(40, 0);
    for config in [ascii(), one_hot()] {
        let codebook = config.codebook(&('0'..='9').collect::<Vec<_>>());
        let samples = Samples {
            inputs: Inputs::Pixels(blobs.pixels.view()),
            targets: Targets::labels(&blobs.labels, &codebook),
            weights: None,
        };
        let (model, workers) = (model(&config, 0), Workers::new(1));
        let mlp_train::AnyMlp::F64(mlp) = &model.network else { unreachable!("double precision") };
        let alone = evaluate(mlp, &samples, config.objective(), &workers, Kernel::Portable);
        let found = Committee::new([&model]).unwrap().evaluate(&samples, &workers, Kernel::Portable);
        assert!((found.metrics.loss - alone.metrics.loss).abs() < 1e-12);
        assert_eq!((found.answers, found.mistakes), (alone.answers, alone.mistakes));
    }
}

/// Where every member is as sure as numbers can be, there is a loss still.
#[test]
fn the_loss_of_a_saturated_answer_is_finite() {
    let mut model = model(&ascii(), 0);
    let mlp_train::AnyMlp::F64(mlp) = &mut model.network else { unreachable!("double precision") };
    mlp.layers[1].bias.as_mut().unwrap().fill(2_000.0);
    let blobs = Blobs::new(20, 0);
    let samples = blobs.samples::<f64>();
    let other = model.clone();
    let found = Committee::new([&model, &other]).unwrap().evaluate(&samples, &Workers::new(1), Kernel::Portable);
    assert!(found.metrics.loss > 100.0 && found.metrics.is_finite(), "{:?}", found.metrics);
}

#[test]
fn models_that_do_not_answer_alike_are_refused_with_the_difference() {
    let first = model(&ascii(), 0);
    let mut letters = first.clone();
    letters.classes = ('a'..='j').map(String::from).collect();
    let others = [
        model(&ascii().encoding(TargetEncoding::Binary), 0),
        model(&ascii().encoding(TargetEncoding::Random { bits: 6 }), 0),
        model(&ascii().loss(Loss::Squared).output_activation(Activation::Tanh), 0),
        model(&ascii().decoding(Decoding::Nearest), 0),
        letters,
    ];
    let errors = others.map(|other| Committee::new([&first, &other]).unwrap_err());
    assert!(errors.iter().all(|error| error.kind() == ErrorKind::Model));
    insta::assert_snapshot!(errors.map(|error| error.to_string()).join("\n"));
    assert!(Committee::new([]).is_err());
}
