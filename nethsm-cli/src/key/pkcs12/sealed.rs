//! How PKCS#12 files are sealed: PBES2 (RFC 8018) with AES or triple DES, and the scheme of PKCS#12 itself
//! (RFC 7292, appendix B) with triple DES.

use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockCipher, BlockDecryptMut, KeyInit, KeyIvInit as _};
use sha2::Digest as _;
use zeroize::Zeroizing;

use crate::der::{OCTETS, OID, Reader, SEQUENCE};

/// What passphrases are made slow with: OpenSSL 2 048 times, others up to some hundred thousand.
const ITERATIONS_MAX: u64 = 10_000_000;

const PBES2: [u8; 9] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05, 0x0d];
const PBKDF2: [u8; 9] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05, 0x0c];
/// pbeWithSHAAnd3-KeyTripleDES-CBC.
const OWN_TRIPLE_DES: [u8; 10] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c, 0x01, 0x03];
const TRIPLE_DES: [u8; 8] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x03, 0x07];
/// What hashes of NIST and AES begin with.
const SHA2: [u8; 8] = [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02];
const AES: [u8; 8] = [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01];
const SHA1: [u8; 5] = [0x2b, 0x0e, 0x03, 0x02, 0x1a];
/// What names of HMACs begin with.
const HMAC: [u8; 7] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x02];

/// A hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hash {
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

impl Hash {
    /// By its own name.
    pub(super) fn named(oid: &[u8]) -> Option<Self> {
        match oid.strip_prefix(&SHA2) {
            _ if oid == SHA1 => Some(Self::Sha1),
            Some([1]) => Some(Self::Sha256),
            Some([2]) => Some(Self::Sha384),
            Some([3]) => Some(Self::Sha512),
            _ => None,
        }
    }

    /// By the name of its HMAC.
    fn of_hmac(oid: &[u8]) -> Option<Self> {
        match oid.strip_prefix(&HMAC)? {
            [7] => Some(Self::Sha1),
            [9] => Some(Self::Sha256),
            [10] => Some(Self::Sha384),
            [11] => Some(Self::Sha512),
            _ => None,
        }
    }

    /// How long a digest is.
    pub(super) const fn bytes(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    const fn block_bytes(self) -> usize {
        match self {
            Self::Sha1 | Self::Sha256 => 64,
            Self::Sha384 | Self::Sha512 => 128,
        }
    }

    fn digest(self, parts: &[&[u8]]) -> Zeroizing<Vec<u8>> {
        let whole = Zeroizing::new(parts.concat());
        Zeroizing::new(match self {
            Self::Sha1 => <sha1::Sha1 as sha1::Digest>::digest(&whole).to_vec(),
            Self::Sha256 => sha2::Sha256::digest(&whole).to_vec(),
            Self::Sha384 => sha2::Sha384::digest(&whole).to_vec(),
            Self::Sha512 => sha2::Sha512::digest(&whole).to_vec(),
        })
    }

    /// HMAC (RFC 2104).
    pub(super) fn mac(self, key: &[u8], message: &[u8]) -> Vec<u8> {
        let mut block = Zeroizing::new(match key.len() > self.block_bytes() {
            true => self.digest(&[key]).to_vec(),
            false => key.to_vec(),
        });
        block.resize(self.block_bytes(), 0);
        let pad =
            |mask: u8| Zeroizing::new(block.iter().map(|byte| byte ^ mask).collect::<Vec<_>>());
        let inner = self.digest(&[&pad(0x36), message]);
        self.digest(&[&pad(0x5c), &inner]).to_vec()
    }
}

/// A number of iterations, if somebody can wait for it.
pub(super) fn bounded(iterations: u64) -> Option<u64> {
    (1..=ITERATIONS_MAX)
        .contains(&iterations)
        .then_some(iterations)
}

/// A passphrase as PKCS#12 takes it: UTF-16, the higher byte first, and two zeros.
pub(super) fn wide(passphrase: &str) -> Zeroizing<Vec<u8>> {
    let units = passphrase.encode_utf16().chain([0]);
    Zeroizing::new(units.flat_map(u16::to_be_bytes).collect())
}

/// `length` bytes for the purpose `id` (RFC 7292, appendix B.2).
pub(super) fn derived(
    hash: Hash,
    id: u8,
    password: &[u8],
    salt: &[u8],
    iterations: u64,
    length: usize,
) -> Zeroizing<Vec<u8>> {
    let block = hash.block_bytes();
    let filled = |bytes: &[u8]| -> Vec<u8> {
        let length = bytes.len().div_ceil(block) * block;
        bytes.iter().copied().cycle().take(length).collect()
    };
    let purpose = vec![id; block];
    let mut input = Zeroizing::new([filled(salt), filled(password)].concat());
    let mut found = Zeroizing::new(Vec::with_capacity(length + hash.bytes()));
    while found.len() < length {
        let mut digest = hash.digest(&[&purpose, &input]);
        for _ in 1..iterations {
            digest = hash.digest(&[&digest]);
        }
        let addend: Vec<u8> = digest.iter().copied().cycle().take(block).collect();
        for chunk in input.chunks_mut(block) {
            // A number of many bytes, plus the addend and one.
            let mut carry = 1_u16;
            for (byte, add) in chunk.iter_mut().rev().zip(addend.iter().rev()) {
                let [high, low] = (u16::from(*byte) + u16::from(*add) + carry).to_be_bytes();
                *byte = low;
                carry = u16::from(high);
            }
        }
        found.extend_from_slice(&digest);
    }
    found.truncate(length);
    found
}

/// PBKDF2 (RFC 8018, section 5.2).
fn pbkdf2(
    hash: Hash,
    password: &[u8],
    salt: &[u8],
    iterations: u64,
    length: usize,
) -> Zeroizing<Vec<u8>> {
    let mut found = Zeroizing::new(Vec::with_capacity(length + hash.bytes()));
    for number in 1_u32.. {
        if found.len() >= length {
            break;
        }
        let mut round = hash.mac(password, &[salt, &number.to_be_bytes()].concat());
        let mut block = Zeroizing::new(round.clone());
        for _ in 1..iterations {
            round = hash.mac(password, &round);
            for (byte, other) in block.iter_mut().zip(&round) {
                *byte ^= other;
            }
        }
        found.extend_from_slice(&block);
    }
    found.truncate(length);
    found
}

/// A cipher in CBC, with its key.
pub(super) struct Cipher {
    kind: Kind,
    key: Zeroizing<Vec<u8>>,
    iv: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Aes128,
    Aes192,
    Aes256,
    TripleDes,
}

impl Kind {
    const fn key_bytes(self) -> usize {
        match self {
            Self::Aes128 => 16,
            Self::Aes192 | Self::TripleDes => 24,
            Self::Aes256 => 32,
        }
    }
}

impl Cipher {
    /// What an algorithm's name and parameters say; nothing where they are not known.
    pub(super) fn read(mut algorithm: Reader<'_>, passphrase: &str) -> Option<Self> {
        let name = algorithm.take(OID)?;
        let mut parameters = algorithm.enter(SEQUENCE)?;
        if name == OWN_TRIPLE_DES {
            let salt = parameters.take(OCTETS)?;
            let iterations = bounded(parameters.number()?)?;
            let password = wide(passphrase);
            return Some(Self {
                kind: Kind::TripleDes,
                key: derived(Hash::Sha1, 1, &password, salt, iterations, 24),
                iv: derived(Hash::Sha1, 2, &password, salt, iterations, 8).to_vec(),
            });
        }
        if name != PBES2 {
            return None;
        }
        let mut derivation = parameters.enter(SEQUENCE)?;
        if derivation.take(OID)? != PBKDF2 {
            return None;
        }
        let mut how = derivation.enter(SEQUENCE)?;
        let salt = how.take(OCTETS)?;
        let iterations = bounded(how.number()?)?;
        // The length of the key, which the cipher says too.
        let _ = how.number();
        let hash = match how.enter(SEQUENCE) {
            Some(mut prf) => Hash::of_hmac(prf.take(OID)?)?,
            None => Hash::Sha1,
        };
        let mut cipher = parameters.enter(SEQUENCE)?;
        let name = cipher.take(OID)?;
        let kind = match name.strip_prefix(&AES) {
            _ if name == TRIPLE_DES => Kind::TripleDes,
            Some([2]) => Kind::Aes128,
            Some([22]) => Kind::Aes192,
            Some([42]) => Kind::Aes256,
            _ => return None,
        };
        Some(Self {
            kind,
            key: pbkdf2(
                hash,
                passphrase.as_bytes(),
                salt,
                iterations,
                kind.key_bytes(),
            ),
            iv: cipher.take(OCTETS)?.to_vec(),
        })
    }

    /// Nothing where the padding says that the key is wrong.
    pub(super) fn open(&self, content: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        match self.kind {
            Kind::Aes128 => self.with::<aes::Aes128>(content),
            Kind::Aes192 => self.with::<aes::Aes192>(content),
            Kind::Aes256 => self.with::<aes::Aes256>(content),
            Kind::TripleDes => self.with::<des::TdesEde3>(content),
        }
    }

    fn with<C>(&self, content: &[u8]) -> Option<Zeroizing<Vec<u8>>>
    where
        C: BlockDecryptMut + BlockCipher + KeyInit,
    {
        let cipher = cbc::Decryptor::<C>::new_from_slices(&self.key, &self.iv).ok()?;
        let plain = cipher.decrypt_padded_vec_mut::<Pkcs7>(content).ok()?;
        Some(Zeroizing::new(plain))
    }
}
