//! How what is in PKCS#12 files is sealed: PBES2 (RFC 8018) with AES or triple DES, and the scheme of PKCS#12
//! itself (RFC 7292, appendix C) with triple DES or RC2.

use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockCipher, BlockDecryptMut, InnerIvInit as _, KeyInit};
use signstar_nethsm::der::{OCTETS, OID, Reader, SEQUENCE};
use zeroize::Zeroizing;

use super::derived::{Hash, Passphrase};
use super::{UNKNOWN_CIPHER, WRONG_PASSPHRASE};

const PBES2: [u8; 9] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05, 0x0d];
/// What the names of PKCS#12's own ciphers begin with; a number follows.
const OWN: [u8; 9] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c, 0x01];
const TRIPLE_DES: [u8; 8] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x03, 0x07];
/// What names of AES begin with.
const AES: [u8; 8] = [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01];

/// A cipher in CBC, with its key.
struct Cipher {
    kind: Kind,
    key: Zeroizing<Vec<u8>>,
    iv: Zeroizing<Vec<u8>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Aes128,
    Aes192,
    Aes256,
    TripleDes,
    /// Triple DES whose third key is the first.
    TwoKeyDes,
    /// RC2, as strong as its key is long.
    Rc2 {
        key_bytes: usize,
    },
}

/// What is in `content`, which was sealed as the name and parameters of `algorithm` say.
pub(super) fn open(
    algorithm: Reader<'_>,
    content: &[u8],
    passphrase: &mut Passphrase<'_>,
) -> Result<Zeroizing<Vec<u8>>, &'static str> {
    let cipher = Cipher::read(algorithm, passphrase)?;
    // The padding says whether the key is the right one.
    cipher.open(content).ok_or(WRONG_PASSPHRASE)
}

impl Kind {
    /// By the last number of a name of PKCS#12.
    const fn of_pkcs12(number: u8) -> Option<Self> {
        Some(match number {
            3 => Self::TripleDes,
            4 => Self::TwoKeyDes,
            5 => Self::Rc2 { key_bytes: 16 },
            6 => Self::Rc2 { key_bytes: 5 },
            _ => return None,
        })
    }

    fn of_pbes2(name: &[u8]) -> Option<Self> {
        match name.strip_prefix(&AES) {
            _ if name == TRIPLE_DES => Some(Self::TripleDes),
            Some([2]) => Some(Self::Aes128),
            Some([22]) => Some(Self::Aes192),
            Some([42]) => Some(Self::Aes256),
            _ => None,
        }
    }

    const fn key_bytes(self) -> usize {
        match self {
            Self::Aes128 | Self::TwoKeyDes => 16,
            Self::Aes192 | Self::TripleDes => 24,
            Self::Aes256 => 32,
            Self::Rc2 { key_bytes } => key_bytes,
        }
    }
}

impl Cipher {
    fn read(
        mut algorithm: Reader<'_>,
        passphrase: &mut Passphrase<'_>,
    ) -> Result<Self, &'static str> {
        let name = algorithm.take(OID).ok_or(UNKNOWN_CIPHER)?;
        let mut parameters = algorithm.enter(SEQUENCE).ok_or(UNKNOWN_CIPHER)?;
        if name == PBES2 {
            let derivation = parameters.enter(SEQUENCE);
            let named = parameters.enter(SEQUENCE).and_then(|mut cipher| {
                let kind = Kind::of_pbes2(cipher.take(OID)?)?;
                Some((kind, cipher.take(OCTETS)?.to_vec()))
            });
            let (derivation, (kind, iv)) = derivation.zip(named).ok_or(UNKNOWN_CIPHER)?;
            return Ok(Self {
                kind,
                key: passphrase.pbkdf2(derivation, Some(kind.key_bytes()))?,
                iv: Zeroizing::new(iv),
            });
        }
        let parts = || {
            let [number] = name.strip_prefix(&OWN)? else {
                return None;
            };
            let kind = Kind::of_pkcs12(*number)?;
            Some((kind, parameters.take(OCTETS)?, parameters.number()?))
        };
        let (kind, salt, iterations) = { parts }().ok_or(UNKNOWN_CIPHER)?;
        Ok(Self {
            kind,
            key: passphrase.own(Hash::Sha1, 1, salt, iterations, kind.key_bytes())?,
            iv: passphrase.own(Hash::Sha1, 2, salt, iterations, 8)?,
        })
    }

    /// Nothing where the padding is wrong.
    fn open(&self, content: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        match self.kind {
            Kind::Aes128 => self.with::<aes::Aes128>(content),
            Kind::Aes192 => self.with::<aes::Aes192>(content),
            Kind::Aes256 => self.with::<aes::Aes256>(content),
            Kind::TripleDes => self.with::<des::TdesEde3>(content),
            Kind::TwoKeyDes => self.with::<des::TdesEde2>(content),
            Kind::Rc2 { .. } => self.with::<rc2::Rc2>(content),
        }
    }

    fn with<C>(&self, content: &[u8]) -> Option<Zeroizing<Vec<u8>>>
    where
        C: BlockDecryptMut + BlockCipher + KeyInit,
    {
        let cipher = C::new_from_slice(&self.key).ok()?;
        let cipher = cbc::Decryptor::inner_iv_slice_init(cipher, &self.iv).ok()?;
        let mut plain = Zeroizing::new(content.to_vec());
        let length = cipher.decrypt_padded_mut::<Pkcs7>(&mut plain).ok()?.len();
        plain.truncate(length);
        Some(plain)
    }
}
