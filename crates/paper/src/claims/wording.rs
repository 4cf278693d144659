//! Phrases about the trials of a sweep that several claims use.

use mlp_results::text::counted;

use crate::comparison::shown;
use crate::selection::Selection;

/// `10 seeds`.
pub(super) fn seeds(rows: &Selection<'_>) -> String {
    counted(rows.n_seeds(), "seed")
}

/// The values of `key` that were tried: `0.1, 0.3, 1`.
pub(super) fn values(rows: &Selection<'_>, key: &str) -> String {
    rows.values(key).iter().map(shown).collect::<Vec<_>>().join(", ")
}

/// The setup in which a network can learn.
pub(super) fn repaired_setup(rows: &Selection<'_>) -> String {
    let (n_train, epochs, seeds) = (rows.n_train(), rows.first_number("epochs"), seeds(rows));
    format!(
        "{n_train} images, {epochs} epochs, gradient descent in batches of 32 with a rate that falls along a cosine, cross-entropy \
         summed over the bits, Glorot's uniform weights times 4, single precision, {seeds}"
    )
}
