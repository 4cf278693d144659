//! The paper's claims, judged.
//!
//! A paper builds a multilayer perceptron, trains it to answer MNIST's digits with the six bits of their ASCII codes, and draws
//! eight conclusions from a few runs. Here each of them is a [`Claim`]: comparisons of networks that could turn out either way,
//! the sweeps that they need ([`Study`]), and the text and the figures of the document that tells the outcome. Each is tested
//! twice, in the paper's [`ComparisonSetup`] and in one in which a network can learn.
//!
//! [`PlannedSweep`] runs what a [`StudySweep`] asks for, and hands its records over as [`Row`]s; [`find`] looks at the saved networks, image by image, and returns the [`Findings`]; from
//! them alone [`document`] writes the document.
//!
//! ```
//! for claim in paper::CLAIMS {
//!     println!("{}  {}", claim.number(), claim.title());
//!     for study in claim.studies() {
//!         let sweeps: Vec<String> = study.sweeps(false).into_iter().map(|sweep| sweep.name).collect();
//!         println!("   {}: {}", study.title(), sweeps.join(", "));
//!     }
//! }
//! ```
//!
//! # How a verdict comes about
//!
//! A comparison says: the left side is better than the right one by more than a threshold. Thresholds ([`thresholds`]), and which
//! comparison decides a claim, are written down before anything is run; a learning rate or a γ that has to be chosen on the way
//! is chosen on validation images, never on test images.
//!
//! 1. *Effect.* Both sides have the same seeds and answer the same test images, so their scores are paired. The effect is the mean
//!    difference; its standard error comes from a bootstrap that draws seeds and images together ([`statistics::Paired`]; Owen
//!    2007). Measures that have one number for each network ([`Measure::Error`], [`Measure::Retention`], [`Measure::Slope`]) have
//!    seeds to draw only ([`statistics::Effect::of_seeds`], [`slope`](fn@slope)).
//! 2. *Interval.* Effect ± t · standard error, with t of Student's distribution and Satterthwaite's degrees of freedom (1946): few
//!    where seeds scatter, many where images do.
//! 3. *Family.* The comparisons that decide a claim are one family, all others another. Holm's correction (1979) widens the
//!    intervals of a family so that with the probability 1 − [`thresholds::ERROR_RATE`] none of its verdicts is wrong by chance; a
//!    family counts at least as many members as the full run has, so that nothing is judged more easily for being asked alone.
//! 4. *Verdict.* Confirmed: the whole interval lies above the threshold. Refuted: it lies below. Undecided: the threshold lies
//!    inside. Says nothing: every network that is compared gives one answer to all images.
//!
//! # Where to find what
//!
//! | to see | open |
//! |---|---|
//! | a claim: what is compared, what is said | `src/claims/`, one file each |
//! | what is run | `src/studies.rs`, and the configurations in `presets/` |
//! | what a claim must say | [`Claim`] in `src/claim.rs` |
//! | how a verdict comes about | `src/statistics/`; the slope of claim 4 in `src/slope.rs` |
//! | from records to findings | `src/judge.rs`, `src/evidence.rs`, `src/answers.rs` |
//! | how it is told | `src/document/`, `src/figures/` |
//!
//! # Sources
//!
//! - A. B. Owen, "The pigeonhole bootstrap", Annals of Applied Statistics 1:386 (2007).
//! - F. E. Satterthwaite, "An approximate distribution of estimates of variance components", Biometrics Bulletin 2:110 (1946).
//! - S. Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6:65 (1979).
//! - E. B. Wilson, "Probable inference, the law of succession, and statistical inference", Journal of the American Statistical
//!   Association 22:209 (1927), for the share of seeds that trained.

#![warn(clippy::print_stdout, clippy::print_stderr, clippy::exit)]

mod amounts;
mod answers;
mod blur;
mod claim;
mod claims;
mod comparison;
pub mod document;
mod engine;
mod error;
mod evidence;
mod figures;
mod findings;
mod judge;
mod row;
mod selection;
mod slope;
pub mod statistics;
mod studies;
mod study;
pub mod thresholds;

pub use answers::Answers;
pub use claim::{Claim, studies_of};
pub use claims::CLAIMS;
pub use comparison::{Comparison, ComparisonSetup, Measure, Side};
pub use engine::{CheckedSweep, Completion, PlannedSweep};
pub use error::{Error, ErrorKind, Result};
pub use evidence::Evidence;
pub use figures::Figure;
pub use findings::{ConstantAnswer, Findings, Robustness, SideSummary, Statement};
pub use judge::{JudgeEvent, Models, TestImages, Trials, find};
pub use row::Row;
pub use selection::Selection;
pub use slope::{BestDecay, Slope, slope};
pub use studies::STUDIES;
pub use study::{Study, StudySweep};

/// Compiles the code of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadmeExamples;
