//! The moments around the beginning and the end of a key.

use std::time::{Duration, SystemTime};

use sequoia_openpgp::cert::CipherSuite;
use sequoia_openpgp::{Cert, Profile as PgpProfile};
use signstar_core::{Certificate, CertificateError, Event, Refusal, SigningKey};

use crate::keys::{builder, created, device, public_file};
use crate::packet::Packet;
use crate::stage::Play;

const VALID: Duration = Duration::from_secs(30 * 86_400);
const SECOND: Duration = Duration::from_secs(1);

/// A certificate that is valid for thirty days.
fn short_lived() -> Cert {
    let made = builder(CipherSuite::Cv25519, PgpProfile::RFC4880)
        .set_validity_period(VALID)
        .generate();
    made.unwrap().0
}

fn at(cert: &Cert, now: SystemTime) -> Result<SigningKey, CertificateError> {
    Certificate::parse(&public_file(cert))
        .unwrap()
        .signing_key(None, now)
}

/// Signs with a key that was good when the session began, at the time of `clock`.
fn sign_at(clock: fn() -> SystemTime) -> Result<Packet, Refusal> {
    let cert = short_lived();
    let key = at(&cert, created()).unwrap();
    assert_eq!(key.expires(), Some(created() + VALID));
    assert_eq!(key.created(), created());
    let mut device = device(&cert, &key);
    let mut play = Play::with(&key);
    play.clock = clock;
    let (outcome, notes) = play.run(|digest| device.sign(digest), [b"artifact".as_slice()]);
    let expected = match outcome {
        Ok(_) => vec![Event::Intent, Event::Release],
        Err(_) => vec![Event::Refusal],
    };
    assert_eq!(notes.events(), expected);
    assert_eq!(notes.asked(), usize::from(outcome.is_ok()));
    outcome
        .map(|signature| Packet::parse(signature.as_bytes()))
        .map_err(|failure| failure.refusal)
}

fn seconds(packet: &Packet) -> u64 {
    let time = packet.hashed.first().unwrap();
    assert_eq!(time.kind, 2);
    u64::from(u32::from_be_bytes(time.body.as_slice().try_into().unwrap()))
}

#[test]
fn a_key_is_taken_from_its_creation_to_the_last_second_before_its_expiry() {
    let cert = short_lived();
    assert!(at(&cert, created()).is_ok());
    assert!(at(&cert, created() + VALID - SECOND).is_ok());
}

#[test]
fn a_key_is_refused_one_second_before_its_creation() {
    for early in [SECOND, Duration::from_millis(1)] {
        let refused = at(&short_lived(), created() - early);
        assert!(matches!(refused, Err(CertificateError::FromTheFuture(_))));
    }
}

#[test]
fn a_key_is_refused_from_the_second_of_its_expiry_on() {
    for late in [Duration::ZERO, SECOND, VALID] {
        let refused = at(&short_lived(), created() + VALID + late);
        assert!(
            matches!(refused, Err(CertificateError::NotAlive(..))),
            "{refused:?}"
        );
    }
}

#[test]
fn signs_in_the_first_and_in_the_last_second_of_a_key() {
    let first = sign_at(created).unwrap();
    let last = sign_at(|| created() + VALID - Duration::from_millis(1)).unwrap();
    let first_second = created().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    assert_eq!(seconds(&first), first_second.as_secs());
    assert_eq!(seconds(&last), (first_second + VALID - SECOND).as_secs());
}

#[test]
fn refuses_without_the_device_when_the_key_expires_during_the_upload() {
    assert_eq!(
        sign_at(|| created() + VALID).unwrap_err(),
        Refusal::Certificate
    );
    assert_eq!(
        sign_at(|| created() + VALID + SECOND).unwrap_err(),
        Refusal::Certificate
    );
}

#[test]
fn refuses_without_the_device_when_the_clock_falls_behind_the_creation() {
    for clock in [
        (|| created() - Duration::from_millis(1)) as fn() -> SystemTime,
        || created() - Duration::from_millis(999),
        || created() - SECOND,
        || SystemTime::UNIX_EPOCH,
    ] {
        assert_eq!(sign_at(clock).unwrap_err(), Refusal::Certificate);
    }
}
