//! Panels, the layout of the matrices on the fast path: a panel is a strip of at most [`PANEL_VECTORS`] vectors of columns
//! (64 in `f32`), stored row after row, so that a product reads memory in order.
//!
//! ```text
//!  W, 5 inputs × 100 units in f32:   the panel of units 0 to 63,   and that of units 64 to 99, 64 columns wide
//!
//!              0 ······ 63   64 · 99                                64 ·········· 99   zeros
//!  input 0   │ a a a a a a │ b b b  │        a a a a a a           b b b b b b b b b  0 0 0
//!        1   │ c c c c c c │ d d d  │        c c c c c c           d d d d d d d d d  0 0 0
//!        ·   │ ·           │ ·      │        ·                     ·
//!        4   │ e e e e e e │ f f f  │        e e e e e e           f f f f f f f f f  0 0 0
//!
//!                                    in memory: a…a c…c ··· e…e   and   b…b 0…0 d…d 0…0 ··· f…f 0…0
//! ```

use crate::real::Real;

/// The most vectors in a row of a panel: 256 bytes, 64 units in `f32`.
pub(crate) const PANEL_VECTORS: usize = 4;

/// The widest panel, in `f32`.
pub(crate) const PANEL_WIDTH_MAX: usize = 64;

/// The columns of the panel that begins with `n_remaining` units left: one, two or four vectors, enough for the units if
/// four are. Columns without a unit hold zeros.
pub(crate) fn panel_width<F: Real>(n_remaining: usize) -> usize {
    n_remaining.div_ceil(F::LANES).clamp(1, PANEL_VECTORS).next_power_of_two() * F::LANES
}

/// # Panics
/// Where panels do not have so many columns.
#[inline(always)]
pub(crate) fn assert_panel_width<F: Real>(width: usize) {
    assert!(matches!(width / F::LANES, 1 | 2 | 4) && width.is_multiple_of(F::LANES), "a panel of {width} columns");
}
