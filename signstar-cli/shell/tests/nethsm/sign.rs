//! Every kind of key signs through sshd, and verifiers take it.

use std::fs;

use signstar_core::{Event, Field};
use signstar_testkit::nethsm::{KINDS, PASSPHRASE};

use crate::scene::Scene;
use crate::support::sshd::{MATCH, STRICT};
use crate::support::verifiers::{all_take, ran};
use crate::support::Sshd;

#[test]
fn keys_of_every_kind_sign_through_sshd() {
    for (kind, ..) in KINDS {
        let scene = Scene::with(kind);
        let before = scene.uses()[0];
        let sshd = Sshd::start(&scene.world, STRICT, MATCH);
        let client = sshd.client();
        let artifact = client.path("artifact");
        let bytes: Vec<u8> = (0..100_000_u32).flat_map(u32::to_le_bytes).collect();
        fs::write(&artifact, &bytes).unwrap();
        let signature = client.sign(&bytes).success();
        all_take(&scene.world.key, &signature, &artifact);
        let records = scene.world.audit();
        assert_eq!(scene.events(), [Event::Intent, Event::Release], "{kind}");
        for record in &records {
            assert_eq!(record.get(Field::BackEnd), Some("nethsm"));
            assert!(!record.to_line().contains(PASSPHRASE));
        }
        let count = (before + 1).to_string();
        assert_eq!(scene.uses(), [before + 1]);
        assert_eq!(records[1].get(Field::Counter), Some(count.as_str()));
        ran("nethsm", kind, "simulator", &scene.world.key);
    }
}

/// The device hangs up, or forgets, meanwhile: the second socket is for that.
#[test]
fn an_upload_that_takes_longer_than_a_connection_lives_is_signed() {
    let scene = Scene::with("ed25519");
    let connections = scene.devices[0].simulator().connections();
    let mut running = scene.world.shell().start();
    let mut stdin = running.stdin.take().unwrap();
    for _ in 0..7 {
        std::io::Write::write_all(&mut stdin, b"slow").unwrap();
        std::thread::sleep(std::time::Duration::from_secs(1));
    }
    drop(stdin);
    running.outcome().success();
    let after = scene.devices[0].simulator().connections();
    assert_eq!(after, connections + 2, "before lock-down, and after it");
}
