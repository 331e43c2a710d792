//! `audit list` and `audit check`: what the records of an enclave say, and whether they can be all.
//!
//! Records are read one after the other; of a request whose outcome is known only a few bytes are
//! kept, so that a log of millions is read in bounded memory.
//!
//! Deliberately absent: any change of a log, and reading the journal's own files, which journalctl
//! does.

pub(crate) mod check;
mod entry;
mod filter;
pub(crate) mod list;
mod source;
pub(crate) mod words;

pub(crate) use filter::since;
pub(crate) use source::{chosen, read};
