//! The server over real sockets, with a small honest engine.

mod engine;
mod talk;

mod events;
mod inference;
mod leads;
mod limits;
mod openapi;
mod overload;
mod raw;
mod score;
mod stopping;
mod tls;
mod tokens;
