//! The crate as its users see it.

mod files;
mod locks;
