//! An effect, how far it is uncertain, and what that says about a threshold.
//!
//! The interval is effect ± t · standard error, with t of Student's distribution.

use super::basics::{mean, student_quantile, student_share_within, variance_of_mean};

/// An effect with its standard error, over so many seeds.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Effect {
    /// The mean difference.
    pub estimate: f64,
    /// Infinite where one seed says nothing of others; it is then left out of files, which have no such number.
    #[serde(default = "unknown", skip_serializing_if = "is_unknown")]
    pub standard_error: f64,
    /// The seeds that both sides of the comparison have.
    pub n_seeds: usize,
    /// The degrees of freedom of Student's distribution; 0 where there is no interval.
    pub degrees: usize,
}

fn unknown() -> f64 {
    f64::INFINITY
}

fn is_unknown(standard_error: &f64) -> bool {
    standard_error.is_infinite()
}

impl Effect {
    /// The effect of a number that each seed gives as a whole, such as an error over all images: the standard error is
    /// that of a mean.
    pub fn of_seeds(values: &[f64]) -> Self {
        let (n_seeds, estimate) = (values.len(), mean(values));
        let standard_error = if n_seeds < 2 { f64::INFINITY } else { variance_of_mean(values).sqrt() };
        Effect { estimate, standard_error, n_seeds, degrees: n_seeds.saturating_sub(1) }
    }

    /// Both ends of the interval that covers the true effect with the probability `level`.
    pub fn interval(&self, level: f64) -> (f64, f64) {
        let reach = match self.n_seeds {
            0 | 1 => f64::INFINITY,
            _ if self.standard_error > 0.0 => student_quantile(level, self.degrees.max(1)) * self.standard_error,
            _ => 0.0,
        };
        (self.estimate - reach, self.estimate + reach)
    }

    /// At a level where the interval just reaches `threshold`, its distance in standard errors, as a probability: small
    /// where the threshold is far away.
    pub(crate) fn p_value(&self, threshold: f64) -> f64 {
        let distance = (self.estimate - threshold).abs();
        if self.n_seeds < 2 || distance == 0.0 {
            return 1.0;
        }
        if self.standard_error == 0.0 {
            return 0.0;
        }
        1.0 - student_share_within(distance / self.standard_error, self.degrees.max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_effect_of_one_seed_survives_a_file() {
        let effect = Effect::of_seeds(&[0.5]);
        let text = serde_json::to_string(&effect).expect("JSON");
        assert_eq!(text, r#"{"estimate":0.5,"n_seeds":1,"degrees":0}"#);
        assert_eq!(serde_json::from_str::<Effect>(&text).expect("the same"), effect);
        assert_eq!(effect.interval(0.95), (f64::NEG_INFINITY, f64::INFINITY));
    }
}
