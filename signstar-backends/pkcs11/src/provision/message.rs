//! What is said to the process that makes keys and by it, as data: frames of `signstar-core`, of kinds of
//! their own.

use signstar_core::{
    Fields, Frame, MessageError, PublicKey, WorkerAnswer, WorkerFault, frame, frame_parts,
};

use super::Fault;
use crate::Uri;

/// Longest label and identifier of a key.
const NAME_BYTES_MAX: usize = 255;
/// Most groups of an account.
const GROUPS_MAX: u16 = 256;

/// Who uses the token, so that what the module writes belongs to them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Number of the account.
    pub user: u32,
    /// Number of its own group.
    pub group: u32,
    /// Numbers of all groups that it is in.
    pub groups: Vec<u32>,
}

/// A kind of key on a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Ed25519.
    Ed25519,
    /// ECDSA on P-256.
    P256,
    /// ECDSA on P-384.
    P384,
    /// ECDSA on P-521.
    P521,
    /// RSA with 2048 bits.
    Rsa2048,
    /// RSA with 3072 bits.
    Rsa3072,
    /// RSA with 4096 bits.
    Rsa4096,
    /// ML-DSA-65, which is half of a key.
    MlDsa65,
}

impl Kind {
    /// All of them, in the order of their numbers, which count from 1.
    pub const ALL: [Self; 8] = [
        Self::Ed25519,
        Self::P256,
        Self::P384,
        Self::P521,
        Self::Rsa2048,
        Self::Rsa3072,
        Self::Rsa4096,
        Self::MlDsa65,
    ];

    /// Its name, for people: that of the public key.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ed25519 => "ed25519",
            Self::P256 => "p256",
            Self::P384 => "p384",
            Self::P521 => "p521",
            Self::Rsa2048 => "rsa2048",
            Self::Rsa3072 => "rsa3072",
            Self::Rsa4096 => "rsa4096",
            Self::MlDsa65 => "mldsa65",
        }
    }

    fn code(self) -> u8 {
        let position = Self::ALL.iter().position(|kind| *kind == self);
        let position = position.and_then(|index| u8::try_from(index + 1).ok());
        position.unwrap_or(0)
    }

    fn from_code(code: u8) -> Result<Self, MessageError> {
        let index = usize::from(code).checked_sub(1);
        let kind = index.and_then(|index| Self::ALL.get(index));
        kind.copied().ok_or(MessageError::Body)
    }
}

/// A key pair to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewKey {
    /// Its kind.
    pub kind: Kind,
    /// Its CKA_LABEL.
    pub label: String,
    /// Its CKA_ID.
    pub id: Vec<u8>,
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// Say which tokens there are.
    List,
    /// Make a key pair, or the two of a composite key: ML-DSA-65 first, then Ed25519.
    Make(NewKey, Option<NewKey>),
}

/// What to do, as whom: the second message, after that of the worker which names the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Demand {
    /// As whom; nobody else than whoever asks, if it is not said.
    pub account: Option<Account>,
    /// What.
    pub order: Order,
}

/// How a token's PIN is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PinState {
    /// Nothing is known against it.
    Fine,
    /// It was wrong at least once.
    CountLow,
    /// It may be wrong once more.
    FinalTry,
    /// It is locked.
    Locked,
    /// It is not set, or must be changed first.
    Unusable,
    /// It is entered at a keypad of the token.
    Pad,
}

impl PinState {
    /// All of them, in the order of their numbers, which count from 1.
    pub const ALL: [Self; 6] = [
        Self::Fine,
        Self::CountLow,
        Self::FinalTry,
        Self::Locked,
        Self::Unusable,
        Self::Pad,
    ];

    /// A word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fine => "fine",
            Self::CountLow => "was wrong",
            Self::FinalTry => "one try left",
            Self::Locked => "locked",
            Self::Unusable => "not set",
            Self::Pad => "at a keypad",
        }
    }
}

/// A token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenSeen {
    /// Label, serial number, manufacturer and model; no key.
    pub uri: Uri,
    /// How its PIN is.
    pub pin: PinState,
}

/// A key on a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeySeen {
    /// Its CKA_LABEL, if it has one that is text.
    pub label: Option<String>,
    /// Its CKA_ID, if it has one.
    pub id: Option<Vec<u8>>,
    /// Its kind, if it is one that can sign here.
    pub kind: Option<Kind>,
}

/// What the process says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A token; one that is to get a key waits for its PIN.
    Token(TokenSeen),
    /// A key on the token that was named last.
    Key(KeySeen),
    /// That is all of them.
    End,
    /// The key was made, and this is its public half.
    Made(PublicKey),
    /// It was not done. The process has ended.
    Fault(Fault),
}

impl Demand {
    /// The message as one frame.
    ///
    /// # Errors
    /// [`MessageError::TooLong`], [`MessageError::Body`] if a name is empty.
    pub fn to_frame(&self) -> Result<Frame, MessageError> {
        let mut body = Vec::new();
        body.push(u8::from(self.account.is_some()));
        if let Some(account) = &self.account {
            let count = u16::try_from(account.groups.len()).map_err(|_| MessageError::TooLong)?;
            body.extend(account.user.to_be_bytes());
            body.extend(account.group.to_be_bytes());
            body.extend(count.to_be_bytes());
            let groups = account.groups.iter();
            body.extend(groups.flat_map(|group| group.to_be_bytes()));
        }
        if let Order::Make(first, second) = &self.order {
            body.push(1 + u8::from(second.is_some()));
            for key in std::iter::once(first).chain(second) {
                body.push(key.kind.code());
                put(&mut body, key.label.as_bytes())?;
                put(&mut body, &key.id)?;
            }
        } else {
            body.push(0);
        }
        let made = frame(33, &[&body])?;
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
        let (33, mut body) = frame_parts(frame)? else {
            return Err(MessageError::Kind);
        };
        let account = match body.byte()? {
            0 => None,
            1 => Some(account(&mut body)?),
            _ => return Err(MessageError::Body),
        };
        let order = match body.byte()? {
            0 => Order::List,
            1 => Order::Make(new_key(&mut body)?, None),
            2 => Order::Make(new_key(&mut body)?, Some(new_key(&mut body)?)),
            _ => return Err(MessageError::Body),
        };
        body.end(Self { account, order })
    }
}

impl Answer {
    /// The message as one frame.
    ///
    /// # Errors
    /// [`MessageError`] if it would not be read back.
    pub fn to_frame(&self) -> Result<Frame, MessageError> {
        let made = match self {
            Self::Token(token) => {
                let code = PinState::ALL.iter().position(|state| *state == token.pin);
                let code = code.and_then(|index| u8::try_from(index + 1).ok());
                let mut body = vec![code.ok_or(MessageError::Body)?];
                let Uri {
                    token,
                    serial,
                    manufacturer,
                    model,
                    ..
                } = &token.uri;
                for text in [token, serial, manufacturer, model] {
                    optional(&mut body, text.as_ref().map(String::as_bytes))?;
                }
                frame(49, &[&body])
            }
            Self::Key(key) => {
                let mut body = vec![key.kind.map_or(0, Kind::code)];
                optional(&mut body, key.label.as_ref().map(String::as_bytes))?;
                optional(&mut body, key.id.as_deref())?;
                frame(50, &[&body])
            }
            Self::End => frame(51, &[]),
            Self::Made(public) => WorkerAnswer::Ready(public.clone()).to_frame(),
            Self::Fault(Fault::Worker(fault)) => WorkerAnswer::Fault(*fault).to_frame(),
            Self::Fault(fault) => frame(52, &[&[fault.code()?]]),
        }?;
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
            49 => {
                let index = usize::from(body.byte()?).checked_sub(1);
                let pin = index.and_then(|index| PinState::ALL.get(index));
                let pin = *pin.ok_or(MessageError::Body)?;
                let uri = Uri {
                    token: optional_text(&mut body)?,
                    serial: optional_text(&mut body)?,
                    manufacturer: optional_text(&mut body)?,
                    model: optional_text(&mut body)?,
                    object: None,
                    id: None,
                };
                body.end(Self::Token(TokenSeen { uri, pin }))
            }
            50 => {
                let kind = match body.byte()? {
                    0 => None,
                    code => Some(Kind::from_code(code)?),
                };
                let label = optional_text(&mut body)?;
                let id = some(&mut body)?.map(<[u8]>::to_vec);
                body.end(Self::Key(KeySeen { label, id, kind }))
            }
            51 => body.end(Self::End),
            52 => {
                let fault = Fault::from_code(body.byte()?).ok_or(MessageError::Body)?;
                body.end(Self::Fault(fault))
            }
            _ => match WorkerAnswer::from_frame(frame)? {
                WorkerAnswer::Ready(public) => Ok(Self::Made(public)),
                WorkerAnswer::Fault(fault) => Ok(Self::Fault(Fault::Worker(fault))),
                WorkerAnswer::PinWanted | WorkerAnswer::Signature(_) => Err(MessageError::Kind),
            },
        }
    }
}

impl From<WorkerFault> for Answer {
    fn from(fault: WorkerFault) -> Self {
        Self::Fault(fault.into())
    }
}

fn account(body: &mut Fields<'_>) -> Result<Account, MessageError> {
    let (user, group) = (long(body)?, long(body)?);
    let count = body.number()?;
    if count > GROUPS_MAX {
        return Err(MessageError::Body);
    }
    let groups = (0..count).map(|_| long(body)).collect::<Result<_, _>>()?;
    Ok(Account {
        user,
        group,
        groups,
    })
}

fn new_key(body: &mut Fields<'_>) -> Result<NewKey, MessageError> {
    let kind = Kind::from_code(body.byte()?)?;
    let label = text(body.counted()?)?;
    let id = body.counted()?.to_vec();
    match label.is_empty() || id.is_empty() || label.len().max(id.len()) > NAME_BYTES_MAX {
        true => Err(MessageError::Body),
        false => Ok(NewKey { kind, label, id }),
    }
}

fn long(body: &mut Fields<'_>) -> Result<u32, MessageError> {
    let (high, low) = (body.number()?, body.number()?);
    Ok(u32::from(high) << 16 | u32::from(low))
}

fn put(body: &mut Vec<u8>, bytes: &[u8]) -> Result<(), MessageError> {
    let length = u16::try_from(bytes.len()).map_err(|_| MessageError::TooLong)?;
    body.extend(length.to_be_bytes());
    body.extend_from_slice(bytes);
    Ok(())
}

/// An empty value stands for none.
fn optional(body: &mut Vec<u8>, bytes: Option<&[u8]>) -> Result<(), MessageError> {
    put(body, bytes.unwrap_or_default())
}

fn some<'b>(body: &mut Fields<'b>) -> Result<Option<&'b [u8]>, MessageError> {
    let bytes = body.counted()?;
    if bytes.len() > NAME_BYTES_MAX {
        return Err(MessageError::Body);
    }
    Ok(Some(bytes).filter(|bytes| !bytes.is_empty()))
}

fn optional_text(body: &mut Fields<'_>) -> Result<Option<String>, MessageError> {
    some(body)?.map(text).transpose()
}

fn text(bytes: &[u8]) -> Result<String, MessageError> {
    let text = std::str::from_utf8(bytes).map_err(|_| MessageError::Body)?;
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests;
