//! A hostile PKCS#11 module of the tests' own: SoftHSM with attacks in it, `hostile/module.c`.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::token::run;

/// The module, built into `folder`, which must be one that only root can change.
pub fn module(folder: &Path) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("hostile/module.c");
    let library = folder.join("hostile.so");
    run(Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-o"])
        .arg(&library)
        .arg(source)
        .args(["-ldl", "-lpthread"]));
    library
}

/// What it tries with `ATTACK=try`, in order, while it initialises and while it signs.
pub const ATTEMPTS: [&str; 18] = [
    "read-file",
    "list-folder",
    "make-file",
    "inet-socket",
    "unix-socket",
    "netlink-socket",
    "fork",
    "exec",
    "memfd",
    "parent-memory-file",
    "parent-memory-call",
    "parent-signal",
    "parent-trace",
    "personality",
    "set-limit",
    "executable-memory",
    "make-executable",
    "thread",
];

/// What a module may do while it initialises: map libraries, start threads.
pub const ALLOWED_AT_FIRST: [&str; 3] = ["executable-memory", "make-executable", "thread"];
