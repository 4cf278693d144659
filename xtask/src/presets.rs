//! Sweeps that come with the program: each a configuration file as a person could write it.

use ladder::{ClimbSweep, rungs};

/// The preset of `sweep` without arguments.
pub(crate) const DEFAULT: &str = "layers";

/// A sweep by name.
pub(crate) struct Preset {
    pub(crate) name: &'static str,
    /// TOML; its first line is a comment that says what the sweep shows.
    pub(crate) text: &'static str,
}

impl Preset {
    /// What the sweep shows.
    pub(crate) fn title(&self) -> &'static str {
        self.text.lines().next().unwrap_or_default().trim_start_matches(['#', ' '])
    }
}

/// A rung of the climb.
const fn climb(sweep: ClimbSweep) -> Preset {
    Preset { name: sweep.name, text: sweep.text }
}

/// All presets, the default first.
pub(crate) const PRESETS: &[Preset] = &[
    Preset { name: "layers", text: include_str!("../presets/layers.toml") },
    Preset { name: "losses", text: include_str!("../presets/losses.toml") },
    Preset { name: "learning-rates", text: include_str!("../presets/learning-rates.toml") },
    Preset { name: "initializers", text: include_str!("../presets/initializers.toml") },
    Preset { name: "encodings", text: include_str!("../presets/encodings.toml") },
    Preset { name: "l2", text: include_str!("../presets/l2.toml") },
    Preset { name: "regularization", text: include_str!("../presets/regularization.toml") },
    Preset { name: "one-layer", text: include_str!("../presets/one-layer.toml") },
    Preset { name: "three-layers", text: include_str!("../presets/three-layers.toml") },
    Preset { name: "seven-layers", text: include_str!("../presets/seven-layers.toml") },
    Preset { name: "one-hot-sigmoid", text: include_str!("../presets/one-hot-sigmoid.toml") },
    Preset { name: "one-hot", text: include_str!("../presets/one-hot.toml") },
    Preset { name: "photo", text: include_str!("../presets/photo.toml") },
    climb(rungs::PLAIN),
    climb(rungs::PLAIN_ASCII),
    climb(rungs::DEFORMED),
    climb(rungs::DEFORMED_ASCII),
    climb(rungs::LARGE),
    climb(rungs::LARGE_ASCII),
    climb(rungs::SEVEN_LAYERS),
    Preset { name: "paper", text: include_str!("../presets/paper.toml") },
];

/// The preset called `name`.
pub(crate) fn find(name: &str) -> Option<&'static Preset> {
    PRESETS.iter().find(|preset| preset.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use mlp_sweep::SweepSpec;

    #[test]
    fn every_preset_is_a_valid_sweep_with_a_title() {
        for preset in PRESETS {
            let specification = SweepSpec::from_toml(preset.text).expect("a preset is a valid configuration");
            assert!(specification.n_trials() > 1, "{}", preset.name);
            assert!(preset.text.starts_with("# ") && preset.title().len() > 10, "{}", preset.name);
        }
    }
}
