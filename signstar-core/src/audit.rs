//! What is recorded of every request, and where records go.
//!
//! Absent: the places themselves (journal, syslog, file), which the login shell has, and any way
//! to read, change or drop a record.

use std::fmt;
use std::time::{Duration, SystemTime};

use crate::caller::Caller;
use crate::verdict::Verdict;

/// Version of the schema. Fields are added compatibly; a change of meaning gets a new number.
pub const AUDIT_VERSION: u8 = 1;

/// Names one request in every record and message of it: 128 random bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RequestId([u8; 16]);

impl RequestId {
    /// Takes 16 random bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }
}

/// 32 lower-case hexadecimal digits.
impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// What a record says has happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The request is approved; the device is asked next.
    Intent,
    /// The device is asked again at another address, with the same approval.
    Attempt,
    /// The signature is verified; it is written next.
    Release,
    /// No signature leaves; where the device has signed, it was thrown away.
    Refusal,
    /// A released signature could not be written to the caller.
    Undelivered,
}

impl Event {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Intent,
        Self::Attempt,
        Self::Release,
        Self::Refusal,
        Self::Undelivered,
    ];

    /// Its name in records.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Intent => "intent",
            Self::Attempt => "attempt",
            Self::Release => "release",
            Self::Refusal => "refusal",
            Self::Undelivered => "undelivered",
        }
    }
}

/// A field of a record, beside version, event, request id and time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// The account on this machine.
    User,
    /// The client's IP address.
    Address,
    /// Fingerprint of the SSH key that authenticated.
    SshKey,
    /// Key id of the SSH certificate: free text of its authority.
    SshCertificate,
    /// Serial number of the SSH certificate.
    SshSerial,
    /// Fingerprint of the SSH certificate's authority.
    SshAuthority,
    /// The key's name in the configuration.
    Key,
    /// OpenPGP fingerprint of the key that signs.
    Fingerprint,
    /// OpenPGP fingerprint of its certificate.
    Certificate,
    /// The back end that holds the key.
    BackEnd,
    /// Digest of the artifact, `algorithm:hex`.
    Input,
    /// Length of the artifact.
    Bytes,
    /// `hash-state` where that stood for the artifact, which nobody here has seen.
    Origin,
    /// `approved` or `refused`.
    Verdict,
    /// The code of the refusal.
    Code,
    /// The kind of the artifact, as the inspector found it.
    VerdictKind,
    /// What the artifact says is its name.
    VerdictName,
    /// What the artifact says is its version.
    VerdictVersion,
    /// What the artifact says it runs on.
    VerdictArchitecture,
    /// Who the artifact says has built it.
    VerdictPackager,
    /// How many entries it has.
    VerdictEntries,
    /// How many bytes it unpacks to.
    VerdictUnpacked,
    /// The number of what the inspector found wrong.
    VerdictCode,
    /// Near which byte.
    VerdictPosition,
    /// SHA-256 of the signature packet, `sha256:hex`.
    Signature,
    /// The device's signature counter after this signature.
    Counter,
    /// What an operator needs to know beyond the code.
    Detail,
}

impl Field {
    /// All of them, in the order in which records carry them.
    pub const ALL: [Self; 27] = [
        Self::User,
        Self::Address,
        Self::SshKey,
        Self::SshCertificate,
        Self::SshSerial,
        Self::SshAuthority,
        Self::Key,
        Self::Fingerprint,
        Self::Certificate,
        Self::BackEnd,
        Self::Input,
        Self::Bytes,
        Self::Origin,
        Self::Verdict,
        Self::Code,
        Self::VerdictKind,
        Self::VerdictName,
        Self::VerdictVersion,
        Self::VerdictArchitecture,
        Self::VerdictPackager,
        Self::VerdictEntries,
        Self::VerdictUnpacked,
        Self::VerdictCode,
        Self::VerdictPosition,
        Self::Signature,
        Self::Counter,
        Self::Detail,
    ];

    /// Its name in records.
    pub const fn name(self) -> &'static str {
        self.definition().0
    }

    /// How many bytes of a value are kept; the rest is cut off.
    pub const fn bytes_max(self) -> usize {
        self.definition().1
    }

    const fn definition(self) -> (&'static str, usize) {
        match self {
            Self::User => ("user", 64),
            Self::Address => ("address", 64),
            Self::SshKey => ("ssh-key", 64),
            Self::SshCertificate => ("ssh-certificate", 256),
            Self::SshSerial => ("ssh-serial", 20),
            Self::SshAuthority => ("ssh-authority", 64),
            Self::Key => ("key", 64),
            Self::Fingerprint => ("fingerprint", 64),
            Self::Certificate => ("certificate", 64),
            Self::BackEnd => ("back-end", 16),
            Self::Input => ("input", 160),
            Self::Bytes => ("bytes", 20),
            Self::Origin => ("origin", 16),
            Self::Verdict => ("verdict", 16),
            Self::Code => ("code", 32),
            Self::VerdictKind => ("verdict-kind", 16),
            Self::VerdictName => ("verdict-name", 128),
            Self::VerdictVersion => ("verdict-version", 128),
            Self::VerdictArchitecture => ("verdict-architecture", 64),
            Self::VerdictPackager => ("verdict-packager", 128),
            Self::VerdictEntries => ("verdict-entries", 20),
            Self::VerdictUnpacked => ("verdict-unpacked", 20),
            Self::VerdictCode => ("verdict-code", 5),
            Self::VerdictPosition => ("verdict-position", 20),
            Self::Signature => ("signature", 160),
            Self::Counter => ("counter", 20),
            Self::Detail => ("detail", 512),
        }
    }
}

/// One event. What it says of outside bytes is cut to the caps of [`Field::bytes_max`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// What has happened.
    pub event: Event,
    /// The request that it happened to.
    pub id: RequestId,
    /// When, in whole milliseconds.
    pub time: SystemTime,
    values: Vec<(Field, String)>,
}

impl Record {
    /// A record without fields; the time is cut to whole milliseconds.
    pub fn new(event: Event, id: RequestId, time: SystemTime) -> Self {
        let since = time
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or(Duration::ZERO);
        let millis = Duration::new(since.as_secs(), since.subsec_millis() * 1_000_000);
        Self {
            event,
            id,
            time: SystemTime::UNIX_EPOCH + millis,
            values: Vec::new(),
        }
    }

    /// Sets `field` to `value`, of which [`Field::bytes_max`] bytes are kept.
    pub fn set(&mut self, field: Field, value: impl fmt::Display) {
        let mut value = value.to_string();
        let cut = (0..=field.bytes_max().min(value.len()))
            .rev()
            .find(|&at| value.is_char_boundary(at));
        value.truncate(cut.unwrap_or(0));
        self.values.retain(|(other, _)| *other != field);
        self.values.push((field, value));
    }

    /// Sets the fields that say who asks.
    pub fn set_caller(&mut self, caller: &Caller) {
        self.set(Field::User, &caller.user);
        if let Some(address) = caller.address {
            self.set(Field::Address, address);
        }
        let Some(identity) = &caller.identity else {
            return;
        };
        self.set(Field::SshKey, &identity.key_fingerprint);
        if let Some(certificate) = &identity.certificate {
            self.set(Field::SshCertificate, &certificate.key_id);
            self.set(Field::SshSerial, certificate.serial);
            self.set(Field::SshAuthority, &certificate.authority_fingerprint);
        }
    }

    pub(crate) fn set_verdict(&mut self, verdict: &Verdict) {
        if let Some(identity) = verdict.identity() {
            self.set(Field::VerdictKind, identity.kind.name());
            for (field, text) in [
                (Field::VerdictName, &identity.name),
                (Field::VerdictVersion, &identity.version),
                (Field::VerdictArchitecture, &identity.architecture),
                (Field::VerdictPackager, &identity.packager),
            ] {
                if !text.is_empty() {
                    self.set(field, text);
                }
            }
            self.set(Field::VerdictEntries, identity.entries);
            self.set(Field::VerdictUnpacked, identity.unpacked_bytes);
        }
        if let Some(finding) = verdict.finding() {
            self.set(Field::VerdictCode, finding.code.number());
            self.set(Field::VerdictPosition, finding.position);
        }
    }

    /// The value of `field`, if it has one.
    pub fn get(&self, field: Field) -> Option<&str> {
        self.values
            .iter()
            .find(|(other, _)| *other == field)
            .map(|(_, value)| value.as_str())
    }

    /// Its fields in the order of [`Field::ALL`].
    pub fn fields(&self) -> impl Iterator<Item = (Field, &str)> {
        Field::ALL
            .into_iter()
            .filter_map(|field| Some((field, self.get(field)?)))
    }
}

/// Where records go.
pub trait Sink {
    /// Takes `record` before anything that it announces happens.
    ///
    /// # Errors
    /// [`SinkError`] if the record was not taken, whole and within the sink's time limit. Then no
    /// signature is made, or none that was made is released.
    fn accept(&mut self, record: &Record) -> Result<(), SinkError>;
}

/// Keeps records in memory, for programs that embed this crate and log by other means.
impl Sink for Vec<Record> {
    fn accept(&mut self, record: &Record) -> Result<(), SinkError> {
        self.push(record.clone());
        Ok(())
    }
}

/// A sink did not take a record. The operator must see to it; a later retry may help.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("audit sink {sink}: {reason}")]
pub struct SinkError {
    /// Its name in the configuration.
    pub sink: &'static str,
    /// What failed.
    pub reason: String,
}
