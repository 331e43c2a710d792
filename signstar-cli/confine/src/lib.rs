//! What a process of Signstar may still do: limits, Landlock, and a system call table as data.
//!
//! A process that uses a signing key reads bytes of strangers. This crate takes away, before the
//! first of those bytes is read, everything that the process does not need to answer them. It is a
//! crate of its own so that the login shell and its helpers are confined by the same code, and so
//! that the tables can be read, swept and interpreted by tests without a key or a device.
//!
//! The order is the caller's, and it is this one:
//!
//! 1. [`harden`] and [`arm_deadline`], first thing in `main`, while there is one thread;
//! 2. the caller opens what it needs, calls [`limit_file_size`], [`limit_memory`], [`lock_memory`];
//! 3. [`restrict_files_and_network`]: nothing can be opened any more (Landlock);
//! 4. [`load_filter`]: no system call but those in the table, and a violation kills (seccomp);
//! 5. only then the first byte of input.
//!
//! Every function either did what it says or returns an error, and where the kernel can be asked
//! whether a restriction is in force, it is asked. None of them can be undone.
//!
//! Deliberately absent: any way to skip a step or to loosen it from outside (no option, no
//! variable, no configuration), path rules (nothing is opened after lock-down), an errno action
//! (our own code has no harmless violations), and `unsafe`.

mod deadline;
mod descriptors;
mod error;
mod filter;
mod harden;
mod inspector;
mod limits;
mod memory;
mod rule;
mod ruleset;
#[cfg(feature = "selftest")]
pub mod selftest;
mod shell;
mod status;
mod syscalls;

pub use deadline::arm_deadline;
pub use error::ConfineError;
pub use filter::{Instruction, load_filter, program};
pub use harden::harden;
pub use inspector::{inspector_rules, inspector_rules_for};
pub use limits::{Limits, limit_file_size, limit_memory, limit_processor_time};
pub use memory::lock_memory;
pub use rule::{Condition, Rule, rule};
pub use ruleset::{Restriction, restrict_files_and_network};
pub use shell::{OpenFds, shell_rules, shell_rules_for};
pub use syscalls::{Arch, Syscall};
