//! The promises of a signer, kept by a key in memory of every kind.

use signstar_testkit::conformance::{Counting, check};
use signstar_testkit::key::TestKey;

fn conforms(name: &str) {
    let opened = signstar_software::open(TestKey::named(name).material());
    let Ok(mut opened) = opened else {
        unreachable!("the test key {name} does not open");
    };
    check(opened.signer.as_mut(), name, Counting::Absent);
}

#[test]
fn ed25519_keeps_the_promises_of_a_signer() {
    conforms("ed25519");
}

#[test]
fn p256_keeps_the_promises_of_a_signer() {
    conforms("p256");
}

#[test]
fn p384_keeps_the_promises_of_a_signer() {
    conforms("p384");
}

#[test]
fn p521_keeps_the_promises_of_a_signer() {
    conforms("p521");
}

#[test]
fn rsa2048_keeps_the_promises_of_a_signer() {
    conforms("rsa2048");
}

#[test]
fn rsa3072_keeps_the_promises_of_a_signer() {
    conforms("rsa3072");
}

#[test]
fn rsa4096_keeps_the_promises_of_a_signer() {
    conforms("rsa4096");
}
