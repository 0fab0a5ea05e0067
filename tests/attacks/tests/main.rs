//! The attack matrix, `../matrix.json`: one module a family, a test for every row that a browser can show.

mod hostile_server;
mod leaks;
mod limits;
mod messages;
mod natives;
mod navigation;
mod origin;
mod parts;
mod pkce;
mod renewal;
mod requests;
mod response;
mod sealed;
mod stack;
mod storage;
mod tokens;
mod vault;
