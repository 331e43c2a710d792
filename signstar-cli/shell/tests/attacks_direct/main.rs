//! Ways of starting the login shell that sshd would not use: argv, environment, what SSH_USER_AUTH
//! and SSH_CONNECTION say.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "this is a test"
)]

mod argv;
mod caller;
mod environment;
#[path = "../support/lib.rs"]
#[allow(unused_imports, reason = "each test program uses a part of it")]
mod support;
