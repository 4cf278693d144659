//! What the crate `paper` leaves to whoever runs its sweeps.

pub(crate) mod engine;
