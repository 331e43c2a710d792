//! What the worker must know before it loads a module: all of it from the configuration.

use super::fields::Fields;
use super::{BODY_BYTES_MAX, MessageError};

/// Which module and key, and what the module may touch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModuleSettings {
    /// Path of the module, absolute.
    pub module: String,
    /// The key as an RFC 7512 URI.
    pub uri: String,
    /// The Ed25519 half of a composite key, whose ML-DSA half is at `uri`, on the same token.
    pub uri_ed25519: Option<String>,
    /// Files and folders that the module may read, absolute paths.
    pub read: Vec<String>,
    /// Files and folders that it may change as well, absolute paths.
    pub write: Vec<String>,
    /// Processor time that the worker may use in all, in seconds, at least 1.
    pub processor_seconds: u16,
}

impl ModuleSettings {
    pub(super) fn encode(&self) -> Result<Vec<u8>, MessageError> {
        let mut body = self.processor_seconds.to_be_bytes().to_vec();
        put(&mut body, &self.module)?;
        put(&mut body, &self.uri)?;
        body.push(u8::from(self.uri_ed25519.is_some()));
        if let Some(uri) = &self.uri_ed25519 {
            put(&mut body, uri)?;
        }
        for paths in [&self.read, &self.write] {
            let count = u16::try_from(paths.len()).map_err(|_| MessageError::TooLong)?;
            body.extend(count.to_be_bytes());
            for path in paths {
                put(&mut body, path)?;
            }
        }
        if body.len() > BODY_BYTES_MAX {
            return Err(MessageError::TooLong);
        }
        Ok(body)
    }

    pub(super) fn decode(mut body: Fields<'_>) -> Result<Self, MessageError> {
        let settings = Self {
            processor_seconds: body.number()?,
            module: text(&mut body)?,
            uri: text(&mut body)?,
            uri_ed25519: match body.byte()? {
                0 => None,
                1 => Some(text(&mut body)?),
                _ => return Err(MessageError::Body),
            },
            read: list(&mut body)?,
            write: list(&mut body)?,
        };
        if settings.processor_seconds == 0 {
            return Err(MessageError::Body);
        }
        body.end(settings)
    }
}

fn put(body: &mut Vec<u8>, text: &str) -> Result<(), MessageError> {
    let length = u16::try_from(text.len()).map_err(|_| MessageError::TooLong)?;
    body.extend(length.to_be_bytes());
    body.extend_from_slice(text.as_bytes());
    Ok(())
}

fn text(body: &mut Fields<'_>) -> Result<String, MessageError> {
    let text = std::str::from_utf8(body.counted()?).map_err(|_| MessageError::Body)?;
    if text.is_empty() || text.contains('\0') {
        return Err(MessageError::Body);
    }
    Ok(text.to_owned())
}

fn list(body: &mut Fields<'_>) -> Result<Vec<String>, MessageError> {
    // Not collected by a capacity from outside: each text takes bytes of the frame.
    (0..body.number()?).map(|_| text(body)).collect()
}
