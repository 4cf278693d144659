//! Lists that are cut with a note.

use mlp_results::text;

/// How many warnings, diverged and failed trials are listed.
const N_LISTED: usize = 30;

/// The first items of a list, and how many more there are.
pub(super) struct Listing<T> {
    pub(super) shown: Vec<T>,
    pub(super) n_more: Option<String>,
}

impl<T> Listing<T> {
    pub(super) fn new(items: impl ExactSizeIterator<Item = T>) -> Self {
        let n_more = items.len().saturating_sub(N_LISTED);
        let n_more = (n_more > 0).then(|| text::thousands(n_more as u64));
        Listing { shown: items.take(N_LISTED).collect(), n_more }
    }
}
