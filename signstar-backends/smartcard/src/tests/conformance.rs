//! The promises of a signer, kept by the virtual card with a key of each kind.

use signstar_testkit::conformance::{Counting, check};

use super::card::{holding, signer};

fn conforms(name: &str) {
    let card = holding(name);
    let (mut signer, tap) = signer(&card);
    check(&mut signer, name, Counting::EverySignature);
    let tap = tap.lock().unwrap();
    let made = tap.commands.iter().filter(|command| command[1] == 0x2a);
    assert_eq!(tap.pins(), made.count(), "one PIN for each signature");
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
