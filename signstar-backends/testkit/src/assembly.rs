//! A whole session, from the stream to the released packet, at a moment that the test chooses.
//!
//! A signature's creation time is hashed, so one artifact gives as many different digests as there
//! are seconds, and verifiers can take thousands of signatures of one file in a single run.

use std::cell::Cell;
use std::time::{Duration, SystemTime};

use signstar_core::{
    Digest, Ledger, Policy, Profile, PublicKey, RawSignature, Record, RequestId, Session,
    SignatureValue, Signer, SignerError, SigningKey, Subject,
};

/// What comes of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assembled {
    /// The packet that is released.
    pub packet: Vec<u8>,
    /// What the device was asked to sign.
    pub digest: Digest,
    /// What it answered.
    pub value: SignatureValue,
}

/// Signs `artifact` with `signer`, which holds `key`, `created` seconds after 1970.
pub fn sign(
    key: &SigningKey,
    signer: &mut dyn Signer,
    profile: Profile,
    artifact: &[u8],
    created: u64,
) -> Assembled {
    NOW.set(created);
    key.check_signer(signer).unwrap();
    let mut witness = Witness {
        signer,
        seen: Vec::new(),
    };
    let mut records: Vec<Record> = Vec::new();
    let mut session = Session {
        key,
        profile,
        policy: Policy::default(),
        signer: &mut witness,
        ledger: Ledger {
            subject: Subject::new(RequestId::from_bytes([0; 16])),
            sink: &mut records,
            clock,
        },
    };
    let mut intake = session.intake(None, &[0; 32]);
    intake.update(artifact).unwrap();
    let approval = session.approve(intake).unwrap();
    let signed = session.sign(approval).unwrap();
    let packet = session.release(signed).unwrap().into_bytes();
    assert_eq!(witness.seen.len(), 1, "one approval is one signature");
    let (digest, value) = witness.seen.remove(0);
    Assembled {
        packet,
        digest,
        value,
    }
}

thread_local! {
    static NOW: Cell<u64> = const { Cell::new(0) };
}

fn clock() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(NOW.get())
}

/// Passes everything on and keeps what it has seen.
struct Witness<'s> {
    signer: &'s mut dyn Signer,
    seen: Vec<(Digest, SignatureValue)>,
}

impl Signer for Witness<'_> {
    fn public_key(&self) -> &PublicKey {
        self.signer.public_key()
    }

    fn waits_for(&self) -> Option<&'static str> {
        self.signer.waits_for()
    }

    fn sign(&mut self, digest: &Digest) -> Result<RawSignature, SignerError> {
        let raw = self.signer.sign(digest)?;
        self.seen.push((digest.clone(), raw.value.clone()));
        Ok(raw)
    }
}
