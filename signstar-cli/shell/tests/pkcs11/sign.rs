//! Every kind of key on both tokens signs through sshd, and verifiers take it.

use std::fs;

use signstar_core::{Event, Field};
use signstar_testkit::token::{Software, KINDS, PIN};

use crate::scene::world;
use crate::support::sshd::{MATCH, STRICT};
use crate::support::verifiers::all_take;
use crate::support::Sshd;

/// Signs with a key of each kind through sshd.
fn signs_with_every_kind(software: Software) {
    for (kind, _) in KINDS {
        let world = world(software, kind);
        let sshd = Sshd::start(&world, STRICT, MATCH);
        let client = sshd.client();
        let artifact = client.path("artifact");
        let bytes: Vec<u8> = (0..100_000_u32).flat_map(u32::to_le_bytes).collect();
        fs::write(&artifact, &bytes).unwrap();
        let signature = client.sign(&bytes).success();
        all_take(&world.key, &signature, &artifact);
        let records = world.audit();
        let events: Vec<Event> = records.iter().map(|record| record.event).collect();
        assert_eq!(events, [Event::Intent, Event::Release], "{kind}");
        for record in records {
            assert_eq!(record.get(Field::BackEnd), Some("pkcs11"));
            assert!(!record.to_line().contains(PIN));
        }
        println!("{software:?} {kind}: signed through sshd, taken by every verifier");
    }
}

#[test]
fn keys_of_every_kind_on_softhsm_sign_through_sshd() {
    signs_with_every_kind(Software::SoftHsm);
}

#[test]
fn keys_of_every_kind_on_kryoptic_sign_through_sshd() {
    signs_with_every_kind(Software::Kryoptic);
}
