//! What is said to the process that makes keys and by it, as data: frames of `signstar-core`, of kinds of
//! their own.

use signstar_core::{
    Fields, Frame, KeyKind, MessageError, WorkerAnswer, WorkerFault, frame, frame_parts,
};

use super::Fault;
use super::model::{Account, Answer, Demand, KINDS, KeySeen, NewKey, Order, PinState, TokenSeen};
use crate::Uri;

/// Longest label and identifier of a key.
const NAME_BYTES_MAX: usize = 255;
/// Most groups of an account.
const GROUPS_MAX: u16 = 256;

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
        let (mark, keys) = match &self.order {
            Order::List => (0, [None, None]),
            Order::Make(first, None) => (1, [Some(first), None]),
            Order::Make(first, Some(second)) => (2, [Some(first), Some(second)]),
            Order::Import(key) => (3, [Some(key), None]),
        };
        body.push(mark);
        for key in keys.into_iter().flatten() {
            body.push(code(key.kind));
            put(&mut body, key.label.as_bytes())?;
            put(&mut body, &key.id)?;
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
            3 => Order::Import(new_key(&mut body)?),
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
                let mut body = vec![key.kind.map_or(0, code)];
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
                    code => Some(from_code(code)?),
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

/// The number of a kind, or 0 if tokens have no such keys.
fn code(kind: KeyKind) -> u8 {
    let position = KINDS.iter().position(|known| *known == kind);
    let position = position.and_then(|index| u8::try_from(index + 1).ok());
    position.unwrap_or(0)
}

fn from_code(code: u8) -> Result<KeyKind, MessageError> {
    let index = usize::from(code).checked_sub(1);
    let kind = index.and_then(|index| KINDS.get(index));
    kind.copied().ok_or(MessageError::Body)
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
    let kind = from_code(body.byte()?)?;
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
