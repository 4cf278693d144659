//! A finding in plain words, with its figures and what to try.

use mlp_core::{Activation, Loss};

use super::finding::{MANY, NEARLY_ALL, SOME};
use super::suspects::{
    Suspect, falling_schedule, grown_weights, is_constant, is_modest, is_strong, large_weights, more_training,
    shrinking, small_weights, smaller_weights, stronger_weights, suspects, weightless_classes,
};
use super::{Cause, Diagnosis, EpochDiagnosis, Finding, LayerDiagnosis};
use crate::config::TrainConfig;

/// Net inputs that have grown by this multiple of what the weights have grown by owe it to what the layer receives.
const RECEIVES_MORE: f64 = 10.0;
/// With up to so many layers a network is not too deep for any initialiser.
const N_LAYERS_SHALLOW: usize = 3;

/// What is known of a trial besides what its layers do.
#[derive(Clone, Copy, Debug, Default)]
pub struct Background<'a> {
    /// Its configuration: settings far from their defaults are suspected where it has not learned.
    pub config: Option<&'a TrainConfig>,
    /// The fractions of the test samples that its network and the best constant answer have right. A network that has no
    /// more of them right has not learned.
    pub accuracies: Option<(f64, f64)>,
    /// How many test samples they are shares of; 0 where that is not known, and chance is left out of account.
    pub n_tested: usize,
}

impl Background<'_> {
    /// Whether the network has clearly more right than the best constant answer: by more than three standard errors of a share of
    /// so many samples. Nothing where the accuracies are not known.
    pub fn is_clearly_better(&self) -> Option<bool> {
        const N_ERRORS: f64 = 3.0;
        let (reached, constant) = self.accuracies?;
        let error = match self.n_tested {
            0 => 0.0,
            n_tested => (constant * (1.0 - constant) / n_tested as f64).max(0.0).sqrt(),
        };
        Some(reached > constant + N_ERRORS * error)
    }

    /// The accuracies of a network that is no better than a constant answer. Where classes have weights, rare ones may be
    /// learned at the cost of the commonest, and accuracies do not tell.
    fn failure(&self) -> Option<(f64, f64)> {
        let has_weights = self.config.is_some_and(|config| config.class_weights.is_some());
        self.accuracies.filter(|_| self.is_clearly_better() == Some(false) && !has_weights)
    }
}

impl Diagnosis {
    /// In plain words: the [`finding`](Self::finding) with its figures and what to try, or that no layer is at fault; and
    /// which epochs are missing. Layers are counted from 1 here, as in "layer 1 of 8".
    pub fn sentence(&self) -> String {
        self.explain(&Background::default())
    }

    /// The [`sentence`](Self::sentence) of a trial of which more is known: it names settings that can be the cause, and speaks of
    /// no learning where there was none.
    pub fn explain(&self, background: &Background<'_>) -> String {
        let Some(last) = self.epochs.last() else { return "No epoch has been measured.".to_owned() };
        let mut text = match self.finding() {
            Some(finding) => self.explained(&finding, background),
            None if !self.answers_vary(last) => format!(
                "No layer is dead, but at epoch {} the answers hardly depend on the sample: they vary by {}, the targets by \
                 {}.{}",
                last.epoch,
                shown(last.layers[self.layers.len() - 1].spread),
                shown(self.target_spread),
                self.advice(background)
            ),
            None if let Some(accuracies) = background.failure() => {
                format!("No layer is dead, but {}.{}", no_better(accuracies), self.advice(background))
            }
            None => self.healthy(last, background),
        };
        let missing = self.missing();
        if !missing.is_empty() {
            let ranges = missing
                .iter()
                .take(5)
                .map(|&(first, last)| if first == last { first.to_string() } else { format!("{first} to {last}") });
            let more = if missing.len() > 5 { " and more" } else { "" };
            text.push_str(&format!(
                " (Not measured: epoch {}{more}; the run was not watched then.)",
                ranges.collect::<Vec<_>>().join(", ")
            ));
        }
        text
    }

    /// The sentence of a trial that diverged with all its layers alive: the diagnosis sees nothing but how they stood before, and
    /// what would help such a network would not help this one. Nothing where a layer is at fault, or nothing was measured.
    pub fn explain_divergence(&self, background: &Background<'_>) -> Option<String> {
        let last = self.epochs.last().filter(|_| self.finding().is_none())?;
        let advice = match large_weights(self, background.config, SOME) {
            Some(suspect) => charged(&[suspect]),
            None => " Try a smaller learning_rate.".to_owned(),
        };
        Some(format!(
            "No layer was dead at epoch {}, the last one before the numbers grew beyond all bounds.{advice}",
            last.epoch
        ))
    }

    /// What to try where no layer is at fault, with what the suspects do.
    fn advice(&self, background: &Background<'_>) -> String {
        let mut found = background.config.map_or_else(Vec::new, |config| suspects(self, config));
        found.extend(large_weights(self, background.config, SOME).or_else(|| small_weights(self, background.config)));
        if found.is_empty() { format!(" Try {}.", more_training(background.config)) } else { charged(&found) }
    }

    fn explained(&self, finding: &Finding, background: &Background<'_>) -> String {
        let Finding { layer, since, cause, is_fatal } = *finding;
        let (Some(epoch), Some(first), Some(last)) =
            (self.epochs.iter().find(|epoch| epoch.epoch == since), self.epochs.first(), self.epochs.last())
        else {
            return String::new();
        };
        let (found, is_output) = (&epoch.layers[layer], layer + 1 == self.layers.len());
        let is_first_measured = since == first.epoch && since > 0;
        let when = format!("from epoch {since} on{}", if is_first_measured { ", the first one measured" } else { "" });
        let net_inputs = shown(found.net_input_rms);
        let body = match cause {
            Cause::PositiveWeights => format!(
                "{}: {}, so that net inputs are too large ({net_inputs} in the root mean square)",
                self.saturated(found, layer, &when),
                match found.positive_weights {
                    1.0 => "the weights are all positive".to_owned(),
                    share => format!("{} of the weights are positive", percent(share)),
                }
            ),
            Cause::LargeWeights => format!(
                "{}: the weights it began with are too large ({}net inputs of {net_inputs} in the root mean square)",
                self.saturated(found, layer, &when),
                match since {
                    0 => String::new(),
                    _ => format!("{} were saturated before training; ", percent(self.began_saturated(layer))),
                }
            ),
            Cause::GrownWeights if receives_more(&first.layers[layer], found) => format!(
                "{}: what it receives has grown (its net inputs from {} to {net_inputs} in the root mean square, its weights \
                 from a norm of {} to {})",
                self.saturated(found, layer, &when),
                shown(first.layers[layer].net_input_rms),
                shown(first.layers[layer].weight_norm),
                shown(found.weight_norm)
            ),
            Cause::GrownWeights => format!(
                "{}: its weights have grown (their norm from {} to {}; net inputs of {net_inputs} in the root mean square)",
                self.saturated(found, layer, &when),
                shown(first.layers[layer].weight_norm),
                shown(found.weight_norm)
            ),
            Cause::EqualWeights if last.layers[layer].weight_norm == 0.0 => {
                format!("{when} all its weights are 0, so that its units are one and the same and stay so")
            }
            Cause::EqualWeights => {
                let zeros = if found.weight_norm == 0.0 { " (0 to begin with)" } else { "" };
                format!(
                    "{when} all its units have the same weights{zeros}, so that they count as one unit and stay one"
                )
            }
            Cause::SilentUnits if is_output && found.n_silent_outputs > 0 => format!(
                "{} of {} units give 0 to each of the {} samples examined {when}, and a relu that gives 0 passes no gradient; \
                 what has to be more than 0 there is not answered rightly",
                found.n_silent_outputs, self.layers[layer].units, self.n_samples
            ),
            Cause::StuckOutputs => format!(
                "{} of {} units {} nearly the same answer to each of the {} samples examined {when}, although {} targets \
                 differ",
                last.layers[layer].n_stuck_outputs,
                self.layers[layer].units,
                if last.layers[layer].n_stuck_outputs == 1 { "gives" } else { "give" },
                self.n_samples,
                if last.layers[layer].n_stuck_outputs == 1 { "its" } else { "their" },
            ),
            Cause::SilentUnits => format!(
                "{} of its units give 0 to each of the {} samples examined{} {when}, and a relu \
                 that gives 0 passes no gradient{}",
                at_least(found.dead_units, last.layers[layer].dead_units),
                self.n_samples,
                if is_fatal { "" } else { " (others may still wake some)" },
                if self.began_positive(layer) {
                    "; the weights it began with were all positive, so that net inputs were large, and so the first steps"
                } else {
                    ""
                }
            ),
            Cause::FadedSignal => {
                let spreads: Vec<String> = epoch.layers.iter().take(layer).map(|layer| shown(layer.spread)).collect();
                let before = if spreads.is_empty() {
                    String::new()
                } else {
                    format!(", those of the layers before it by {}", spreads.join(", "))
                };
                let charge = if self.has_shrunk(layer, epoch) {
                    format!(": {}", shrinking(self, background.config).charge)
                } else if since == 0 {
                    ": the weights are too small to pass on what differs".to_owned()
                } else {
                    // It could tell samples apart, and has unlearned it: its weights were large enough.
                    String::new()
                };
                format!(
                    "{when} its units give nearly the same answer to every sample (they vary by {}{before}){charge}",
                    shown(found.spread)
                )
            }
            Cause::VanishedGradient => format!(
                "{when} hardly any gradient reaches it (norm {}, in the last layer {})",
                shown(found.gradient_norm),
                epoch.layers.last().map_or_else(String::new, |last| shown(last.gradient_norm))
            ),
        };
        let rest = match background.failure() {
            _ if is_fatal => String::new(),
            Some(accuracies) => format!(" {}.", capitalised(&no_better(accuracies))),
            None if is_output => String::new(),
            None => " The layers after it still learn from what it gives.".to_owned(),
        };
        let name = if is_output && layer > 0 { " (out)" } else { "" };
        let advice = self.remedies(finding, epoch, background);
        format!("Layer {} of {}{name}: {body}.{rest}{advice}", layer + 1, self.layers.len())
    }

    /// What to try, after what the suspects do where any are known: of a loss on the way that a setting can have caused.
    fn remedies(&self, finding: &Finding, epoch: &EpochDiagnosis, background: &Background<'_>) -> String {
        let may_be_a_setting = match finding.cause {
            Cause::FadedSignal => !self.has_shrunk(finding.layer, epoch),
            Cause::VanishedGradient => true,
            Cause::SilentUnits => {
                let is_of_layer = finding.since == 0 || self.began_positive(finding.layer);
                !is_of_layer && epoch.layers[finding.layer].n_silent_outputs == 0
            }
            Cause::EqualWeights
            | Cause::PositiveWeights
            | Cause::LargeWeights
            | Cause::GrownWeights
            | Cause::StuckOutputs => false,
        };
        let found = background.config.map_or_else(Vec::new, |config| match weightless_classes(config) {
            Some(suspect) => vec![suspect],
            None if may_be_a_setting => suspects(self, config),
            None => Vec::new(),
        });
        if found.is_empty() { format!(" Try {}.", self.remedy(finding, epoch, background)) } else { charged(&found) }
    }

    /// Whether all weights of a layer were positive before training.
    fn began_positive(&self, layer: usize) -> bool {
        self.epochs.first().is_some_and(|first| first.epoch == 0 && first.layers[layer].positive_weights >= NEARLY_ALL)
    }

    /// Whether a layer has lost half the norm of its weights.
    fn has_shrunk(&self, layer: usize, epoch: &EpochDiagnosis) -> bool {
        epoch.layers[layer].weight_norm < 0.5 * self.epochs[0].layers[layer].weight_norm
    }

    fn saturated(&self, found: &LayerDiagnosis, layer: usize, when: &str) -> String {
        let (high, low) = match self.activation(layer) {
            Some(Activation::Tanh) => ("at 1", "at −1"),
            _ => ("at 1", "at 0"),
        };
        let end = match found.saturated_high / found.saturated {
            1.0 => high.to_owned(),
            0.0 => low.to_owned(),
            share if share > NEARLY_ALL => format!("nearly all {high}"),
            share if share < 1.0 - NEARLY_ALL => format!("nearly all {low}"),
            _ => "at either end".to_owned(),
        };
        let exactly = match found.zero_derivative {
            share if share < NEARLY_ALL => String::new(),
            share if share >= found.saturated => ", with a derivative of exactly 0".to_owned(),
            share => format!(", and {} have a derivative of exactly 0", percent(share)),
        };
        let end = if end.starts_with("nearly") { format!(", {end},") } else { format!(" {end}") };
        format!("{} of its units are saturated{end} {when}{exactly}", percent(found.saturated))
    }

    fn remedy(&self, finding: &Finding, epoch: &EpochDiagnosis, background: &Background<'_>) -> String {
        // What the weights have to make up for is what the units before them do to a signal.
        let before = self.activation(finding.layer.saturating_sub(1));
        let found = &epoch.layers[finding.layer];
        let is_output = finding.layer + 1 == self.layers.len();
        let initializer = background.config.map(|config| config.initializer);
        let remedy = match finding.cause {
            Cause::EqualWeights => match initializer.filter(|&initializer| is_constant(initializer)) {
                Some(initializer) => {
                    return format!(
                        "initializer = \"glorot-uniform\": {initializer} with these numbers gives every weight the same value"
                    );
                }
                None => "an initializer that gives every unit weights of its own, such as \"glorot-uniform\"",
            },
            Cause::SilentUnits if is_output && found.n_silent_outputs > 0 => "output_activation = \"sigmoid\"",
            Cause::PositiveWeights | Cause::LargeWeights => smaller_weights(self.activation(finding.layer)),
            Cause::StuckOutputs if background.config.is_some_and(|config| config.loss == Loss::Absolute) => {
                "another loss: what gives the absolute error its least value is the commonest target of each output"
            }
            Cause::StuckOutputs if finding.since == 0 && initializer.is_some_and(is_modest) => {
                more_training(background.config)
            }
            Cause::StuckOutputs if finding.since == 0 => smaller_weights(before),
            Cause::GrownWeights | Cause::StuckOutputs => "a smaller learning_rate",
            // Weights that suit relus are there already: where many units began silent, narrow layers in depth are why.
            Cause::SilentUnits if initializer.is_some_and(|one| is_strong(one, Some(Activation::Relu))) => {
                if finding.since == 0 || self.began_with_silent_units() {
                    "more units in each layer, or fewer layers"
                } else {
                    "a smaller learning_rate"
                }
            }
            Cause::SilentUnits if finding.since == 0 || self.began_positive(finding.layer) => {
                "initializer = \"he-uniform\""
            }
            Cause::SilentUnits => "a smaller learning_rate, with initializer = \"he-uniform\"",
            Cause::FadedSignal if self.has_shrunk(finding.layer, epoch) => {
                return shrinking(self, background.config).remedy;
            }
            Cause::FadedSignal | Cause::VanishedGradient => {
                let is_deep = self.layers.len() > N_LAYERS_SHALLOW;
                // What is set already is no advice.
                return match (initializer.is_some_and(|initializer| is_strong(initializer, before)), is_deep) {
                    (true, true) => "fewer layers, or more epochs".to_owned(),
                    (true, false) => "more epochs or a larger learning_rate".to_owned(),
                    (false, true) => format!("{}, or fewer layers", stronger_weights(before)),
                    (false, false) => stronger_weights(before).to_owned(),
                };
            }
        };
        remedy.to_owned()
    }

    fn healthy(&self, last: &EpochDiagnosis, background: &Background<'_>) -> String {
        let (hidden, _) = last.layers.split_at(self.layers.len() - 1);
        let least = hidden.iter().enumerate().min_by(|a, b| a.1.spread.total_cmp(&b.1.spread));
        let most = hidden.iter().enumerate().max_by(|a, b| a.1.saturated.total_cmp(&b.1.saturated));
        let (Some((faintest, least)), Some((fullest, most))) = (least, most) else {
            return format!("No layer is dead: at epoch {} the answers vary from sample to sample.", last.epoch);
        };
        let suspect = large_weights(self, background.config, MANY)
            .or_else(|| grown_weights(self, last, fullest))
            .or_else(|| background.config.and_then(falling_schedule))
            .or_else(|| small_weights(self, background.config));
        let note = suspect.map_or_else(String::new, |suspect| charged(&[suspect]));
        let saturated = match self.activation(fullest) {
            Some(Activation::Relu) => "give 0",
            _ => "are saturated",
        };
        let ends = match most.saturated {
            0.0 => String::new(),
            share => format!(", and at most {} of them {saturated} (layer {})", percent(share), fullest + 1),
        };
        format!(
            "No layer is dead: at epoch {} the units of every hidden layer answer differently to different samples (least in \
             layer {}, by {}){ends}.{note}",
            last.epoch,
            faintest + 1,
            shown(least.spread)
        )
    }
}

/// Whether net inputs have grown for the most part by what the layer receives, and not by its weights.
fn receives_more(first: &LayerDiagnosis, found: &LayerDiagnosis) -> bool {
    found.net_input_rms * first.weight_norm > RECEIVES_MORE * first.net_input_rms * found.weight_norm
}

/// `nothing has been learned: 0 % of the test samples are answered rightly, and 11.7 % by one and the same answer to all`.
fn no_better((reached, constant): (f64, f64)) -> String {
    let what = if reached > constant { "chance alone may have done so much" } else { "nothing has been learned" };
    format!(
        "{what}: {} of the test samples are answered rightly, and {} by one and the same answer to all",
        percent(reached),
        percent(constant)
    )
}

/// ` Note that max_norm = 0.01 holds the weights down. Try a larger max_norm.`
fn charged(suspects: &[Suspect]) -> String {
    let charges: Vec<&str> = suspects.iter().map(|suspect| suspect.charge.as_str()).collect();
    let remedies: Vec<&str> = suspects.iter().map(|suspect| suspect.remedy.as_str()).collect();
    format!(" Note that {}. Try {}.", charges.join("; "), remedies.join(", or "))
}

fn capitalised(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}

/// A share of units where it was found first, or what is left of it at the end.
fn at_least(found: f64, last: f64) -> String {
    if last < found { format!("at least {}", percent(last)) } else { percent(found) }
}

/// A fraction in per cent, never rounded to 0 or 100.
fn percent(fraction: f64) -> String {
    let percent = 100.0 * fraction;
    match percent {
        _ if percent == percent.round() => format!("{percent:.0} %"),
        _ if percent > 99.9 => "more than 99.9 %".to_owned(),
        _ if percent < 0.1 => "less than 0.1 %".to_owned(),
        _ => format!("{percent:.1} %"),
    }
}

/// A number with two or three digits that matter.
pub(super) fn shown(number: f64) -> String {
    match number {
        _ if number == 0.0 => "0".to_owned(),
        _ if (0.001..10_000.0).contains(&number) => {
            let decimals = (1.0 - number.log10().floor()).max(0.0) as usize;
            format!("{number:.decimals$}")
        }
        _ => format!("{number:.1e}"),
    }
}
