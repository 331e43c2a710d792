//! What the shell's side makes of a worker that fails, lies, is late or babbles: the other end of
//! the socket is this test. Each case is a point of the conversation at which something goes wrong;
//! none gives a signature that verifies, and the PIN is sent at most once and never before a digest.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "this is a test"
)]

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::thread::JoinHandle;
use std::time::Duration;

use signstar_core::{
    Digest, FRAME_BYTES, HashAlgorithm, ModuleSettings, PublicKey, RawSignature, SignatureValue,
    Signer, SignerError, WorkerAnswer, WorkerFault, WorkerRequest,
};
use signstar_testkit::key::TestKey;
use signstar_testkit::openssl::OpenSsl;
use zeroize::Zeroizing;

/// What the worker does at its turn.
#[derive(Clone)]
enum Turn {
    /// Sends these bytes.
    Sends(Vec<u8>),
    /// Sends these bytes and ends.
    SendsAndEnds(Vec<u8>),
    /// Sends nothing and stays.
    Hangs,
}

/// Whoever has read the frames that were sent, in order.
type Seen = JoinHandle<Vec<WorkerRequest>>;

/// A worker whose first turn follows `Open` and whose second follows `Sign`.
fn peer(turns: [Turn; 2]) -> (UnixStream, Seen) {
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    // The other end is never closed, as in the login shell.
    theirs
        .set_read_timeout(Some(Duration::from_millis(400)))
        .unwrap();
    let worker = std::thread::spawn(move || {
        let mut seen = Vec::new();
        for turn in turns {
            // Up to the message that wants an answer.
            loop {
                let mut frame = vec![0; FRAME_BYTES];
                if theirs.read_exact(&mut frame).is_err() {
                    return seen;
                }
                seen.push(WorkerRequest::from_frame(&frame).unwrap());
                if !matches!(seen.last(), Some(WorkerRequest::Pin(_))) {
                    break;
                }
            }
            match turn {
                Turn::Sends(bytes) => drop(theirs.write_all(&bytes)),
                Turn::SendsAndEnds(bytes) => {
                    let _ = theirs.write_all(&bytes);
                    return seen;
                }
                Turn::Hangs => {}
            }
        }
        // Stays until nothing more can be wanted of it.
        let _ = theirs.read(&mut [0]);
        seen
    });
    (ours, worker)
}

fn settings() -> ModuleSettings {
    ModuleSettings {
        module: "/usr/lib/module.so".to_owned(),
        uri: "pkcs11:token=a;object=b".to_owned(),
        uri_ed25519: None,
        read: Vec::new(),
        write: Vec::new(),
        processor_seconds: 1,
    }
}

const PIN: &str = "271828-pin";
const PATIENCE: Duration = Duration::from_millis(150);

fn open(socket: UnixStream) -> Result<Box<dyn Signer>, SignerError> {
    let pin = Zeroizing::new(PIN.as_bytes().to_vec());
    signstar_pkcs11::open(socket.into(), settings(), pin, PATIENCE).map(|opened| opened.signer)
}

fn digest() -> Digest {
    Digest::new(HashAlgorithm::Sha512, &[0x5a; 64]).unwrap()
}

/// A key and its signature of [`digest`].
fn honest(name: &str) -> (PublicKey, SignatureValue) {
    let opened = signstar_software::open(TestKey::named(name).material());
    let mut signer = opened.unwrap().signer;
    let value = signer.sign(&digest()).unwrap().value;
    (signer.public_key().clone(), value)
}

fn ready(key: &PublicKey) -> Vec<u8> {
    WorkerAnswer::Ready(key.clone())
        .to_frame()
        .unwrap()
        .to_vec()
}

fn signature(value: &SignatureValue) -> Vec<u8> {
    WorkerAnswer::Signature(value.clone())
        .to_frame()
        .unwrap()
        .to_vec()
}

fn fault(fault: WorkerFault) -> Vec<u8> {
    WorkerAnswer::Fault(fault).to_frame().unwrap().to_vec()
}

/// Opens and signs; also what the worker saw.
fn sign(turns: [Turn; 2]) -> (Result<RawSignature, SignerError>, Vec<WorkerRequest>) {
    let (socket, seen) = peer(turns);
    let outcome = open(socket).and_then(|mut signer| signer.sign(&digest()));
    (outcome, seen.join().unwrap())
}

/// An error that is one line and says nothing of the PIN.
#[track_caller]
fn is_sober(what: &str, error: &SignerError) {
    let text = error.to_string();
    assert!(
        !text.contains('\n') && !text.contains(PIN) && text.len() < 200,
        "{what}: {text}"
    );
}

/// What is wrong with a frame where `whole` is right: each point with a name.
fn wrong_frames(whole: &[u8]) -> Vec<(String, Turn)> {
    let mut points = Vec::new();
    let cuts = (0..32)
        .chain((32..FRAME_BYTES).step_by(127))
        .chain([FRAME_BYTES - 1]);
    for cut in cuts {
        points.push((
            format!("cut at {cut}"),
            Turn::SendsAndEnds(whole[..cut].to_vec()),
        ));
    }
    for bit in 0..32 {
        let mut bent = whole.to_vec();
        bent[bit / 8] ^= 1 << (bit % 8);
        points.push((format!("bit {bit} of the head"), Turn::SendsAndEnds(bent)));
    }
    for byte in [0x00, 0x01, 0x7f, 0xff] {
        points.push((
            format!("{byte:#x} only"),
            Turn::SendsAndEnds(vec![byte; FRAME_BYTES]),
        ));
    }
    let mut tail = whole.to_vec();
    tail[FRAME_BYTES - 1] = 1;
    points.push((
        "rubbish after the body".to_owned(),
        Turn::SendsAndEnds(tail),
    ));
    points.push((
        "a part and no more".to_owned(),
        Turn::Sends(whole[..100].to_vec()),
    ));
    points.push(("nothing".to_owned(), Turn::Hangs));
    points
}

#[test]
fn the_peer_of_these_tests_is_believed_when_it_is_honest() {
    for name in ["ed25519", "p256", "p384", "p521", "rsa2048", "rsa4096"] {
        let (key, value) = honest(name);
        let turns = [
            Turn::Sends(ready(&key)),
            Turn::SendsAndEnds(signature(&value)),
        ];
        let (outcome, seen) = sign(turns);
        assert_eq!(outcome.unwrap().value, value, "{name}");
        let pin = WorkerRequest::Pin(Zeroizing::new(PIN.as_bytes().to_vec()));
        let expected = [
            WorkerRequest::Open(settings()),
            pin,
            WorkerRequest::Sign(digest()),
        ];
        assert_eq!(seen, expected, "open, then the PIN with the digest");
    }
}

#[test]
fn no_wrong_frame_opens_a_key_and_none_gets_the_pin() {
    let (key, value) = honest("ed25519");
    let mut points = wrong_frames(&ready(&key));
    points.push(("a signature".to_owned(), Turn::Sends(signature(&value))));
    for (what, turn) in &points {
        let (outcome, seen) = sign([turn.clone(), Turn::Hangs]);
        is_sober(what, &outcome.expect_err(what));
        assert_eq!(seen, [WorkerRequest::Open(settings())], "{what}");
    }
    println!("{} points before the key is known", points.len());
    assert!(points.len() > 100);
}

#[test]
fn no_wrong_frame_is_a_signature() {
    let (key, value) = honest("p256");
    let mut points = wrong_frames(&signature(&value));
    for name in ["ed25519", "p384", "p521", "rsa2048"] {
        let (other, value) = honest(name);
        points.push((
            format!("a signature by {name}"),
            Turn::Sends(signature(&value)),
        ));
        points.push((format!("a key {name}"), Turn::Sends(ready(&other))));
    }
    let wanted = WorkerAnswer::PinWanted.to_frame().unwrap().to_vec();
    points.push(("the PIN again".to_owned(), Turn::Sends(wanted)));
    let twice = [signature(&value), signature(&value)].concat();
    points.push(("two answers".to_owned(), Turn::Sends(twice)));
    let longer = [signature(&value), vec![0]].concat();
    points.push(("one octet more".to_owned(), Turn::Sends(longer)));
    for (what, turn) in &points {
        let (outcome, seen) = sign([Turn::Sends(ready(&key)), turn.clone()]);
        is_sober(what, &outcome.expect_err(what));
        let pins = seen
            .iter()
            .filter(|request| matches!(request, WorkerRequest::Pin(_)));
        assert_eq!(pins.count(), 1, "{what}");
    }
    println!("{} points after the digest is known", points.len());
    assert!(points.len() > 100);
}

/// Every bit of an answer of the right shape: what comes out does not verify.
#[test]
fn bent_signatures_pass_on_and_do_not_verify() {
    let (key, value) = honest("ed25519");
    let openssl = OpenSsl::new(&key);
    assert!(openssl.verifies(&digest(), &value), "the control");
    for bit in (0..512).step_by(37) {
        let mut frame = signature(&value);
        frame[5 + bit / 8] ^= 1 << (bit % 8);
        let (outcome, _) = sign([Turn::Sends(ready(&key)), Turn::SendsAndEnds(frame)]);
        assert!(
            !openssl.verifies(&digest(), &outcome.unwrap().value),
            "bit {bit}"
        );
    }
}

#[test]
fn each_fault_of_the_worker_is_told_in_our_own_words() {
    let (key, _) = honest("ed25519");
    for known in WorkerFault::ALL {
        let (outcome, _) = sign([Turn::SendsAndEnds(fault(known)), Turn::Hangs]);
        assert_eq!(outcome, Err(known.error()));
        let (outcome, _) = sign([Turn::Sends(ready(&key)), Turn::SendsAndEnds(fault(known))]);
        assert_eq!(outcome, Err(known.error()));
    }
}

/// What was said unasked before the digest costs the worker the PIN.
#[test]
fn a_worker_that_speaks_out_of_turn_or_has_gone_does_not_get_the_pin() {
    let (key, value) = honest("ed25519");
    let babbles = [ready(&key), signature(&value)].concat();
    let cases = [
        ("answers early", Turn::Sends(babbles)),
        ("has gone", Turn::SendsAndEnds(ready(&key))),
        (
            "says one octet more",
            Turn::Sends([ready(&key), vec![0]].concat()),
        ),
    ];
    for (what, turn) in cases {
        let (socket, seen) = peer([turn, Turn::Hangs]);
        let mut signer = open(socket).unwrap();
        // What it says or does is there before the digest is.
        std::thread::sleep(Duration::from_millis(50));
        is_sober(what, &signer.sign(&digest()).expect_err(what));
        drop(signer);
        assert_eq!(
            seen.join().unwrap(),
            [WorkerRequest::Open(settings())],
            "{what}"
        );
    }
}

/// A whole signature of another kind than the key, one with two halves among them.
#[test]
fn a_signature_of_another_kind_is_refused() {
    let (ed25519, of_ed25519) = honest("ed25519");
    let composite = PublicKey::MlDsa65Ed25519 {
        ed25519: [7; 32],
        ml_dsa: Box::new([8; 1952]),
    };
    let of_composite = SignatureValue::MlDsa65Ed25519 {
        ed25519: Box::new([9; 64]),
        ml_dsa: Box::new([10; 3309]),
    };
    for (key, value, fits) in [
        (&ed25519, &of_ed25519, true),
        (&ed25519, &of_composite, false),
        (&composite, &of_ed25519, false),
        (&composite, &of_composite, true),
    ] {
        let turns = [Turn::Sends(ready(key)), Turn::Sends(signature(value))];
        let (outcome, _) = sign(turns);
        match fits {
            // Whether it is a signature is for the caller to find out.
            true => assert_eq!(outcome.map(|raw| raw.value), Ok(value.clone())),
            false => assert_eq!(outcome.err(), Some(WorkerFault::Shape.error())),
        }
    }
}

#[test]
fn a_worker_signs_once() {
    let (key, value) = honest("ed25519");
    let turns = [Turn::Sends(ready(&key)), Turn::Sends(signature(&value))];
    let (socket, seen) = peer(turns);
    let mut signer = open(socket).unwrap();
    assert!(signer.sign(&digest()).is_ok());
    let again = signer.sign(&digest()).unwrap_err();
    assert!(again.to_string().contains("signs one digest"), "{again}");
    assert_eq!(seen.join().unwrap().len(), 3);
}

#[test]
fn a_digest_that_is_too_short_for_the_curve_never_leaves() {
    let (key, _) = honest("p384");
    let (socket, seen) = peer([Turn::Sends(ready(&key)), Turn::Hangs]);
    let mut signer = open(socket).unwrap();
    let short = Digest::new(HashAlgorithm::Sha256, &[1; 32]).unwrap();
    assert!(signer.sign(&short).is_err());
    drop(signer);
    assert_eq!(seen.join().unwrap().len(), 1);
}
