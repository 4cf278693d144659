//! The eight claims of the paper, one file each.

mod bias;
mod blur;
mod codes;
mod depth;
mod l2;
mod learning_rate;
mod loss;
mod samples;
mod wording;

use std::collections::BTreeSet;

use crate::claim::Claim;
use crate::findings::Findings;

/// The eight claims, in the order of their numbers.
pub const CLAIMS: [&dyn Claim; 8] = [
    &depth::Depth,
    &learning_rate::LearningRate,
    &loss::Loss,
    &l2::L2,
    &blur::Blur,
    &samples::Samples,
    &codes::Codes,
    &bias::Bias,
];

/// The hidden layers of the paper's network.
const SEVEN: [usize; 7] = [512, 256, 128, 64, 32, 16, 8];
/// The first three of them.
const THREE: [usize; 3] = [512, 256, 128];

/// `512-256-128`.
fn hidden_name(hidden: &[usize]) -> String {
    hidden.iter().map(usize::to_string).collect::<Vec<_>>().join("-")
}

/// The claims that findings are about.
pub fn claims(findings: &Findings) -> Vec<&'static dyn Claim> {
    let numbers: BTreeSet<u8> = findings.statements.iter().map(|statement| statement.claim).collect();
    CLAIMS.into_iter().filter(|claim| numbers.contains(&claim.number())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::comparison::ComparisonSetup;
    use crate::studies::STUDIES;

    #[test]
    fn claims_are_numbered_from_one() {
        assert!(CLAIMS.iter().map(|claim| usize::from(claim.number())).eq(1..=CLAIMS.len()));
    }

    #[test]
    fn every_claim_has_a_study_in_the_paper_s_setup_and_a_repaired_one() {
        for claim in CLAIMS {
            let has = |setup: ComparisonSetup| claim.studies().iter().any(|study| study.setup == setup);
            assert!(has(ComparisonSetup::Repaired), "{}", claim.title());
            // Robustness is compared among networks that work, which those of the paper's setup do not.
            let says_why_not = claim.undecided_because() == "no net works";
            assert!(has(ComparisonSetup::Replica) != says_why_not, "{}", claim.title());
        }
    }

    #[test]
    fn every_study_belongs_to_a_claim_and_to_the_setup_that_its_weights_say() {
        for study in STUDIES {
            let is_of = |claim: &&&dyn Claim| claim.studies().iter().any(|own| own.name == study.name);
            assert!(CLAIMS.iter().any(|claim| is_of(&claim)), "{}", study.name);
            // The ladder begins with the paper's network and leads away from it.
            let is_replica = study.text.contains("uniform-0-1") && study.name != "ladder";
            assert_eq!(study.setup == ComparisonSetup::Replica, is_replica, "{}", study.name);
        }
    }
}
