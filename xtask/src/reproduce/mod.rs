//! The paper's claims, judged: which sweeps are run, what they are compared by, what follows, and how it is told.
//!
//! Reading order: [`claims`] (what is compared), [`studies`] (what is run), [`evidence`] and [`answers`] (what came out),
//! [`statistics`] and [`slopes`] (what follows), [`document`] and [`drawings`] (how it is told).

pub(crate) mod answers;
pub(crate) mod claims;
pub(crate) mod document;
pub(crate) mod drawings;
pub(crate) mod evidence;
pub(crate) mod explanations;
pub(crate) mod findings;
pub(crate) mod slopes;
pub(crate) mod statistics;
pub(crate) mod studies;
