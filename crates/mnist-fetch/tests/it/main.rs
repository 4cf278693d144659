//! The library in this process: against servers on the loopback that misbehave, from folders, and out of archives. What is
//! about processes (kills, signals, exit codes) is tested with the program, in `xtask/tests`.

mod archives;
mod events;
mod faults;
mod fixture;
mod local;
mod manifests;
mod miniature;
mod network;
mod resumption;
mod retries;
mod server;
