//! What a live page about multilayer perceptrons shows, without the page: values that any transport can carry.
//!
//! Three screens, each a value to ask and answers that serialise:
//!
//! - [`Draw`]: a picture in; what was done to it, what every layer makes of it, the bits of the answer, the runners-up and
//!   the pixels that speak for it out;
//! - [`Playground`]: networks in training, with commands in and snapshots out;
//! - [`Watch`]: folders of results, read bit by bit while others write them.
//!
//! All that is computed is computed by the libraries that train and read pictures otherwise: nothing is done a second time here.
//! Only files in the [`Folders`] that were named are read.

#![warn(clippy::print_stdout, clippy::print_stderr, clippy::exit)]

mod data;
mod draw;
mod error;
mod folders;
mod models;
mod pixels;
mod playground;
mod quick;
mod reader;
mod watch;

pub use mlp_sweep;

pub use data::DataSource;
pub use draw::{
    BitAnswer, CandidateAnswer, CharacterAnswer, Draw, LayerActivations, PictureAnswer, Question, Reading, Step,
};
pub use error::{Error, ErrorKind, Result};
pub use folders::Folders;
pub use pixels::Pixels;
pub use playground::{
    Choices, Constant, Digit, Doctor, Kept, KeyDescription, Mode, Order, Playground, PlaygroundOptions, Preset,
    Session, Settings, Snapshot,
};
pub use quick::QuickState;
pub use reader::PictureReader;
pub use watch::{
    BestMean, BestTrial, ConfigurationSummary, Ending, InterruptedTrial, RankedModel, Row, RunList, RunSummary,
    RunTable, RunningTrial, Watch,
};

/// Its program is compiled with the documentation's.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
