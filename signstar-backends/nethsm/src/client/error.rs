//! What can go wrong between here and a device: a variant for each who must act.

use serde_json::Value;

/// The device's own words are no longer.
const MESSAGE_CHARACTERS_MAX: usize = 200;

/// Why an operation was not done, or is not known to be. Texts carry nothing that the device has said:
/// its own words are beside them ([`ClientError::message`]), without control characters, for the
/// eyes of an operator.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// What was configured cannot be used. Whoever has configured it must act.
    #[error("{0}")]
    Settings(&'static str),
    /// The device cannot be reached; nothing was sent. The network's or the device's operator must
    /// look; a retry may help.
    #[error("cannot be reached: {0}")]
    Unreachable(&'static str),
    /// The device has not shown the TLS certificate that is trusted; nothing was sent. The operator
    /// must find out why before anything else.
    #[error("does not prove who it is: {0}")]
    Untrusted(&'static str),
    /// The request was sent and no whole answer came: it may have been done. Look before it is
    /// repeated.
    #[error("has not answered: {0}")]
    Lost(&'static str),
    /// Status 401: The passphrase is wrong or there is no such user; or the device cannot read its own
    /// store, which looks the same. Never repeated.
    #[error("refuses user and passphrase, or cannot read its users: see its health")]
    Unauthenticated,
    /// Status 403: The user may not do this: another role, namespace or tag.
    #[error("does not let this user do this: look at role, namespace and tags")]
    Forbidden(Option<String>),
    /// Status 404: There is no such key, user or place.
    #[error("does not have what was asked for")]
    Absent(Option<String>),
    /// Status 409: There is something in the way.
    #[error("has something in the way")]
    Conflict(Option<String>),
    /// Status 412: The device is in another state: locked, not provisioned, failed.
    #[error("is in a state in which it does not do this: look at its health")]
    State(Option<String>),
    /// Status 429: Somebody has failed to log in a second ago. A retry after more than a second helps.
    #[error("has had a failed login a moment ago: wait for a second")]
    Throttled,
    /// Status 5xx: The device has failed; a retry may help.
    #[error("has failed (status {0})")]
    Failed(u16, Option<String>),
    /// Another status. The request is wrong: a retry does not help.
    #[error("refuses the request (status {0})")]
    Refused(u16, Option<String>),
    /// The answer makes no sense or is too large. A retry does not help.
    #[error("answers nonsense: {0}")]
    Nonsense(&'static str),
}

impl ClientError {
    /// What the device has said about it: printable, at most 200 characters.
    pub fn message(&self) -> Option<&str> {
        match self {
            Self::Forbidden(message)
            | Self::Absent(message)
            | Self::Conflict(message)
            | Self::State(message)
            | Self::Failed(_, message)
            | Self::Refused(_, message) => message.as_deref(),
            Self::Settings(_)
            | Self::Unreachable(_)
            | Self::Untrusted(_)
            | Self::Lost(_)
            | Self::Unauthenticated
            | Self::Throttled
            | Self::Nonsense(_) => None,
        }
    }

    /// Whether a replica of the device may do what this one has not.
    pub const fn is_for_another_device(&self) -> bool {
        match self {
            Self::Unreachable(_)
            | Self::Untrusted(_)
            | Self::Lost(_)
            | Self::State(_)
            | Self::Throttled
            | Self::Failed(_, _) => true,
            Self::Settings(_)
            | Self::Unauthenticated
            | Self::Forbidden(_)
            | Self::Absent(_)
            | Self::Conflict(_)
            | Self::Refused(_, _)
            | Self::Nonsense(_) => false,
        }
    }

    /// The error that an answer with this HTTP status and body stands for; `None` for success, and for 304,
    /// which says that there was nothing to change.
    pub fn of_answer(status: u16, body: &[u8]) -> Option<Self> {
        let message = message(body);
        Some(match status {
            200..=299 | 304 => return None,
            401 => Self::Unauthenticated,
            403 => Self::Forbidden(message),
            404 => Self::Absent(message),
            409 => Self::Conflict(message),
            412 => Self::State(message),
            429 => Self::Throttled,
            500..=599 => Self::Failed(status, message),
            300..=399 => Self::Nonsense("it sends elsewhere: is this the right port?"),
            _ => Self::Refused(status, message),
        })
    }
}

/// The text of `{"message": "…"}`, as far as it can be printed.
fn message(body: &[u8]) -> Option<String> {
    let value: Value = serde_json::from_slice(body).ok()?;
    let text = value.get("message")?.as_str()?;
    let printable = |char: char| match char.is_control() {
        true => '\u{fffd}',
        false => char,
    };
    let text: String = text
        .chars()
        .take(MESSAGE_CHARACTERS_MAX)
        .map(printable)
        .collect();
    (!text.is_empty()).then_some(text)
}
