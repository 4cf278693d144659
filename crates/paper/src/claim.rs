//! What a claim of the paper has to say for itself, so that everything else need not know which claims there are.

use std::collections::BTreeSet;

use crate::comparison::Comparison;
use crate::evidence::Evidence;
use crate::figures::Figure;
use crate::findings::Findings;
use crate::row::Row;
use crate::studies::STUDIES;
use crate::study::Study;

/// A claim of the paper: what is run for it, what is compared, and how the outcome is told.
///
/// Thresholds and deciding comparisons are written down before anything is run. What has to be chosen on the way, such as a
/// learning rate for each side, is chosen on validation images.
pub trait Claim: Sync {
    /// Its number in the document.
    fn number(&self) -> u8;

    /// The claim in a few words.
    fn title(&self) -> &'static str;

    /// What the paper says, in short.
    fn paper_says(&self) -> &'static str;

    /// The sweeps that it is judged by. Several claims may share one.
    fn studies(&self) -> Vec<&'static Study>;

    /// What is compared. Comparisons for which there are no trials yet are left out by whoever asks.
    fn comparisons<'a>(&self, rows: &'a [Row]) -> Vec<Comparison<'a>>;

    /// The trials, besides those that are compared, whose answers to blurred images are needed.
    fn blurred<'a>(&self, _rows: &'a [Row]) -> Vec<&'a Row> {
        Vec::new()
    }

    /// Adds what is no comparison of networks, such as slopes and what figures show.
    fn add_findings(&self, _evidence: &Evidence<'_>, _findings: &mut Findings) {}

    /// What the summary says where a setup has no deciding comparison.
    fn undecided_because(&self) -> &'static str {
        "not run"
    }

    /// What was run, in words.
    fn setup(&self, findings: &Findings) -> String;

    /// Why it came out as it did, as far as the theory goes, for a reader who knows what back-propagation is.
    fn why(&self, findings: &Findings) -> String;

    /// Its figures; those without numbers are left out by whoever asks.
    fn figures(&self, _findings: &Findings) -> Vec<Figure> {
        Vec::new()
    }
}

/// The studies that any of `claims` is judged by, each once, in the order in which they are run.
pub fn studies_of(claims: &[&dyn Claim]) -> Vec<&'static Study> {
    let names: BTreeSet<&str> = claims.iter().flat_map(|claim| claim.studies()).map(|study| study.name).collect();
    STUDIES.into_iter().filter(|study| names.contains(study.name)).collect()
}
