//! The server as a stranger meets it: raw bytes over TCP.

mod answers;
mod bounds;
mod burden;
mod client;
mod doors;
mod load;
mod playground;
mod watching;
