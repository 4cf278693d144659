//! The sweeps that the claims are judged by: each a configuration file as a person could write it, kept in `presets/`.

use crate::comparison::ComparisonSetup;
use crate::study::{Part, Parts, Step, Study};

/// A quick run of the studies that look for a learning rate.
const QUICK_OF_TWO_RATES: &[&str] =
    &["train_size=6000", "validation=2000", "epochs=4", "sweep.learning_rate=[0.8,1.6]", "sweep.seed=[0,1,2]"];

/// All studies, in the order in which they are run: those in the paper's setup first.
pub static STUDIES: [&Study; 22] = [
    &FIGURES_17000,
    &FIGURES_40000,
    &REPLICA_DEPTH,
    &REPLICA_PRINTED,
    &REPLICA_RATES,
    &REPLICA_L2,
    &REPLICA_CODES,
    &REPLICA_BIAS,
    &DIAGNOSED_REPLICA,
    &DIAGNOSED,
    &DEPTH,
    &DEPTH_GLOROT,
    &RATES_SUMMED,
    &RATES,
    &L2_EPOCHS,
    &L2_UPDATES,
    &SIZES,
    &CODES,
    &CODES_SOFTMAX,
    &BIAS,
    &PHASES,
    &LADDER,
];

pub(crate) static FIGURES_17000: Study = Study {
    has_curves: true,
    ..Study::new(
        "figures-17000",
        ComparisonSetup::Replica,
        include_str!("../presets/figures-17000.toml"),
        &["train_size=2000", "epochs=4", "sweep.seed=[0,1,2]"],
    )
};

pub(crate) static FIGURES_40000: Study = Study {
    has_curves: true,
    ..Study::new(
        "figures-40000",
        ComparisonSetup::Replica,
        include_str!("../presets/figures-40000.toml"),
        &["train_size=4000", "epochs=6", "sweep.seed=[0,1,2]"],
    )
};

pub(crate) static REPLICA_DEPTH: Study = Study::new(
    "replica-depth",
    ComparisonSetup::Replica,
    include_str!("../presets/replica-depth.toml"),
    &["train_size=1700", "epochs=4", "sweep.seed=[0,1,2]"],
);

pub(crate) static REPLICA_PRINTED: Study = Study::new(
    "replica-printed",
    ComparisonSetup::Replica,
    include_str!("../presets/replica-printed.toml"),
    &["train_size=1700", "epochs=4", "sweep.seed=[0,1,2]"],
);

pub(crate) static REPLICA_RATES: Study = Study::new(
    "replica-rates",
    ComparisonSetup::Replica,
    include_str!("../presets/replica-rates.toml"),
    &["train_size=1000", "epochs=3", "sweep.seed=[0,1,2]"],
);

pub(crate) static REPLICA_L2: Study = Study::new(
    "replica-l2",
    ComparisonSetup::Replica,
    include_str!("../presets/replica-l2.toml"),
    &["epochs=2", "sweep.train_size=[1000,2000]", "sweep.seed=[0,1,2]"],
);

pub(crate) static REPLICA_CODES: Study = Study::new(
    "replica-codes",
    ComparisonSetup::Replica,
    include_str!("../presets/replica-codes.toml"),
    &["train_size=1000", "epochs=3", "sweep.seed=[0,1,2]"],
);

pub(crate) static REPLICA_BIAS: Study = Study::new(
    "replica-bias",
    ComparisonSetup::Replica,
    include_str!("../presets/replica-bias.toml"),
    &["train_size=1000", "epochs=3", "sweep.seed=[0,1,2]"],
);

pub(crate) static DIAGNOSED_REPLICA: Study = Study {
    is_diagnosed: true,
    ..Study::new(
        "doctor-replica",
        ComparisonSetup::Replica,
        include_str!("../presets/doctor-replica.toml"),
        &["train_size=1000", "epochs=3"],
    )
};

pub(crate) static DIAGNOSED: Study = Study {
    is_diagnosed: true,
    ..Study::new(
        "doctor",
        ComparisonSetup::Repaired,
        include_str!("../presets/doctor.toml"),
        &["train_size=6000", "validation=2000", "epochs=4"],
    )
};

pub(crate) static DEPTH: Study = Study::new(
    "depth",
    ComparisonSetup::Repaired,
    include_str!("../presets/depth.toml"),
    &["train_size=8000", "validation=2000", "epochs=6", "sweep.learning_rate=[0.8,1.6]", "sweep.seed=[0,1,2]"],
);

pub(crate) static DEPTH_GLOROT: Study = Study::new(
    "depth-glorot",
    ComparisonSetup::Repaired,
    include_str!("../presets/depth-glorot.toml"),
    &["train_size=8000", "validation=2000", "epochs=6", "sweep.seed=[0]"],
);

pub(crate) static RATES_SUMMED: Study = Study::new(
    "rates-summed",
    ComparisonSetup::Repaired,
    include_str!("../presets/rates-summed.toml"),
    &["train_size=6000", "validation=2000", "epochs=4", "sweep.seed=[0]"],
);

pub(crate) static RATES: Study = Study::new(
    "rates",
    ComparisonSetup::Repaired,
    include_str!("../presets/rates.toml"),
    &["train_size=6000", "validation=2000", "epochs=4", "sweep.seed=[0,1,2]"],
);

pub(crate) static L2_EPOCHS: Study = Study::new(
    "l2-epochs",
    ComparisonSetup::Repaired,
    include_str!("../presets/l2-epochs.toml"),
    &["validation=2000", "epochs=10", "sweep.train_size=[3000,4000,6000,10000]", "sweep.seed=[0,1,2]"],
);

pub(crate) static L2_UPDATES: Study = Study {
    parts: Parts::Each(&[
        Part { ending: "1000", keys: &["train_size=6000", "epochs=200"], quick: &["train_size=3000", "epochs=40"] },
        Part { ending: "5000", keys: &["train_size=10000", "epochs=40"], quick: &["train_size=4000", "epochs=20"] },
        Part { ending: "10000", keys: &["train_size=15000", "epochs=20"], quick: &["train_size=6000", "epochs=10"] },
        Part { ending: "50000", keys: &["train_size=55000", "epochs=4"], quick: &["train_size=10000", "epochs=5"] },
    ]),
    ..Study::new(
        "l2-updates",
        ComparisonSetup::Repaired,
        include_str!("../presets/l2-updates.toml"),
        &["validation=2000", "sweep.seed=[0,1,2]"],
    )
};

pub(crate) static SIZES: Study = Study::new(
    "sizes",
    ComparisonSetup::Repaired,
    include_str!("../presets/sizes.toml"),
    &["validation=2000", "sweep.train_size=[4000,6000]", "sweep.epochs=[4,6]", "sweep.seed=[0,1,2]"],
);

pub(crate) static CODES: Study =
    Study::new("codes", ComparisonSetup::Repaired, include_str!("../presets/codes.toml"), QUICK_OF_TWO_RATES);

pub(crate) static CODES_SOFTMAX: Study = Study::new(
    "codes-softmax",
    ComparisonSetup::Repaired,
    include_str!("../presets/codes-softmax.toml"),
    QUICK_OF_TWO_RATES,
);

pub(crate) static BIAS: Study =
    Study::new("bias", ComparisonSetup::Repaired, include_str!("../presets/bias.toml"), QUICK_OF_TWO_RATES);

pub(crate) static PHASES: Study = Study::new(
    "phases",
    ComparisonSetup::Repaired,
    include_str!("../presets/phases.toml"),
    &["train_size=3000", "epochs=5", "sweep.seed=[0]"],
);

pub(crate) static LADDER: Study = Study {
    parts: Parts::Steps(LADDER_STEPS),
    ..Study::new(
        "ladder",
        ComparisonSetup::Repaired,
        include_str!("../presets/ladder.toml"),
        &["train_size=6000", "validation=2000", "epochs=4", "sweep.seed=[0,1,2]"],
    )
};

/// From the paper's network to a good one: the changes of the study `ladder`, each on top of those above it.
pub(crate) const LADDER_STEPS: &[Step] = &[
    Step { change: "the paper's net, in batches of 32 and single precision", keys: &[] },
    Step {
        change: "Glorot's weights times 4 instead of [0, 1)",
        keys: &["initializer={name=\"glorot-uniform\",gain=4}"],
    },
    Step { change: "root-mean-square error instead of absolute", keys: &["loss=rmse"] },
    Step { change: "biases", keys: &["bias=true"] },
    Step { change: "a rate that falls along a cosine", keys: &["schedule={name=\"cosine\",warmup=1}"] },
    Step { change: "cross-entropy, summed over the bits", keys: &["loss=cross-entropy", "reduction=sum"] },
    Step { change: "three hidden layers instead of seven", keys: &["hidden=[512,256,128]"] },
    Step {
        change: "relus with He's weights, at a rate of 0.1",
        keys: &["activation=relu", "initializer=he-normal", "learning_rate=0.1"],
    },
    Step {
        change: "one-hot codes with softmax instead of ASCII",
        keys: &["encoding=one-hot", "output_activation=softmax", "loss=softmax-cross-entropy"],
    },
    Step { change: "Adam at a rate of 0.001", keys: &["optimizer=adam", "learning_rate=0.001"] },
];
