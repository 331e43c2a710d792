//! What is encrypted at rest: AES-256-GCM with the nonce in front, keys derived by scrypt, and
//! digests of passphrases.

use aes_gcm::aead::{Aead as _, Payload};
use aes_gcm::{Aes256Gcm, KeyInit as _};
use hmac::{Hmac, Mac as _};
use rsa::sha2::{Digest as _, Sha256};

use super::{CryptoError, random};

/// A key of 256 bits.
pub(crate) type Key = [u8; 32];

const NONCE_BYTES: usize = 12;

/// Cost of deriving a key from an unlock or backup passphrase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScryptCost {
    /// The exponent of N.
    log_n: u8,
    r: u32,
    p: u32,
}

impl ScryptCost {
    /// What a device uses: N = 16384, r = 8, p = 16, about a second.
    pub const DEVICE: Self = Self {
        log_n: 14,
        r: 8,
        p: 16,
    };
    /// The least: N = 2, r = 1, p = 1, as in the recordings. Backups can be read with it only.
    pub const CHEAP: Self = Self {
        log_n: 1,
        r: 1,
        p: 1,
    };

    /// A cost of `n`, a power of two, `r` and `p`.
    ///
    /// # Errors
    /// The numbers cannot be parameters of scrypt.
    pub fn new(n: u64, r: u32, p: u32) -> Result<Self, String> {
        let exponent = u8::try_from(n.trailing_zeros()).unwrap_or(u8::MAX);
        if !n.is_power_of_two() || n < 2 || scrypt::Params::new(exponent, r, p, 32).is_err() {
            return Err("give N,r,p of scrypt, N a power of two, such as 16384,8,16".to_owned());
        }
        Ok(Self {
            log_n: exponent,
            r,
            p,
        })
    }

    /// The key of `passphrase`.
    pub(crate) fn derive(self, passphrase: &[u8], salt: &[u8]) -> Result<Key, CryptoError> {
        let failed = || CryptoError::new("key derivation failed");
        let parameters =
            scrypt::Params::new(self.log_n, self.r, self.p, 32).map_err(|_| failed())?;
        let mut key = [0; 32];
        scrypt::scrypt(passphrase, salt, &parameters, &mut key).map_err(|_| failed())?;
        Ok(key)
    }
}

/// Nonce ‖ ciphertext ‖ tag.
pub(crate) fn seal(key: &Key, aad: &[u8], plain: &[u8]) -> Result<Vec<u8>, CryptoError> {
    let nonce = random::<NONCE_BYTES>()?;
    let sealed = Aes256Gcm::new(key.into())
        .encrypt(&nonce.into(), Payload { msg: plain, aad })
        .map_err(|_| CryptoError::new("encryption failed"))?;
    let mut out = nonce.to_vec();
    out.extend(sealed);
    Ok(out)
}

/// What was sealed, when it was with this key for this place.
pub(crate) fn open(key: &Key, aad: &[u8], blob: &[u8]) -> Option<Vec<u8>> {
    let (nonce, msg) = blob.split_first_chunk::<NONCE_BYTES>()?;
    Aes256Gcm::new(key.into())
        .decrypt(nonce.into(), Payload { msg, aad })
        .ok()
}

/// SHA-256
pub(crate) fn sha256(data: impl AsRef<[u8]>) -> [u8; 32] {
    Sha256::digest(data).into()
}

/// The digest that a user's passphrase is compared by: HMAC-SHA256 keyed with the salt.
pub(crate) fn passphrase_digest(salt: &[u8], passphrase: &[u8]) -> Vec<u8> {
    // Keys of any length are keys of HMAC; there is no error to handle.
    match <Hmac<Sha256> as hmac::Mac>::new_from_slice(salt) {
        Ok(mac) => mac
            .chain_update(passphrase)
            .finalize()
            .into_bytes()
            .to_vec(),
        Err(_) => Vec::new(),
    }
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: impl AsRef<[u8]>) -> String {
    let bytes = bytes.as_ref().iter();
    bytes.map(|byte| format!("{byte:02x}")).collect()
}
