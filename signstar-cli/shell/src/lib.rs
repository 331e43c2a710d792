//! The login shell `signstar`, as a library for its binary, its tests and the operators' tools.
//!
//! The straight line is [`run::run`]; everything else in this crate is one of its steps, in this
//! order: [`invocation`], [`config`], [`enclave`] (with [`sink`], [`identity`], [`back_ends`]),
//! [`confined`] (with [`intake`], [`inspection`]).
//!
//! Deliberately absent: options, a parser for anything that the caller sends on standard input, a
//! way to write a file (but append to the open audit file) or to start a program, and any way to
//! run unconfined.

pub mod back_ends;
pub mod config;
pub mod confined;
pub mod enclave;
pub mod identity;
pub mod inspection;
pub mod intake;
pub mod invocation;
pub mod run;
pub mod sessions;
pub mod sink;
pub mod trusted_file;
