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
//! 2. the caller opens what it needs, calls [`allow_file_size`], [`limit_memory`],
//!    [`lock_memory`], and at the end [`limit_file_size`];
//! 3. [`restrict_files_and_network`]: nothing can be opened any more (Landlock);
//! 4. [`load_filter`]: no system call but those in the table, and a violation kills (seccomp);
//! 5. only then the first byte of input.
//!
//! Every function either did what it says or returns an error, and where the kernel can be asked
//! whether a restriction is in force, it is asked. None of them can be undone.
//!
//! A process with a vendor's code in it is confined otherwise, since that code opens files and probes:
//! [`harden_helper`], [`restrict_files_to`] what is granted, and [`load_refusing_filter`] twice, by
//! tables whose violations are errors ([`worker_rules`]). The login shell starts it by
//! [`start_helper`].
//!
//! Deliberately absent: any way to skip a step or to loosen it from outside (no option, no variable,
//! no configuration but the paths that a module is granted), path rules and an errno action for our
//! own code (it opens nothing after lock-down and has no harmless violations), and `unsafe`.

mod deadline;
mod descriptors;
mod error;
mod filter;
mod folders;
mod harden;
mod helper;
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
mod worker;
mod worker_files;

pub use deadline::arm_deadline;
pub use descriptors::require_streams;
pub use error::ConfineError;
pub use filter::{Instruction, load_filter, load_refusing_filter, program, refusing_program};
pub use folders::changeable_folder;
pub use harden::{harden, harden_helper};
pub use helper::{Helper, PipedHelper, die_with_parent, start_helper, start_piped_helper};
pub use inspector::{inspector_rules, inspector_rules_for};
pub use limits::{Limits, allow_file_size, limit_file_size, limit_memory, limit_processor};
pub use memory::{lock_memory, lock_present_memory};
pub use rule::{Condition, Rule, rule};
pub use ruleset::{Restriction, restrict_files_and_network};
pub use shell::{OpenFds, inspection_rules, inspection_rules_for, shell_rules, shell_rules_for};
pub use syscalls::{Arch, Syscall};
pub use worker::{Stage, load_worker_filter, worker_rules, worker_rules_for};
pub use worker_files::{Grants, restrict_files_to};
