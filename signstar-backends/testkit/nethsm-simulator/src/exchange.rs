//! A request as the order of checks sees it, and an answer.

use std::net::IpAddr;

/// A request with its whole body.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// Still percent-encoded, without the query.
    pub(crate) path: String,
    pub(crate) query: String,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) address: IpAddr,
}

impl Request {
    /// The first header with a name in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers
            .find(|(header, _)| header == name)
            .map(|(_, value)| value.as_str())
    }

    /// The media type of the body without parameters.
    pub(crate) fn media(&self) -> Option<String> {
        let value = self.header("content-type")?;
        let media = value.split(';').next().unwrap_or_default();
        Some(media.trim().to_ascii_lowercase())
    }
}

/// An answer.
#[derive(Debug, Clone, Default)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
    /// Whether the body is sent in chunks, without saying how much it is.
    pub(crate) chunked: bool,
    /// Whether it is held back until the cluster has promoted this device.
    pub(crate) waits: bool,
}

impl Response {
    pub(crate) fn new(status: u16) -> Self {
        Self {
            status,
            ..Self::default()
        }
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// What a resource did.
#[derive(Debug)]
pub(crate) enum Answer {
    /// 204
    Done,
    /// 200
    Body(Vec<u8>),
    /// 200, in chunks
    Stream(Vec<u8>),
    /// 201 with the place of what was made
    Created { location: String, body: Vec<u8> },
    /// 201 without a place
    Stored,
    /// 304: it was so before
    Unchanged,
    /// 404 without a body
    Absent,
    /// 204, as soon as the cluster has promoted this device
    WhenPromoted,
}

/// What a resource refused, with the message in the body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) message: String,
}

impl Refusal {
    pub(crate) fn new(status: u16, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
        }
    }

    /// 400
    pub(crate) fn bad(message: impl Into<String>) -> Self {
        Self::new(400, message)
    }
}

impl From<crate::crypto::CryptoError> for Refusal {
    fn from(error: crate::crypto::CryptoError) -> Self {
        Self::bad(error.0)
    }
}

/// Percent-decoding of one segment of a path or one part of a query.
pub(crate) fn percent_decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let code = bytes
            .get(at + 1..at + 3)
            .filter(|_| *byte == b'%')
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match code {
            Some(code) => {
                out.push(code);
                at += 3;
            }
            None => {
                out.push(*byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}
