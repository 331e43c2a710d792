//! The few commands of a TPM that a test or a resource manager sends itself, as bytes (TCG TPM 2.0
//! Library, part 3), and what is read from answers.

/// Tag, length, code.
pub(crate) const HEADER_BYTES: usize = 10;
/// First handle of loaded objects.
pub(crate) const TRANSIENT: u32 = 0x8000_0000;
/// First handle of loaded sessions.
pub(crate) const LOADED_SESSION: u32 = 0x0200_0000;

const NO_SESSIONS: u16 = 0x8001;
const SESSIONS: u16 = 0x8002;
const GET_CAPABILITY: u32 = 0x17a;
const FLUSH_CONTEXT: u32 = 0x165;
const PCR_EXTEND: u32 = 0x182;
const CAPABILITY_HANDLES: u32 = 1;
const CAPABILITY_PROPERTIES: u32 = 6;

/// Variable properties.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Property {
    /// Failed attempts that count.
    LockoutCounter,
    /// After how many no more is accepted.
    MaxAuthFail,
}

impl Property {
    const fn number(self) -> u32 {
        match self {
            Self::LockoutCounter => 0x20e,
            Self::MaxAuthFail => 0x20f,
        }
    }
}

/// The length that a header declares, in bytes.
pub(crate) fn length(message: &[u8]) -> usize {
    let field: [u8; 4] = message[2..6].try_into().unwrap();
    usize::try_from(u32::from_be_bytes(field)).unwrap()
}

/// The code of a command.
pub fn code(command: &[u8]) -> u32 {
    word(command, 6)
}

/// The code of an answer; zero means success.
pub fn response_code(answer: &[u8]) -> u32 {
    word(answer, 6)
}

fn word(message: &[u8], at: usize) -> u32 {
    let field: [u8; 4] = message[at..at + 4].try_into().unwrap();
    u32::from_be_bytes(field)
}

fn command(tag: u16, code: u32, body: &[&[u8]]) -> Vec<u8> {
    let body = body.concat();
    let length = u32::try_from(HEADER_BYTES + body.len()).unwrap();
    [
        &tag.to_be_bytes()[..],
        &length.to_be_bytes(),
        &code.to_be_bytes(),
        &body,
    ]
    .concat()
}

pub(crate) fn get_handles(first: u32) -> Vec<u8> {
    let body = [CAPABILITY_HANDLES, first, 16].map(u32::to_be_bytes);
    command(NO_SESSIONS, GET_CAPABILITY, &[body.as_flattened()])
}

/// From `moreData`, `capability`, `count`, handles.
pub(crate) fn handles_of(answer: &[u8]) -> Vec<u32> {
    let handles = answer.get(HEADER_BYTES + 9..).unwrap_or_default();
    let whole = handles.chunks_exact(4);
    whole.map(|handle| word(handle, 0)).collect()
}

pub(crate) fn get_property(property: Property) -> Vec<u8> {
    let body = [CAPABILITY_PROPERTIES, property.number(), 1].map(u32::to_be_bytes);
    command(NO_SESSIONS, GET_CAPABILITY, &[body.as_flattened()])
}

/// From `moreData`, `capability`, `count`, one pair of property and value.
pub(crate) fn property_of(answer: &[u8]) -> u32 {
    word(answer, HEADER_BYTES + 13)
}

pub(crate) fn flush(handle: u32) -> Vec<u8> {
    command(NO_SESSIONS, FLUSH_CONTEXT, &[&handle.to_be_bytes()])
}

/// With an empty password, as registers have it.
pub(crate) fn extend(register: u32) -> Vec<u8> {
    const EMPTY_PASSWORD: [u8; 13] = [0, 0, 0, 9, 0x40, 0, 0, 9, 0, 0, 0, 0, 0];
    const ONE_SHA256: [u8; 6] = [0, 0, 0, 1, 0, 0x0b];
    command(
        SESSIONS,
        PCR_EXTEND,
        &[
            &register.to_be_bytes(),
            &EMPTY_PASSWORD,
            &ONE_SHA256,
            &[0x5a; 32],
        ],
    )
}
