//! The promises of a signer, kept by keys of every kind on both tokens, through the real worker.

use signstar_testkit::conformance::{Counting, check};
use signstar_testkit::token::{KINDS, Software, Token};

use crate::worker;

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
