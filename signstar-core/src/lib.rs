//! The model of a signing service: what is signed, for whom, with which key, and what is recorded.
//!
//! This crate turns a stream of bytes into a detached OpenPGP signature made by a key that it
//! never sees. It works inside a program of yours (a tool that adds packages to a repository,
//! say) exactly as it works inside the `signstar` login shell:
//!
//! ```
//! use std::time::SystemTime;
//! use signstar_core::{
//!     Certificate, Ledger, Policy, Profile, Record, RequestId, Session, Signer, Subject,
//! };
//!
//! /// Signs `package` with the key behind `signer`; what comes back belongs into `package.sig`.
//! fn sign_package(
//!     package: &[u8],
//!     certificate: &[u8],
//!     signer: &mut dyn Signer,
//!     random: [u8; 48],
//!     log: &mut Vec<Record>,
//! ) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
//!     let key = Certificate::parse(certificate)?.signing_key(None, SystemTime::now())?;
//!     key.check_signer(signer)?;
//!     let (id, salt) = random.split_first_chunk().ok_or("48 bytes")?;
//!     let mut subject = Subject::new(RequestId::from_bytes(*id));
//!     subject.set_signing_key(&key);
//!     let mut session = Session {
//!         key: &key,
//!         profile: Profile::default(),
//!         policy: Policy::default(),
//!         signer,
//!         ledger: Ledger { subject, sink: log, clock: SystemTime::now },
//!     };
//!     let mut intake = session.intake(None, salt.try_into()?);
//!     for chunk in package.chunks(64 * 1024) {
//!         intake.update(chunk)?;
//!     }
//!     let approval = session.approve(intake)?;
//!     let signed = session.sign(approval)?;
//!     Ok(session.release(signed)?.into_bytes())
//! }
//! # fn main() {}
//! ```
//!
//! `examples/sign_file.rs` is the same as a whole program. Where `signer` comes from, each back end's crate
//! shows: `signstar-nethsm`, `signstar-pkcs11`, `signstar-smartcard`, `signstar-software`, `signstar-tpm`. They
//! give an [`Opened`]. Its `reach` is for a process that confines itself after that; one that does not,
//! need not look at it.
//!
//! [`Policy::default`] signs anything. A tool for one purpose says more: the largest artifact, a declared
//! size and digest ([`Declaring`]), or what it must be ([`InputPolicy`]), for which the verdict of an inspector
//! or a list is needed.
//!
//! # The order of things
//! An [`Intake`] hashes and counts the stream → an [`Approval`] is a finished stream that the
//! [`Policy`] lets pass and whose intent a [`Sink`] has accepted → [`Signed`] has been verified
//! with the certificate's key → a [`DetachedSignature`] is released, and its release recorded.
//! Each step consumes the one before it: what was approved is what is signed, once.
//!
//! # What is deliberately absent
//! No device, no file system, no environment, no socket, no thread, no clock but the one that is
//! handed in. No signature type but 0x00, no hash but SHA-2 of 256 bits and more, and no way to
//! create, export or delete a key.

mod audit;
mod audit_line;
mod caller;
mod certificate;
mod digest;
mod digest_list;
mod finding;
mod hasher;
mod kind;
mod ledger;
mod messages;
mod pattern;
mod policy;
mod refusal;
mod request;
mod secret_key;
mod session;
mod signature;
mod signer;
mod verdict;

pub use audit::{AUDIT_VERSION, Event, Field, Record, RequestId, Sink, SinkError};
pub use audit_line::{LINE_BYTES_MAX, LineError};
pub use caller::{Caller, SshCertificate, SshIdentity};
pub use certificate::{Certificate, CertificateError, KeyVersion, SigningKey};
pub use digest::{Digest, HashAlgorithm, UnknownHash};
pub use digest_list::{DigestList, DigestListError};
pub use finding::{Finding, InspectionCode};
pub use hasher::{HashState, HashStateError, Hasher, HasherError};
pub use kind::{KeyKind, UnknownKind};
pub use ledger::{Ledger, Subject};
pub use messages::{
    FRAME_BYTES, Fields, Frame, MessageError, ModuleSettings, PIN_BYTES_MAX, WorkerAnswer,
    WorkerFault, WorkerRequest, frame, frame_parts,
};
pub use pattern::matches_pattern;
pub use policy::{Declaring, INPUT_BYTES_MAX_DEFAULT, InputPolicy, Policy};
pub use refusal::{Failure, Refusal};
pub use request::{Declaration, DeclarationError, Intake};
pub use secret_key::{SecretKey, SecretKeyError, SecretMaterial};
pub use session::{Approval, Session, Signed};
pub use signature::{DetachedSignature, Notation, Profile, SignatureError};
pub use signer::{
    Curve, ML_DSA_65_KEY_BYTES, ML_DSA_65_SIGNATURE_BYTES, Opened, PublicKey, RawSignature, Reach,
    ReachRule, SignatureValue, Signer, SignerError,
};
pub use verdict::{
    ArtifactKind, Identity, VERDICT_BYTES, VERDICT_TEXT_BYTES_MAX, Verdict, VerdictError,
};
