//! The promises of a signer, kept by keys of every kind on both tokens, through the real worker.

use signstar_testkit::conformance::{Counting, check};
use signstar_testkit::token::{KINDS, Software, Token};

use crate::{composite, worker};

fn every_kind_conforms(software: Software) {
    for (kind, _) in KINDS {
        let token = Token::with(software, kind);
        let mut signer = worker(&token).signer();
        check(&mut signer, kind, Counting::Absent);
        println!("{software:?} {kind}: conforms");
    }
}

#[test]
fn keys_of_every_kind_on_softhsm_keep_the_promises_of_a_signer() {
    every_kind_conforms(Software::SoftHsm);
}

#[test]
fn keys_of_every_kind_on_kryoptic_keep_the_promises_of_a_signer() {
    every_kind_conforms(Software::Kryoptic);
}

/// ML-DSA-65 beside Ed25519 on one token, which SoftHSM 2.6 cannot have.
#[test]
fn a_composite_key_on_kryoptic_keeps_the_promises_of_a_signer() {
    let token = Token::composite();
    let mut signer = composite(&token).signer();
    check(&mut signer, "mldsa65-ed25519", Counting::Absent);
    println!("Kryoptic mldsa65-ed25519: conforms");
}
