//! What tests make go wrong: the next requests fail, are slow, or are answered with nonsense.

use std::time::Duration;

/// What happens to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// It is answered with this status and body (sent as JSON), and not carried out.
    Status(u16, String),
    /// It is answered with these octets instead of an answer, and the connection is closed. It is not
    /// carried out.
    Raw(Vec<u8>),
    /// The connection is closed without an answer; the request is not carried out.
    CloseBefore,
    /// The request is carried out, then the connection is closed without an answer.
    CloseAfter,
    /// It waits, and is then carried out and answered as usual.
    Delay(Duration),
    /// It is carried out; the octets of the body come one by one with this pause before each.
    Drip(Duration),
    /// It is carried out; the connection is closed after half of the body.
    Cut,
    /// It is carried out; one letter in the middle of the body is another one, which is still base64.
    Flip,
    /// It is carried out; the body is followed by so many blanks.
    Oversize(usize),
}

/// A fault and what it is for.
#[derive(Debug, Clone)]
pub(crate) struct Hook {
    /// All operations, when absent.
    pub(crate) operation: Option<String>,
    pub(crate) fault: Fault,
    /// How many requests it is still for.
    pub(crate) times: usize,
}

/// The fault for the next request of an operation, which is used up.
pub(crate) fn take(hooks: &mut Vec<Hook>, operation: Option<&str>) -> Option<Fault> {
    let hook = hooks.iter_mut().find(|hook| {
        let wanted = hook.operation.as_deref();
        hook.times > 0 && (wanted.is_none() || wanted == operation)
    })?;
    hook.times -= 1;
    let fault = hook.fault.clone();
    hooks.retain(|hook| hook.times > 0);
    Some(fault)
}

/// Replaces an octet of a body by another one of base64's alphabet.
pub(crate) fn flip(body: &mut [u8]) {
    let middle = body.len() / 2;
    let from = body.iter_mut().skip(middle);
    let mut letters = from.filter(|byte| byte.is_ascii_alphanumeric());
    if let Some(byte) = letters.next() {
        *byte = if *byte == b'A' { b'B' } else { b'A' };
    }
}
