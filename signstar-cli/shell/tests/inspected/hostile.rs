//! Inspectors that misbehave: whatever they do but say one verdict after the end, nothing is signed.
//!
//! They are scripts in the inspector's place, so they are not confined; what they try is the talk with
//! the login shell. What a confined inspector cannot do to the system is shown in its own package.

use std::io::Write;
use std::time::{Duration, Instant};

use signstar_core::{
    ArtifactKind, Field, Identity, InspectionCode, Refusal, Verdict, VERDICT_BYTES,
};

use crate::scene::{refused, world};
use crate::support::built::INSPECTOR;
use crate::support::{until, Running, World};

const INPUT: &[u8] = b"this is no package at all";

/// Where the scripts find a verdict that accepts.
const VERDICT: &str = "/etc/signstar/verdict";

fn accepted(kind: ArtifactKind) -> [u8; VERDICT_BYTES] {
    let identity = Identity {
        kind,
        name: "trusted".to_owned(),
        ..Identity::default()
    };
    Verdict::Accepted(identity).encode().unwrap()
}

/// A machine with this script for an inspector, of which a piece may take a second.
fn misbehaving(script: &str) -> World {
    let world = world("pacman-package", "inspection-seconds = 1");
    install(&world, script);
    world.write(
        VERDICT,
        accepted(ArtifactKind::PacmanPackage),
        (0, 0),
        0o644,
    );
    world
}

fn install(world: &World, script: &str) {
    let text = format!("#!/bin/sh\n{script}\n");
    world.write(INSPECTOR, text, (0, 0), 0o755);
}

/// Sends a part of the artifact, and keeps the stream open.
fn feed(running: &mut Running, bytes: &[u8]) {
    running.stdin.as_mut().unwrap().write_all(bytes).unwrap();
}

/// The control, and what a taken-over inspector can do: approve, and nothing else.
#[test]
fn one_that_approves_has_the_artifact_signed_as_it_came() {
    let world = misbehaving(&format!("cat > /dev/null; cat {VERDICT}"));
    let outcome = world.shell().run(INPUT);
    assert_eq!((outcome.code(), outcome.stderr.as_str()), (0, ""));
    let records = world.audit();
    assert_eq!(records[1].get(Field::VerdictName), Some("trusted"));
    assert_eq!(records[1].get(Field::Bytes), Some("25"));
}

#[test]
fn whatever_else_one_does_nothing_is_signed() {
    let world = misbehaving("");
    for (what, script) in [
        ("never answers", "cat > /dev/null; exec sleep 1000"),
        ("exits without a verdict", "cat > /dev/null; exit 0"),
        ("exits at once", "exit 0"),
        ("is killed", "cat > /dev/null; kill -KILL $$"),
        ("answers twice", "cat > /dev/null; cat VERDICT VERDICT"),
        (
            "says a byte too much",
            "cat > /dev/null; cat VERDICT; printf x",
        ),
        (
            "says a byte too little",
            "cat > /dev/null; head -c 1023 VERDICT",
        ),
        (
            "says nonsense",
            "cat > /dev/null; head -c 1024 /dev/urandom",
        ),
        ("says zeros", "cat > /dev/null; head -c 1024 /dev/zero"),
        ("floods at the end", "cat > /dev/null; exec cat /dev/zero"),
        (
            "does not end",
            "cat > /dev/null; cat VERDICT; exec sleep 1000",
        ),
        (
            "dribbles",
            "cat > /dev/null; while head -c 1 VERDICT; do sleep 0.3; done",
        ),
        ("is no program", "\u{0}"),
    ] {
        install(&world, &script.replace("VERDICT", VERDICT));
        let start = Instant::now();
        let outcome = world.shell().run(INPUT);
        println!("{what}: {:?}", world.audit()[0].get(Field::Detail));
        refused(&world, &outcome, Refusal::Inspection);
        assert!(start.elapsed() < Duration::from_secs(30), "{what}");
    }
}

#[test]
fn one_that_is_missing_or_may_not_be_run_signs_nothing() {
    let world = misbehaving("cat > /dev/null");
    world.write(INSPECTOR, "", (0, 0), 0o644);
    let outcome = world.shell().run(INPUT);
    refused(&world, &outcome, Refusal::Inspection);
    std::fs::remove_file(world.path(INSPECTOR)).unwrap();
    let outcome = world.shell().run(INPUT);
    refused(&world, &outcome, Refusal::Inspection);
}

/// More than a pipe holds, so that something waits for the inspector while the upload goes on.
#[test]
fn one_that_does_not_read_or_floods_or_answers_in_the_middle_signs_nothing() {
    let world = misbehaving("");
    let large = vec![7; 4 << 20];
    for (what, script, detail) in [
        ("never reads", "exec sleep 1000", "did not go on in time"),
        (
            "reads a part",
            "head -c 70000 > /dev/null; exec sleep 1000",
            "in time",
        ),
        (
            "ends in the middle",
            "head -c 70000 > /dev/null",
            "ended without",
        ),
        ("floods from the start", "exec cat /dev/zero", "out of turn"),
        (
            "answers early",
            "cat VERDICT; exec cat > /dev/null",
            "out of turn",
        ),
    ] {
        install(&world, &script.replace("VERDICT", VERDICT));
        // The whole answer is there before the upload goes on.
        let mut running = world.shell().start();
        feed(&mut running, &large[..1000]);
        std::thread::sleep(Duration::from_millis(300));
        let stdin = running.stdin.take();
        let rest = large.clone();
        let sending = std::thread::spawn(move || stdin.map(|mut stdin| stdin.write_all(&rest)));
        let outcome = running.outcome();
        sending.join().unwrap();
        let record = refused(&world, &outcome, Refusal::Inspection);
        let found = record.get(Field::Detail).unwrap();
        assert!(found.contains(detail), "{what}: {found}");
    }
}

#[test]
fn an_answer_before_the_end_is_refused_though_it_is_whole() {
    let world = misbehaving(&format!(
        "cat {VERDICT}; touch /tmp/answered; exec cat > /dev/null"
    ));
    let mut running = world.shell().start();
    feed(&mut running, &INPUT[..5]);
    until("it has answered", || world.path("/tmp/answered").exists());
    running.send(&INPUT[5..]);
    let record = refused(&world, &running.outcome(), Refusal::Inspection);
    assert!(record.get(Field::Detail).unwrap().contains("out of turn"));
}

#[test]
fn one_that_accepts_another_kind_or_refuses_signs_nothing() {
    let world = misbehaving(&format!("cat > /dev/null; cat {VERDICT}"));
    world.write(VERDICT, accepted(ArtifactKind::Iso), (0, 0), 0o644);
    let outcome = world.shell().run(INPUT);
    refused(&world, &outcome, Refusal::Inspection);
    let verdict = Verdict::Refused {
        finding: InspectionCode::VersionsDiffer.at(7),
        identity: None,
    };
    world.write(VERDICT, verdict.encode().unwrap(), (0, 0), 0o644);
    let outcome = world.shell().run(INPUT);
    let record = refused(
        &world,
        &outcome,
        Refusal::Artifact(InspectionCode::VersionsDiffer),
    );
    assert_eq!(record.get(Field::VerdictPosition), Some("7"));
    let said = "signstar: refused 4021: .PKGINFO names a version that .BUILDINFO does not";
    assert!(outcome.stderr.starts_with(said), "{}", outcome.stderr);
}

#[test]
fn one_has_two_pipes_and_no_environment_and_sees_the_artifact_byte_for_byte() {
    let world = misbehaving(
        "cat > /tmp/seen; streams=$(readlink /proc/$$/fd/*); echo \"$streams\" > /tmp/streams; cat /proc/$$/environ > /tmp/variables; \
         pwd > /tmp/folder; printf '%s\\n' \"$@\" > /tmp/arguments; cat /etc/signstar/verdict",
    );
    let input: Vec<u8> = (0..3_000_000_u32)
        .map(|number| (number % 251) as u8)
        .collect();
    let outcome = world.shell().run(&input);
    assert_eq!((outcome.code(), outcome.stderr.as_str()), (0, ""));
    let file = |name: &str| std::fs::read(world.path(&format!("/tmp/{name}"))).unwrap();
    let text = |name: &str| String::from_utf8(file(name)).unwrap();
    assert_eq!(file("seen"), input);
    assert_eq!(file("variables"), b"");
    assert_eq!(text("folder"), "/\n");
    assert_eq!(text("arguments"), "pacman-package\n--\n--\n");
    let streams = text("streams");
    let streams: Vec<&str> = streams.lines().collect();
    // Of descriptors 0, 1, 10 (the script itself) and 2; the last one is how the script gets this list.
    let [input, output, script, error, _] = streams.as_slice() else {
        panic!("{streams:?}");
    };
    assert!(
        input.starts_with("pipe:") && output.starts_with("pipe:"),
        "{streams:?}"
    );
    assert_eq!((*error, *script), ("/dev/null", INSPECTOR));
}
