//! What is published in `docs/`.

mod published;
