//! The live page in Debian's Chromium, driven by chromedriver as a person would use it.
//!
//! Without `chromedriver` on the path the tests are skipped, which they say, and fail where `CI=true`.

mod camera;
mod drawing;
mod driver;
mod form;
mod hand;
mod images;
mod keeping;
mod looks;
mod mishaps;
mod refusals;
mod server;
mod stories;
mod sweeps;
mod tabs;
mod training;
mod watching;
