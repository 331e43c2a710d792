//! The talk over the two pipes, with a thread at their other ends. With processes there it is tested in
//! tests/inspected.

use std::io::{pipe, PipeReader, PipeWriter, Read, Write};
use std::thread;

use signstar_core::{ArtifactKind, Identity, InspectionCode};

use super::*;

/// Longer than anything here takes.
const LONG: Duration = Duration::from_secs(100);

/// As long as a test waits where nothing comes.
const SHORT: Duration = Duration::from_millis(50);

/// An inspector's ends of the pipes.
struct Ends {
    artifact: PipeReader,
    verdict: PipeWriter,
}

fn inspector(patience: Duration) -> (Inspector, Ends) {
    let (artifact, ours) = pipe().unwrap();
    let (theirs, verdict) = pipe().unwrap();
    let inspector = Inspector::between(ours.into(), theirs.into(), patience).unwrap();
    (inspector, Ends { artifact, verdict })
}

impl Ends {
    /// Reads to the end of the artifact and says `answer`; gives back what was read.
    fn answer(mut self, answer: &[u8]) -> Vec<u8> {
        let mut seen = Vec::new();
        self.artifact.read_to_end(&mut seen).unwrap();
        self.verdict.write_all(answer).unwrap();
        seen
    }
}

fn accepting() -> Verdict {
    Verdict::Accepted(Identity {
        kind: ArtifactKind::Iso,
        name: "TRIAL".to_owned(),
        ..Identity::default()
    })
}

fn in_time() -> Instant {
    Instant::now() + LONG
}

#[track_caller]
fn assert_detail<T: std::fmt::Debug>(outcome: Result<T, Failure>, expected: &str) {
    let failure = outcome.unwrap_err();
    assert_eq!(failure.refusal, Refusal::Inspection);
    let detail = failure.detail;
    assert!(detail.contains(expected), "{detail}");
}

const LATE: &str = "did not go on in time";
const ENDED: &str = "ended without a verdict";
const OUT_OF_TURN: &str = "out of turn";

#[test]
fn it_gets_every_byte_and_the_end_and_is_heard_once() {
    let refusing = Verdict::Refused {
        finding: InspectionCode::ImageSize.at(7),
        identity: None,
    };
    for verdict in [accepting(), refusing] {
        let (inspector, ends) = inspector(LONG);
        let message = verdict.encode().unwrap();
        let theirs = thread::spawn(move || ends.answer(&message));
        // More than any pipe holds.
        let artifact: Vec<u8> = (0..=250).cycle().take(9 << 20).collect();
        for piece in artifact.chunks(3 << 20) {
            inspector.pass(piece, in_time()).unwrap();
        }
        inspector.pass(b"", in_time()).unwrap();
        assert_eq!(inspector.conclude().unwrap(), verdict);
        assert!(theirs.join().unwrap() == artifact);
    }
}

/// Each byte comes with the inspector's patience for itself.
#[test]
fn an_answer_may_come_in_pieces() {
    let (inspector, ends) = inspector(LONG);
    let Ends {
        mut artifact,
        mut verdict,
    } = ends;
    let theirs = thread::spawn(move || {
        assert_eq!(artifact.read(&mut [0]).unwrap(), 0);
        for piece in accepting().encode().unwrap().chunks(100) {
            verdict.write_all(piece).unwrap();
            thread::yield_now();
        }
    });
    assert_eq!(inspector.conclude().unwrap(), accepting());
    theirs.join().unwrap();
}

#[test]
fn anything_but_one_verdict_is_refused() {
    let good = accepting().encode().unwrap();
    let mut damaged = good;
    damaged[VERDICT_BYTES - 1] = 1;
    for (answer, expected) in [
        (&b""[..], ENDED),
        (&good[..1], ENDED),
        (&good[..VERDICT_BYTES - 1], ENDED),
        (&[&good[..], b"x"].concat(), OUT_OF_TURN),
        (&[good, good].concat(), OUT_OF_TURN),
        (&damaged, "malformed"),
        (&[0; VERDICT_BYTES], "malformed"),
    ] {
        let (inspector, ends) = inspector(LONG);
        let answer = answer.to_vec();
        let theirs = thread::spawn(move || ends.answer(&answer));
        assert_detail(inspector.conclude(), expected);
        theirs.join().unwrap();
    }
}

#[test]
fn one_that_does_not_end_with_its_verdict_is_refused() {
    for answer in [&accepting().encode().unwrap()[..], b""] {
        let (inspector, mut ends) = inspector(SHORT);
        let answer = answer.to_vec();
        let (done, waits) = std::sync::mpsc::channel::<()>();
        let theirs = thread::spawn(move || {
            ends.artifact.read_to_end(&mut Vec::new()).unwrap();
            ends.verdict.write_all(&answer).unwrap();
            // It does not end before it was heard.
            waits.recv().unwrap_err();
        });
        assert_detail(inspector.conclude(), LATE);
        drop(done);
        theirs.join().unwrap();
    }
}

#[test]
fn one_that_answers_before_the_end_is_refused() {
    let message = accepting().encode().unwrap();
    for answer in [&message[..], &message[..1]] {
        let (inspector, mut ends) = inspector(LONG);
        inspector.pass(b"a part", in_time()).unwrap();
        ends.verdict.write_all(answer).unwrap();
        assert_detail(inspector.pass(b"the rest", in_time()), OUT_OF_TURN);
        // And one whose answer is only seen at the end.
        assert_detail(inspector.conclude(), OUT_OF_TURN);
    }
}

#[test]
fn one_that_has_ended_is_refused() {
    // Both of its pipes are closed, or one.
    let (gone, ends) = inspector(LONG);
    drop(ends);
    assert_detail(gone.pass(b"x", in_time()), ENDED);
    let (deaf, ends) = inspector(LONG);
    drop(ends.artifact);
    assert_detail(deaf.pass(b"x", in_time()), ENDED);
    let (mute, ends) = inspector(LONG);
    drop(ends.verdict);
    assert_detail(mute.pass(b"x", in_time()), ENDED);
    for inspector in [gone, mute] {
        assert_detail(inspector.conclude(), ENDED);
    }
}

#[test]
fn one_that_does_not_read_has_its_patience_and_never_more_than_the_deadline() {
    let large = vec![7; 9 << 20];
    let (patient, _ends) = inspector(LONG);
    let start = Instant::now();
    assert_detail(patient.pass(&large, start + SHORT), LATE);
    assert_detail(patient.pass(&large, start), LATE);
    assert!(start.elapsed() >= SHORT && start.elapsed() < LONG);
    let (impatient, _ends) = inspector(SHORT);
    let start = Instant::now();
    assert_detail(impatient.pass(&large, start + LONG), LATE);
    assert!(start.elapsed() >= SHORT && start.elapsed() < LONG);
}

#[test]
fn lock_down_leaves_it_its_two_pipes() {
    let (inspector, _ends) = inspector(LONG);
    let artifact = inspector.artifact.as_raw_fd();
    let verdict = inspector.verdict.as_raw_fd();
    let expected = inspection_rules(artifact, verdict).unwrap();
    assert_eq!(inspector.rules().unwrap(), expected);
    assert!(!expected.is_empty());
}
