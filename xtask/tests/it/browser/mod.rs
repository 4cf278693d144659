//! The live page in Debian's Chromium, driven by chromedriver as a person would use it.
//!
//! Without `chromedriver` on the path the tests are skipped, which they say, and fail where `CI=true`.

mod drawing;
mod driver;
mod hand;
mod looks;
mod server;
mod sweeps;
mod training;
