//! Thresholds that act, over real connections, files and processes.

mod calls;
mod crash;
mod crossings;
mod order;
mod receiver;
mod routes;
mod server;
mod snippets;
