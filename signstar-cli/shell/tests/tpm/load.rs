//! Many sessions at one TPM. Each account has a device of its own, as each process that opens
//! /dev/tpmrm0 has a way of its own to the one TPM.

use std::fs;
use std::io::Write;

use signstar_core::KeyKind;
use signstar_core::{Event, Field, Refusal};
use signstar_testkit::tpm::{Answer, Device};

use crate::scene::{Scene, INPUT};
use crate::support::shell::{user_auth, CLIENT_KEY};
use crate::support::sshd::{MATCH, STRICT};
use crate::support::traces::processes;
use crate::support::verifiers::{library_takes, Verifier};
use crate::support::world::{give, Account, SIGNERS};
use crate::support::{until, Sshd, World};

const SESSIONS: u32 = 64;
/// How many of them upload slowly.
const SLOW: usize = 58;

/// What a session may have in memory.
const PEAK_KIB_MAX: u64 = 16 << 10;

fn account(number: u32) -> Account {
    Account {
        name: Box::leak(format!("loader{number}").into_boxed_str()),
        id: 7000 + number,
        group: SIGNERS,
        shell: "/usr/bin/signstar",
    }
}

/// Accounts with what a session needs, and one device each.
fn prepare(scene: &Scene) -> Vec<(Account, Device)> {
    let world = &scene.world;
    let path = world.path("/etc/signstar/signstar.toml");
    let mut text = fs::read_to_string(&path).unwrap();
    let device = scene.device.path().display().to_string();
    let (_, section) = text.split_once("[key.packages]").unwrap();
    let section = section.to_owned();
    let mut passwd = fs::read_to_string(world.path("/etc/passwd")).unwrap();
    let mut prepared = Vec::new();
    for number in 0..SESSIONS {
        let (account, own) = (account(number), scene.tpm.device());
        give(own.path(), (0, SIGNERS), 0o660);
        let name = account.name;
        passwd += &format!(
            "{name}:x:{}:{SIGNERS}::/home:/usr/bin/signstar\n",
            account.id
        );
        let section = section
            .replace("[key.packages.", &format!("[key.{name}."))
            .replace(&device, &own.path().display().to_string());
        text += &format!("\n[user.{name}]\nkey = \"{name}\"\n[key.{name}]{section}");
        let identity = format!("publickey {CLIENT_KEY}\n");
        world.write(&user_auth(account), identity, (account.id, SIGNERS), 0o600);
        let slots = format!("/run/signstar/sessions/{name}");
        world.write(&slots, "", (0, SIGNERS), 0o660);
        prepared.push((account, own));
    }
    fs::write(world.path("/etc/passwd"), passwd).unwrap();
    world.write("/etc/signstar/signstar.toml", text, (0, 0), 0o644);
    prepared
}

/// The most that a process has ever had in memory.
fn peak_kib(world: &World, id: u32) -> u64 {
    let status = fs::read_to_string(world.any_path(&format!("/proc/{id}/status"))).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let digits = line.unwrap().trim().trim_end_matches(" kB");
    digits.parse().unwrap()
}

#[test]
fn sessions_at_one_tpm_all_complete_and_hold_nothing_while_they_wait_for_uploads() {
    let scene = Scene::with(KeyKind::P256);
    let prepared = prepare(&scene);
    let matching = MATCH.replace("User signer", "User signer,loader*");
    let sshd = Sshd::start(&scene.world, STRICT, &matching);
    let client = sshd.client();
    let public = fs::read(client.path("id.pub")).unwrap();
    let (first, rest) = INPUT.split_at(10);
    let mut sessions = Vec::new();
    for (account, _) in &prepared {
        let keys = format!("/etc/ssh/authorized_keys/{}", account.name);
        scene.world.write(&keys, &public, (0, 0), 0o644);
        let mut running = client.start(&mut client.ssh(&["-l", account.name, "signer"]));
        let stdin = running.stdin.as_mut().unwrap();
        stdin.write_all(first).unwrap();
        sessions.push(running);
    }
    until("all sessions have opened their device", || {
        let refused = scene.world.audit_lines();
        assert_eq!(refused, [""; 0], "refused while opening");
        let is_open = |(_, device): &&(Account, Device)| device.exchanges().len() >= 5;
        prepared.iter().filter(is_open).count() == prepared.len()
    });
    assert_eq!(scene.tpm.loaded(), 0, "nothing is held during an upload");
    let shells = processes(&scene.world);
    let shells = shells.iter().filter(|(_, name)| *name == "signstar");
    let peaks: Vec<u64> = shells.map(|(id, _)| peak_kib(&scene.world, *id)).collect();
    assert_eq!(peaks.len(), prepared.len());
    let most = peaks.into_iter().max();
    assert!(most <= Some(PEAK_KIB_MAX), "{most:?} KiB in memory");
    // Those that do not dawdle are not kept waiting by those that do.
    for session in sessions.iter_mut().skip(SLOW) {
        session.send(rest);
    }
    let mut signatures = Vec::new();
    for session in sessions.drain(SLOW..) {
        signatures.push(session.outcome().success());
    }
    for session in &mut sessions {
        session.send(rest);
    }
    for session in sessions {
        signatures.push(session.outcome().success());
    }
    let folder = tempfile::tempdir().unwrap();
    let artifact = folder.path().join("artifact");
    fs::write(&artifact, INPUT).unwrap();
    for signature in &signatures {
        assert!(library_takes(&scene.world.key, signature, &artifact));
    }
    for verifier in Verifier::ALL {
        let verdict = verifier.takes(&scene.world.key, &signatures[0], &artifact);
        assert_eq!(verdict, Ok(()), "{verifier:?}");
    }
    let records = scene.records();
    let released = |wanted| {
        records
            .iter()
            .filter(|record| record.event == wanted)
            .count()
    };
    let (intents, releases) = (released(Event::Intent), released(Event::Release));
    assert_eq!((signatures.len(), intents, releases), (64, 64, 64));
    assert_eq!(scene.tpm.loaded(), 0, "nothing is left");
}

/// The first session of a device is that of opening it.
#[test]
fn sessions_at_a_tpm_that_has_no_time_are_all_told_that_it_is_busy() {
    const START_SESSION: u32 = 0x176;
    const RETRY: u32 = 0x922;
    let scene = Scene::with(KeyKind::P256);
    let prepared = prepare(&scene);
    for (_, device) in &prepared {
        let mut sessions = 0;
        device.tamper(move |_, command, ask| {
            let code = command
                .get(6..10)
                .map(|code| u32::from_be_bytes(code.try_into().unwrap()));
            sessions += usize::from(code == Some(START_SESSION));
            if sessions < 2 {
                return Answer::Bytes(ask(command));
            }
            Answer::Bytes([&[0x80, 0x01, 0, 0, 0, 10][..], &RETRY.to_be_bytes()].concat())
        });
    }
    let all: Vec<_> = prepared
        .iter()
        .map(|(account, _)| {
            let mut running = scene.world.shell().account(*account).start();
            running.send(INPUT);
            running
        })
        .collect();
    for running in all {
        let outcome = running.outcome();
        assert_eq!(
            (outcome.stdout.len(), outcome.code()),
            (0, 75),
            "{outcome:?} {:#?}",
            scene.world.audit_lines()
        );
    }
    let records = scene.records();
    let busy = |record: &&signstar_core::Record| {
        record.event == Event::Refusal && record.get(Field::Code) == Some(Refusal::Busy.code())
    };
    assert_eq!(records.iter().filter(busy).count(), prepared.len());
    // It has time again, and nothing is left in it.
    assert_eq!(scene.tpm.loaded(), 0);
    let (account, device) = &prepared[0];
    device.mend();
    let outcome = scene.world.shell().account(*account).run(INPUT);
    assert!(!outcome.success().is_empty());
}
