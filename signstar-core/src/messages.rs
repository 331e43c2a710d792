//! What the login shell and the process with a vendor's PKCS#11 module say to each other, as data.
//!
//! Every message is one frame of [`FRAME_BYTES`]: version, kind, length of the body (16 bits,
//! big-endian), body, zeros. A frame is all or nothing: a reader needs no length from outside, and a
//! decoder takes one spelling of each message only. The shell asks with a [`WorkerRequest`], and
//! each is answered by at most one [`WorkerAnswer`]:
//!
//! | the shell says | the worker answers |
//! |---|---|
//! | `Open` | `Ready`, `PinWanted` or `Fault` |
//! | `Pin`, after `PinWanted` | `Ready` or `Fault` |
//! | `Pin` and `Sign`, or `Sign` where it has the PIN already | `Signature` or `Fault` |
//!
//! Deliberately absent: text of the worker's. A fault is a number that this module has words for, so
//! that nothing a vendor's code has chosen reaches a record.

mod fields;
mod settings;
mod worker_fault;

use zeroize::Zeroizing;

use crate::digest::{Digest, HashAlgorithm};
use crate::signer::{
    Curve, ML_DSA_65_KEY_BYTES, ML_DSA_65_SIGNATURE_BYTES, PublicKey, SignatureValue,
};

pub use fields::Fields;
pub use settings::ModuleSettings;
pub use worker_fault::WorkerFault;

/// Length of a frame. The largest message is a composite signature (RFC 9980): with ML-DSA-65 its
/// body has 3,374 octets. One page, so that a socket takes it whole.
pub const FRAME_BYTES: usize = 4096;

/// Longest PIN. PKCS#11 sets no limit; tokens have much smaller ones.
pub const PIN_BYTES_MAX: usize = 256;

const VERSION: u8 = 1;
const HEAD_BYTES: usize = 4;
const BODY_BYTES_MAX: usize = FRAME_BYTES - HEAD_BYTES;

/// Octets of an RSA modulus and so of a signature: 2048 to 4096 bits.
const RSA_BYTES: std::ops::RangeInclusive<usize> = 256..=512;
/// Octets of a public exponent. 65537 has three.
const EXPONENT_BYTES: std::ops::RangeInclusive<usize> = 1..=8;

/// A message on its way. It may hold a PIN, so it is wiped when it is dropped.
pub type Frame = Zeroizing<Vec<u8>>;

/// Why a frame is no message, or a message does not fit into one. For the process that wrote it
/// there is no second try.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// It has not the length of a frame, another version, or rubbish after its body.
    #[error("not a frame of this version")]
    Frame,
    /// It is none of the messages that may come from this side.
    #[error("not a message that may come here")]
    Kind,
    /// Its body is not what such a message has.
    #[error("message with a malformed body")]
    Body,
    /// It does not fit into a frame. Whoever wrote the configuration must shorten it.
    #[error("message longer than {BODY_BYTES_MAX} bytes")]
    TooLong,
}

/// What the shell asks for.
#[derive(Clone, PartialEq, Eq)]
pub enum WorkerRequest {
    /// Load the module and find the key. The first message.
    Open(ModuleSettings),
    /// The credential, 1 to [`PIN_BYTES_MAX`] bytes. It is tried once.
    Pin(Zeroizing<Vec<u8>>),
    /// Sign this digest. The last message.
    Sign(Digest),
}

/// What the worker answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WorkerAnswer {
    /// The key is there, and this is its public half.
    Ready(PublicKey),
    /// The public half is private on this token: the PIN is wanted before it can be read.
    PinWanted,
    /// The signature of the digest.
    Signature(SignatureValue),
    /// There is no key or no signature. The worker has ended.
    Fault(WorkerFault),
}

impl WorkerRequest {
    /// The message as one frame.
    ///
    /// # Errors
    /// [`MessageError::TooLong`], [`MessageError::Body`] if the PIN's length is wrong.
    pub fn to_frame(&self) -> Result<Frame, MessageError> {
        match self {
            Self::Open(settings) => frame(1, &[&settings.encode()?]),
            Self::Pin(pin) if !(1..=PIN_BYTES_MAX).contains(&pin.len()) => Err(MessageError::Body),
            Self::Pin(pin) => frame(2, &[pin]),
            Self::Sign(digest) => {
                frame(3, &[&[digest.algorithm().openpgp_id()], digest.as_bytes()])
            }
        }
    }

    /// Reads one frame, whose memory a PIN keeps: there is no copy of it elsewhere.
    ///
    /// # Errors
    /// See [`MessageError`].
    pub fn take_frame(mut frame: Frame) -> Result<Self, MessageError> {
        let (kind, mut body) = frame_parts(&frame)?;
        if kind != 2 {
            return Self::from_frame(&frame);
        }
        let length = body.rest().len();
        if !(1..=PIN_BYTES_MAX).contains(&length) {
            return Err(MessageError::Body);
        }
        frame.drain(..HEAD_BYTES);
        frame.truncate(length);
        Ok(Self::Pin(frame))
    }

    /// Reads one frame.
    ///
    /// # Errors
    /// See [`MessageError`].
    pub fn from_frame(frame: &[u8]) -> Result<Self, MessageError> {
        let (kind, mut body) = frame_parts(frame)?;
        match kind {
            1 => Ok(Self::Open(ModuleSettings::decode(body)?)),
            2 => match body.rest() {
                [] => Err(MessageError::Body),
                pin if pin.len() > PIN_BYTES_MAX => Err(MessageError::Body),
                pin => Ok(Self::Pin(Zeroizing::new(pin.to_vec()))),
            },
            3 => {
                let id = body.byte()?;
                let mut known = HashAlgorithm::ALL.into_iter();
                let hash = known.find(|hash| hash.openpgp_id() == id);
                let digest = Digest::new(hash.ok_or(MessageError::Body)?, body.rest());
                Ok(Self::Sign(digest.ok_or(MessageError::Body)?))
            }
            _ => Err(MessageError::Kind),
        }
    }
}

/// Never shows the PIN.
impl std::fmt::Debug for WorkerRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Open(settings) => settings.fmt(f),
            Self::Pin(_) => f.write_str("Pin(..)"),
            Self::Sign(digest) => digest.fmt(f),
        }
    }
}

impl WorkerAnswer {
    /// The message as one frame.
    ///
    /// # Errors
    /// [`MessageError::Body`] if a number has not the length that its type documents.
    pub fn to_frame(&self) -> Result<Frame, MessageError> {
        let made = match self {
            Self::Ready(PublicKey::Ed25519(point)) => frame(17, &[&[1], point]),
            Self::Ready(PublicKey::Ecdsa { curve, point }) => {
                frame(17, &[&[curve_id(*curve)], point])
            }
            Self::Ready(PublicKey::Rsa { n, e }) => {
                let length = u16::try_from(n.len()).map_err(|_| MessageError::Body)?;
                frame(17, &[&[5], &length.to_be_bytes(), n, e])
            }
            Self::Ready(PublicKey::MlDsa65Ed25519 { ed25519, ml_dsa }) => {
                frame(17, &[&[6], ed25519, ml_dsa.as_slice()])
            }
            Self::PinWanted => frame(18, &[]),
            Self::Signature(SignatureValue::Ed25519(bytes)) => frame(19, &[&[1], bytes]),
            Self::Signature(SignatureValue::Ecdsa { r, s }) => frame(19, &[&[2], r, s]),
            Self::Signature(SignatureValue::Rsa(bytes)) => frame(19, &[&[3], bytes]),
            Self::Signature(SignatureValue::MlDsa65Ed25519 { ed25519, ml_dsa }) => {
                frame(19, &[&[4], ed25519.as_slice(), ml_dsa.as_slice()])
            }
            Self::Fault(fault) => frame(20, &[&[fault.code()]]),
        }?;
        // Only what the other side will take is sent.
        match Self::from_frame(&made) {
            Ok(read) if read == *self => Ok(made),
            _ => Err(MessageError::Body),
        }
    }

    /// Reads one frame.
    ///
    /// # Errors
    /// See [`MessageError`].
    pub fn from_frame(frame: &[u8]) -> Result<Self, MessageError> {
        let (kind, mut body) = frame_parts(frame)?;
        match kind {
            17 => public_key(body).map(Self::Ready),
            18 => body.end(Self::PinWanted),
            19 => signature(body).map(Self::Signature),
            20 => {
                let fault = WorkerFault::from_code(body.byte()?).ok_or(MessageError::Body)?;
                body.end(Self::Fault(fault))
            }
            _ => Err(MessageError::Kind),
        }
    }
}

/// A frame of the kind `kind`, whose body is `body`. Kinds below 32 are those of the messages here;
/// others may have messages of their own.
///
/// # Errors
/// [`MessageError::TooLong`].
pub fn frame(kind: u8, body: &[&[u8]]) -> Result<Frame, MessageError> {
    let length: usize = body.iter().map(|part| part.len()).sum();
    if length > BODY_BYTES_MAX {
        return Err(MessageError::TooLong);
    }
    let length = u16::try_from(length).map_err(|_| MessageError::TooLong)?;
    // Room for all of it at once: a growing buffer would leave copies of a PIN behind.
    let mut frame = Zeroizing::new(Vec::with_capacity(FRAME_BYTES));
    frame.extend([VERSION, kind]);
    frame.extend(length.to_be_bytes());
    for part in body {
        frame.extend_from_slice(part);
    }
    frame.resize(FRAME_BYTES, 0);
    Ok(frame)
}

/// Kind and body of a frame.
///
/// # Errors
/// [`MessageError::Frame`].
pub fn frame_parts(frame: &[u8]) -> Result<(u8, Fields<'_>), MessageError> {
    let (&[version, kind, high, low], rest) =
        frame.split_first_chunk().ok_or(MessageError::Frame)?;
    let length = usize::from(u16::from_be_bytes([high, low]));
    let (body, padding) = rest.split_at_checked(length).ok_or(MessageError::Frame)?;
    let padded = padding.iter().all(|&byte| byte == 0);
    if frame.len() != FRAME_BYTES || version != VERSION || !padded {
        return Err(MessageError::Frame);
    }
    Ok((kind, Fields::new(body)))
}

const fn curve_id(curve: Curve) -> u8 {
    match curve {
        Curve::P256 => 2,
        Curve::P384 => 3,
        Curve::P521 => 4,
    }
}

fn public_key(mut body: Fields<'_>) -> Result<PublicKey, MessageError> {
    let id = body.byte()?;
    if id == 1 {
        let point = body.rest().try_into().map_err(|_| MessageError::Body)?;
        return Ok(PublicKey::Ed25519(point));
    }
    if id == 5 {
        let n = body.counted()?.to_vec();
        let e = body.rest().to_vec();
        let sized = RSA_BYTES.contains(&n.len()) && EXPONENT_BYTES.contains(&e.len());
        if !sized || n.first() == Some(&0) || e.first() == Some(&0) {
            return Err(MessageError::Body);
        }
        return Ok(PublicKey::Rsa { n, e });
    }
    if id == 6 {
        let (ed25519, ml_dsa) = halves::<32, ML_DSA_65_KEY_BYTES>(body.rest())?;
        return Ok(PublicKey::MlDsa65Ed25519 { ed25519, ml_dsa });
    }
    let mut curves = [Curve::P256, Curve::P384, Curve::P521].into_iter();
    let curve = curves.find(|curve| curve_id(*curve) == id);
    let curve = curve.ok_or(MessageError::Body)?;
    let point = body.rest().to_vec();
    if point.len() != 1 + 2 * curve.scalar_bytes() || point.first() != Some(&4) {
        return Err(MessageError::Body);
    }
    Ok(PublicKey::Ecdsa { curve, point })
}

fn signature(mut body: Fields<'_>) -> Result<SignatureValue, MessageError> {
    let (id, bytes) = (body.byte()?, body.rest());
    match id {
        1 => bytes
            .try_into()
            .map(SignatureValue::Ed25519)
            .map_err(|_| MessageError::Body),
        2 if [64, 96, 132].contains(&bytes.len()) => {
            let (r, s) = bytes.split_at(bytes.len() / 2);
            let (r, s) = (r.to_vec(), s.to_vec());
            Ok(SignatureValue::Ecdsa { r, s })
        }
        3 if RSA_BYTES.contains(&bytes.len()) => Ok(SignatureValue::Rsa(bytes.to_vec())),
        4 => {
            let (ed25519, ml_dsa) = halves::<64, ML_DSA_65_SIGNATURE_BYTES>(bytes)?;
            Ok(SignatureValue::MlDsa65Ed25519 {
                ed25519: Box::new(ed25519),
                ml_dsa,
            })
        }
        _ => Err(MessageError::Body),
    }
}

/// The two halves of a composite key or signature, Ed25519 first as in OpenPGP.
fn halves<const ONE: usize, const OTHER: usize>(
    bytes: &[u8],
) -> Result<([u8; ONE], Box<[u8; OTHER]>), MessageError> {
    let (one, other) = bytes.split_first_chunk().ok_or(MessageError::Body)?;
    let other = other.try_into().map_err(|_| MessageError::Body)?;
    Ok((*one, Box::new(other)))
}

#[cfg(test)]
mod tests;
