//! Keys from the passphrase of a PKCS#12 file: by PKCS#12's own scheme (RFC 7292, appendix B) and by PBKDF2
//! (RFC 8018, section 5.2), and how much work both may be.

use hmac::digest::KeyInit;
use hmac::{Hmac, Mac};
use pbkdf2::pbkdf2_hmac;
use sha1::Sha1;
use sha1::digest::DynDigest;
// Of the generation that HMAC and PBKDF2 take.
use sha2_for_hmac::{Sha224, Sha256, Sha384, Sha512};
use signstar_nethsm::der::{OCTETS, OID, Reader, SEQUENCE};
use zeroize::Zeroizing;

use super::{TOO_MUCH_WORK, UNKNOWN_CIPHER};

const PBKDF2: [u8; 9] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05, 0x0c];
/// What hashes of NIST begin with.
const SHA2: [u8; 8] = [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02];
const SHA1: [u8; 5] = [0x2b, 0x0e, 0x03, 0x02, 0x1a];
/// What names of HMACs begin with.
const HMAC: [u8; 7] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x02];

/// A hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hash {
    Sha1,
    Sha224,
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
            Some([4]) => Some(Self::Sha224),
            _ => None,
        }
    }

    /// By the name of its HMAC.
    pub(super) fn of_hmac(oid: &[u8]) -> Option<Self> {
        match oid.strip_prefix(&HMAC)? {
            [7] => Some(Self::Sha1),
            [8] => Some(Self::Sha224),
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
            Self::Sha224 => 28,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    const fn block_bytes(self) -> usize {
        match self {
            Self::Sha1 | Self::Sha224 | Self::Sha256 => 64,
            Self::Sha384 | Self::Sha512 => 128,
        }
    }

    fn hasher(self) -> Box<dyn DynDigest> {
        match self {
            Self::Sha1 => Box::<Sha1>::default(),
            Self::Sha224 => Box::<Sha224>::default(),
            Self::Sha256 => Box::<Sha256>::default(),
            Self::Sha384 => Box::<Sha384>::default(),
            Self::Sha512 => Box::<Sha512>::default(),
        }
    }

    /// Whether this is the HMAC (RFC 2104) of `message`.
    pub(super) fn verify(self, key: &[u8], message: &[u8], mac: &[u8]) -> bool {
        match self {
            Self::Sha1 => verified::<Hmac<Sha1>>(key, message, mac),
            Self::Sha224 => verified::<Hmac<Sha224>>(key, message, mac),
            Self::Sha256 => verified::<Hmac<Sha256>>(key, message, mac),
            Self::Sha384 => verified::<Hmac<Sha384>>(key, message, mac),
            Self::Sha512 => verified::<Hmac<Sha512>>(key, message, mac),
        }
    }
}

fn verified<M: Mac + KeyInit>(key: &[u8], message: &[u8], mac: &[u8]) -> bool {
    <M as KeyInit>::new_from_slice(key)
        .is_ok_and(|hmac| hmac.chain_update(message).verify_slice(mac).is_ok())
}

/// A passphrase, and how much work may still be done with it.
pub(super) struct Passphrase<'p> {
    /// As PBKDF2 takes it.
    text: &'p str,
    /// As PKCS#12 takes it: UTF-16, the higher byte first, and two zeros.
    wide: Zeroizing<Vec<u8>>,
    /// In iterations.
    work: u64,
}

impl<'p> Passphrase<'p> {
    pub(super) fn new(text: &'p str, work: u64) -> Self {
        // Never longer, so that nothing is left behind by growing.
        let mut wide = Zeroizing::new(Vec::with_capacity(2 * (text.len() + 1)));
        let units = text.encode_utf16().chain([0]);
        wide.extend(units.flat_map(u16::to_be_bytes));
        Self { text, wide, work }
    }

    /// Takes what deriving `length` bytes costs from what is left.
    fn spend(&mut self, hash: Hash, iterations: u64, length: usize) -> Result<(), &'static str> {
        let blocks = u64::try_from(length.div_ceil(hash.bytes())).unwrap_or(u64::MAX);
        if iterations == 0 {
            return Err(UNKNOWN_CIPHER);
        }
        let cost = iterations.saturating_mul(blocks);
        self.work = self.work.checked_sub(cost).ok_or(TOO_MUCH_WORK)?;
        Ok(())
    }

    /// `length` bytes for the purpose `id` (RFC 7292, appendix B.2).
    pub(super) fn own(
        &mut self,
        hash: Hash,
        id: u8,
        salt: &[u8],
        iterations: u64,
        length: usize,
    ) -> Result<Zeroizing<Vec<u8>>, &'static str> {
        self.spend(hash, iterations, length)?;
        let block = hash.block_bytes();
        let length_of = |bytes: &[u8]| bytes.len().next_multiple_of(block);
        let mut input = Zeroizing::new(Vec::with_capacity(length_of(salt) + length_of(&self.wide)));
        for bytes in [salt, &self.wide] {
            input.extend(bytes.iter().copied().cycle().take(length_of(bytes)));
        }
        let mut found = Zeroizing::new(Vec::with_capacity(length + hash.bytes()));
        let mut hasher = hash.hasher();
        let mut digest = Zeroizing::new(vec![0; hash.bytes()]);
        while found.len() < length {
            hasher.update(&vec![id; block]);
            hasher.update(&input);
            for _ in 1..iterations {
                let done = hasher.finalize_into_reset(&mut digest);
                done.map_err(|_| UNKNOWN_CIPHER)?;
                hasher.update(&digest);
            }
            let done = hasher.finalize_into_reset(&mut digest);
            done.map_err(|_| UNKNOWN_CIPHER)?;
            for chunk in input.chunks_mut(block) {
                // A number of many bytes, plus the digest, again and again as long, and one.
                let addend = digest.iter().cycle().take(block);
                let addend: Zeroizing<Vec<u8>> = Zeroizing::new(addend.copied().collect());
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
        Ok(found)
    }

    /// What the name and parameters of PBKDF2 say, `length` bytes of it or as many as they say.
    pub(super) fn pbkdf2(
        &mut self,
        mut algorithm: Reader<'_>,
        length: Option<usize>,
    ) -> Result<Zeroizing<Vec<u8>>, &'static str> {
        let parts = || {
            let known = algorithm.take(OID)? == PBKDF2;
            let mut how = algorithm.enter(SEQUENCE)?;
            let (salt, iterations) = (how.take(OCTETS)?, how.number()?);
            // That of ciphers is known: theirs may be left out.
            let said = how.number().and_then(|said| usize::try_from(said).ok());
            let hash = match how.enter(SEQUENCE) {
                Some(mut prf) => Hash::of_hmac(prf.take(OID)?)?,
                None => Hash::Sha1,
            };
            // Whoever may choose how short a key is needs no passphrase (RFC 9579 on what is secure).
            let said = said.filter(|said| (20..=64).contains(said));
            let length = length.or(said)?;
            known.then_some((salt, iterations, hash, length))
        };
        let (salt, iterations, hash, length) = { parts }().ok_or(UNKNOWN_CIPHER)?;
        self.spend(hash, iterations, length)?;
        let rounds = u32::try_from(iterations).map_err(|_| TOO_MUCH_WORK)?;
        let mut key = Zeroizing::new(vec![0; length]);
        let password = self.text.as_bytes();
        match hash {
            Hash::Sha1 => pbkdf2_hmac::<Sha1>(password, salt, rounds, &mut key),
            Hash::Sha224 => pbkdf2_hmac::<Sha224>(password, salt, rounds, &mut key),
            Hash::Sha256 => pbkdf2_hmac::<Sha256>(password, salt, rounds, &mut key),
            Hash::Sha384 => pbkdf2_hmac::<Sha384>(password, salt, rounds, &mut key),
            Hash::Sha512 => pbkdf2_hmac::<Sha512>(password, salt, rounds, &mut key),
        }
        Ok(key)
    }
}
