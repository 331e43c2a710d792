//! Every kind of key on both tokens signs through sshd, and verifiers take it.

use std::fs;

use signstar_core::{Event, Field};
use signstar_testkit::token::{Software, Token, KINDS, PIN};

use crate::scene::{
    certificate, composite_world, install, table, world, MODULE_CONFIGURATION, PIN_FILE, TOKENS,
};
use crate::support::sshd::{MATCH, STRICT};
use crate::support::verifiers::{all_take, library_takes, ran};
use crate::support::world::SIGNERS;
use crate::support::{Configuration, Sshd, World};

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
        ran("pkcs11", kind, software.name(), &world.key);
    }
}

/// Limits of the login shell's own files do not reach the worker, whose token counts PINs.
#[test]
fn a_token_that_may_be_written_counts_wrong_pins_and_signs() {
    let token = Token::with(Software::Kryoptic, "p256");
    let place = format!("read = [\"{MODULE_CONFIGURATION}\", \"{TOKENS}\"]");
    let granted = format!("read = [\"{MODULE_CONFIGURATION}\"]\nwrite = [\"{TOKENS}\"]");
    let table = table(Software::Kryoptic).replace(&place, &granted);
    // With a sink that is no file, the shell may write none at all.
    let configuration = Configuration::new().audit("sink = \"stderr\"");
    let world = World::with(
        &configuration.back_end("pkcs11", &table),
        certificate(&token),
    );
    install(&world, &token);
    world.write(PIN_FILE, "4711-wrong", (0, SIGNERS), 0o440);
    for _ in 0..12 {
        assert_eq!(world.shell().run(b"artifact").code(), 78);
    }
    world.write(PIN_FILE, PIN, (0, SIGNERS), 0o440);
    let outcome = world.shell().run(b"artifact");
    assert_eq!(outcome.code(), 78, "{}", outcome.stderr);
    assert!(
        outcome.stderr.contains("one%20try%20is%20left"),
        "{}",
        outcome.stderr
    );
    install(&world, &token);
    let outcome = world.shell().run(b"artifact");
    assert_eq!(outcome.code(), 0, "{}", outcome.stderr);
}

#[test]
fn keys_of_every_kind_on_softhsm_sign_through_sshd() {
    signs_with_every_kind(Software::SoftHsm);
}

#[test]
fn keys_of_every_kind_on_kryoptic_sign_through_sshd() {
    signs_with_every_kind(Software::Kryoptic);
}

/// The verifiers that are programs know no such key, so the library is the judge.
#[test]
fn a_composite_key_on_kryoptic_signs_through_sshd() {
    let world = composite_world();
    let sshd = Sshd::start(&world, STRICT, MATCH);
    let client = sshd.client();
    let artifact = client.path("artifact");
    let bytes: Vec<u8> = (0..100_000_u32).flat_map(u32::to_le_bytes).collect();
    fs::write(&artifact, &bytes).unwrap();
    let signature = client.sign(&bytes).success();
    assert!(
        (3373..=4096).contains(&signature.len()),
        "{}",
        signature.len()
    );
    assert!(library_takes(&world.key, &signature, &artifact));
    fs::write(&artifact, &bytes[1..]).unwrap();
    assert!(!library_takes(&world.key, &signature, &artifact));
    let records = world.audit();
    let events: Vec<Event> = records.iter().map(|record| record.event).collect();
    assert_eq!(events, [Event::Intent, Event::Release]);
    for record in records {
        assert_eq!(record.get(Field::BackEnd), Some("pkcs11"));
        assert!(!record.to_line().contains(PIN));
    }
    ran("pkcs11", "mldsa65-ed25519", "kryoptic", &world.key);
}
