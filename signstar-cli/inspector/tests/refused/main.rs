//! Packages with one thing wrong each: what is wrong is found, and told by its number.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by a panic"
)]

mod container;
mod form;
mod own;
#[path = "../support/lib.rs"]
mod support;

use signstar_inspector::{Code, Identity, Order, Verdict, inspect};
use support::{BUILD_INFO, Member, PACKAGE_INFO, archive, gzip, package};

fn judge(artifact: &[u8]) -> Result<Identity, Code> {
    match inspect(&Order::default(), artifact) {
        Verdict::Accepted(identity) => Ok(identity),
        Verdict::Refused { finding, .. } => Err(finding.code),
    }
}

#[track_caller]
fn assert_refused(members: &[Member], code: Code) {
    assert_eq!(judge(&gzip(&archive(members))), Err(code));
}

/// A sound package with these members behind its own files.
fn with(further: &[Member]) -> Vec<Member> {
    package(PACKAGE_INFO, BUILD_INFO, further)
}

fn sound() -> Vec<Member> {
    with(&[
        Member::folder("usr"),
        Member::file("usr/greeting", b"hello"),
        Member::link("usr/salute", "greeting"),
    ])
}

fn support_sum(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    let sum = sha2::Sha256::digest(bytes);
    sum.iter().map(|byte| format!("{byte:02x}")).collect()
}
