//! The cryptography that the device offers: keys of every type, what they sign and decrypt, and the
//! encodings that they come in. Nothing here knows of users, stores or HTTP.

pub(crate) mod brainpool;
pub(crate) mod certificate;
pub(crate) mod chain;
pub(crate) mod der;
pub(crate) mod ec;
pub(crate) mod import;
pub(crate) mod pem;
pub(crate) mod private_key;
pub(crate) mod rsa_key;
pub(crate) mod sealed;

/// `N` bytes from the system.
///
/// # Errors
/// The system has none.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], CryptoError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| CryptoError::new("no randomness"))?;
    Ok(bytes)
}

/// `count` bytes from the system.
///
/// # Errors
/// The system has none.
pub(crate) fn random_bytes(count: usize) -> Result<Vec<u8>, CryptoError> {
    let mut bytes = vec![0; count];
    getrandom::fill(&mut bytes).map_err(|_| CryptoError::new("no randomness"))?;
    Ok(bytes)
}

/// What the device says of an operation that failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct CryptoError(pub(crate) String);

impl CryptoError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}
