//! The live page of the laboratory, served on this machine alone.
//!
//! [`mlp_live`] has what the screens show; here are the page itself (HTML, style and scripts, all in the program) and the
//! transport: HTTP, with server-sent events for what changes.
//!
//! ```no_run
//! use std::sync::Arc;
//! use std::sync::atomic::AtomicBool;
//!
//! use mlp_live::{Draw, Folders, Playground, PlaygroundOptions, Watch};
//! use mlp_serve::{Server, Site, Token};
//!
//! let watch = Arc::new(Watch::new(Folders::new(["runs"])?));
//! let draw = Draw::new(Arc::clone(&watch), Vec::new(), 2, |_| false);
//! let playground = Playground::new(Vec::new(), PlaygroundOptions::default());
//! let server = Server::bind(0, Token::random()?, Site::new(draw, playground, watch))?;
//! println!("{}", server.url());
//! server.run(&AtomicBool::new(false))?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Who is let in
//!
//! Every page that is open in a browser can send requests to a server on the same machine, and so can other users of the
//! machine. So the server binds to 127.0.0.1 only, and answers only requests whose path begins with the [`Token`], whose
//! `Host` is this machine and whose `Origin`, where there is one, is the page itself. Nothing is shared with other origins (no
//! CORS); the page may load nothing from elsewhere and run no script but its own (content security policy). Bodies, heads,
//! connections, streams and times are bounded, and what is computed is computed apart from the connections, so that a slow client
//! holds up nobody else. Only files in the folders that were named are read.

#![warn(clippy::print_stdout, clippy::print_stderr, clippy::exit)]

mod assets;
mod events;
mod guard;
mod limits;
mod patient;
mod reply;
mod routes;
mod server;
mod site;
mod token;

pub use server::Server;
pub use site::Site;
pub use token::Token;

/// Its program is compiled with the documentation's.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
