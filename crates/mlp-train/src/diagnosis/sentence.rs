//! A finding in plain words, with its figures and what to try.

use mlp_core::Activation;

use super::finding::NEARLY_ALL;
use super::{Cause, Diagnosis, EpochDiagnosis, Finding, LayerDiagnosis};

impl Diagnosis {
    /// In plain words: the [`finding`](Self::finding) with its figures and what to try, or that no layer is at fault; and
    /// which epochs are missing. Layers are counted from 1 here, as in "layer 1 of 8".
    pub fn sentence(&self) -> String {
        let Some(last) = self.epochs.last() else { return "No epoch has been measured.".to_owned() };
        let mut text = match self.finding() {
            Some(finding) => self.explained(&finding),
            None if self.answers_vary(last) => self.healthy(last),
            None => format!(
                "No layer is dead, but at epoch {} the answers hardly depend on the sample: they vary by {}, the targets by \
                 {}. Try more epochs or a larger learning_rate.",
                last.epoch,
                shown(last.layers[self.layers.len() - 1].spread),
                shown(self.target_spread)
            ),
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

    fn explained(&self, finding: &Finding) -> String {
        let Finding { layer, since, cause, is_fatal } = *finding;
        let (Some(epoch), Some(first)) = (self.epochs.iter().find(|epoch| epoch.epoch == since), self.epochs.first())
        else {
            return String::new();
        };
        let found = &epoch.layers[layer];
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
                "{}: the weights it began with are too large (net inputs of {net_inputs} in the root mean square)",
                self.saturated(found, layer, &when)
            ),
            Cause::GrownWeights => format!(
                "{}: its weights have grown (their norm from {} to {}; net inputs of {net_inputs} in the root mean square)",
                self.saturated(found, layer, &when),
                shown(first.layers[layer].weight_norm),
                shown(found.weight_norm)
            ),
            Cause::SilentUnits => format!(
                "{} of its units give 0 to every sample {when}, and a relu that gives 0 passes no gradient",
                percent(found.dead_units)
            ),
            Cause::FadedSignal => {
                let spreads: Vec<String> = epoch.layers.iter().take(layer).map(|layer| shown(layer.spread)).collect();
                let before = if spreads.is_empty() {
                    String::new()
                } else {
                    format!(", those of the layers before it by {}", spreads.join(", "))
                };
                let shrunk = if found.weight_norm < 0.5 * first.layers[layer].weight_norm {
                    "its weights have shrunk"
                } else {
                    "the weights are too small to pass on what differs"
                };
                format!(
                    "{when} its units give nearly the same answer to every sample (they vary by {}{before}): {shrunk}",
                    shown(found.spread)
                )
            }
            Cause::VanishedGradient => format!(
                "{when} hardly any gradient reaches it (norm {}, in the last layer {})",
                shown(found.gradient_norm),
                epoch.layers.last().map_or_else(String::new, |last| shown(last.gradient_norm))
            ),
        };
        let rest = if is_fatal { "" } else { " The layers after it still learn from what it gives." };
        format!("Layer {} of {}: {body}.{rest} Try {}.", layer + 1, self.layers.len(), self.remedy(finding, epoch))
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

    fn remedy(&self, finding: &Finding, epoch: &EpochDiagnosis) -> &'static str {
        let is_relu = self.activation(finding.layer) == Some(Activation::Relu);
        match finding.cause {
            Cause::PositiveWeights | Cause::LargeWeights if is_relu => "initializer = \"he-uniform\"",
            // A sigmoid's slope of a quarter starves deep stacks at a gain of 1.
            Cause::PositiveWeights | Cause::LargeWeights => "initializer = { name = \"glorot-uniform\", gain = 2 }",
            Cause::GrownWeights => "a smaller learning_rate",
            Cause::SilentUnits if finding.since == 0 => "initializer = \"he-uniform\"",
            Cause::SilentUnits => "a smaller learning_rate, with initializer = \"he-uniform\"",
            Cause::FadedSignal
                if epoch.layers[finding.layer].weight_norm < 0.5 * self.epochs[0].layers[finding.layer].weight_norm =>
            {
                "smaller l1 and l2"
            }
            Cause::FadedSignal | Cause::VanishedGradient if is_relu => "initializer = \"he-uniform\"",
            Cause::FadedSignal | Cause::VanishedGradient => {
                "initializer = { name = \"glorot-uniform\", gain = 4 }, or fewer layers"
            }
        }
    }

    fn healthy(&self, last: &EpochDiagnosis) -> String {
        let (hidden, _) = last.layers.split_at(self.layers.len() - 1);
        let least = hidden.iter().enumerate().min_by(|a, b| a.1.spread.total_cmp(&b.1.spread));
        let most = hidden.iter().enumerate().max_by(|a, b| a.1.saturated.total_cmp(&b.1.saturated));
        let (Some((faintest, least)), Some((fullest, most))) = (least, most) else {
            return format!("No layer is dead: at epoch {} the answers vary from sample to sample.", last.epoch);
        };
        let saturated = match self.activation(fullest) {
            Some(Activation::Relu) => "give 0",
            _ => "are saturated",
        };
        format!(
            "No layer is dead: at epoch {} the units of every hidden layer answer differently to different samples (least in \
             layer {}, by {}), and at most {} of them {saturated} (layer {}).",
            last.epoch,
            faintest + 1,
            shown(least.spread),
            percent(most.saturated),
            fullest + 1
        )
    }
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
fn shown(number: f64) -> String {
    match number {
        _ if number == 0.0 => "0".to_owned(),
        _ if (0.001..10_000.0).contains(&number) => {
            let decimals = (1.0 - number.log10().floor()).max(0.0) as usize;
            format!("{number:.decimals$}")
        }
        _ => format!("{number:.1e}"),
    }
}
