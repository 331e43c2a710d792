//! Many at a time on one token, most of them slow.

use std::fs;
use std::io::Write;
use std::time::Duration;

use signstar_core::{Event, Field, Refusal};
use signstar_testkit::token::Software;

use crate::faults::{hostile_world, waits};
use crate::scene::world_with;
use crate::support::sshd::{MATCH, STRICT};
use crate::support::verifiers::Verifier;
use crate::support::{Configuration, Running, Sshd};

const SESSIONS: usize = 64;

/// One of ten sends at once; the others take their time, in parts.
fn upload(running: &mut Running, artifact: &[u8], slow: bool) {
    let mut stdin = running.stdin.take().unwrap();
    if !slow {
        return stdin.write_all(artifact).unwrap();
    }
    for part in artifact.chunks(artifact.len() / 8) {
        stdin.write_all(part).unwrap();
        std::thread::sleep(Duration::from_millis(250));
    }
}

#[test]
fn sixty_four_sessions_at_once_with_slow_uploads_all_complete() {
    for software in [Software::SoftHsm, Software::Kryoptic] {
        let configuration = Configuration::new().user("sessions-max = 64");
        let world = world_with(software, "ed25519", configuration);
        let artifacts: Vec<Vec<u8>> = (0..SESSIONS)
            .map(|index| vec![index as u8 + 1; 4096])
            .collect();
        let sshd = Sshd::start(&world, STRICT, MATCH);
        let client = sshd.client();
        let session = || client.start(&mut client.ssh(&["signer"]));
        let mut all: Vec<Running> = artifacts.iter().map(|_| session()).collect();
        std::thread::scope(|scope| {
            for (index, (running, artifact)) in all.iter_mut().zip(&artifacts).enumerate() {
                scope.spawn(move || upload(running, artifact, index % 10 != 0));
            }
        });
        let mut complete = 0;
        for (running, artifact) in all.into_iter().zip(&artifacts) {
            let signature = running.outcome().success();
            let path = world.path("/tmp/artifact");
            fs::write(&path, artifact).unwrap();
            assert_eq!(Verifier::Rsop.takes(&world.key, &signature, &path), Ok(()));
            complete += 1;
        }
        assert_eq!(complete, SESSIONS);
        let released = world.audit();
        let released = released
            .iter()
            .filter(|record| record.event == Event::Release);
        assert_eq!(released.count(), SESSIONS);
        println!("{software:?}: {complete} of {SESSIONS} sessions complete");
    }
}

/// A token that takes one process at a time, while that one's upload lasts.
#[test]
fn who_comes_while_the_token_takes_no_more_sessions_is_told_that_it_is_busy() {
    let (world, configuration) = hostile_world();
    world.configure(&configuration("one-at-a-time").user("sessions-max = 64"));
    let mut first = world.shell().start();
    first
        .stdin
        .as_mut()
        .unwrap()
        .write_all(b"the first")
        .unwrap();
    crate::support::until("the first one has the token", || waits(first.id()));
    let others: Vec<Running> = (1..16).map(|_| world.shell().start()).collect();
    for other in others {
        let outcome = other.outcome();
        assert_eq!(
            (outcome.stdout.len(), outcome.code()),
            (0, 75),
            "{outcome:?}"
        );
    }
    first.send(b" one");
    assert!(!first.outcome().success().is_empty());
    let records = world.audit();
    let with = |code: Option<&str>| {
        let same = records
            .iter()
            .filter(|record| record.get(Field::Code) == code);
        same.count()
    };
    // Intent and release of the first one have no code.
    assert_eq!((with(Some(Refusal::Busy.code())), with(None)), (15, 2));
    // The token is free again.
    assert!(!world.shell().run(b"later").success().is_empty());
}
