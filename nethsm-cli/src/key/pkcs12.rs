//! PKCS#12 files (RFC 7292): the private key in one, and its certificate.
//!
//! Read are files with one key, protected by a passphrase, as OpenSSL, GnuTLS, NSS (Firefox) and Java write
//! them, today's and those of old: AES, triple DES and RC2; integrity by PKCS#12's own scheme, by PBMAC1
//! (RFC 9579), or none. All keys that a file wants derived from its passphrase must be made with no more than
//! [`WORK_MAX`] iterations together, so that nobody waits for a file that asks for more.
//!
//! It is code of our own: other crates (p12-keystore 0.4, pkcs12 0.2 of RustCrypto) read neither BER nor PBMAC1,
//! leave opened keys in memory, bound iterations for each key and not for a file, stand on releases that are
//! not final, and bring some forty crates for what is a few hundred lines over ciphers that are here anyway.
//!
//! # What is deliberately absent
//! Integrity by a signature, RC4, DES with one key, PBES1, scrypt, hashes with MD5; files without a passphrase,
//! which nobody should have; revocation lists and further keys.

mod ber;
mod derived;
mod sealed;
#[cfg(test)]
mod tests;

use signstar_nethsm::der::{EXPLICIT_0, INTEGER, OCTETS, OID, Reader, SEQUENCE, SET};
use zeroize::Zeroizing;

use derived::{Hash, Passphrase};

/// What passphrases are made slow with in one file, in iterations: OpenSSL 2 048 for each key, NSS and GnuTLS
/// 600 000. A few seconds.
pub const WORK_MAX: u64 = 10_000_000;

/// PKCS#7's kinds of content (RFC 2315, section 14).
const DATA: [u8; 9] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01];
const ENCRYPTED_DATA: [u8; 9] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x06];
/// RFC 8018, section 7.1.
const PBMAC1: [u8; 9] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05, 0x0e];
/// What the names of bags begin with; a number follows (RFC 7292, appendix D).
const BAG: [u8; 10] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c, 0x0a, 0x01];
const X509_CERTIFICATE: [u8; 10] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x16, 0x01];
const LOCAL_KEY_ID: [u8; 9] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x15];
/// Bytes that are not marked by their own tag, but by their place; and such bytes in pieces.
const IMPLICIT_0: u8 = 0x80;
const PIECES_0: u8 = EXPLICIT_0;
/// A key, its certificate and those that have signed it are a few.
const BAGS_MAX: usize = 64;

const NOT_PKCS12: &str = "is no PKCS#12 file that can be read";
const WRONG_PASSPHRASE: &str = "does not open: the passphrase is wrong";
const UNKNOWN_CIPHER: &str =
    "is sealed in a way that is not known here: write it anew with OpenSSL";
const TOO_MUCH_WORK: &str =
    "makes its passphrase slower than any program does: write it anew with OpenSSL";
const NO_KEY: &str = "has no private key";
const SEVERAL_KEYS: &str = "has several private keys: it must have one";

/// What was in a file.
#[derive(Debug, Default)]
pub struct Opened {
    /// PKCS#8, DER.
    pub key: Zeroizing<Vec<u8>>,
    /// That of the key, DER; nothing where there is none that can be read.
    pub certificate: Option<Vec<u8>>,
}

/// A key or a certificate, with the name by which both belong together.
type Named<T> = (T, Option<Vec<u8>>);

#[derive(Debug, Default)]
struct Found {
    keys: Vec<Named<Zeroizing<Vec<u8>>>>,
    certificates: Vec<Named<Vec<u8>>>,
    bags: usize,
}

/// Whether a file looks like one: a list that begins with the version 3.
pub(super) fn is_pkcs12(bytes: &[u8]) -> bool {
    let looks = |der: &[u8]| {
        let mut inner = Reader::new(der).enter(SEQUENCE)?;
        (inner.number()? == 3).then_some(inner.tag()? == SEQUENCE)
    };
    ber::to_der(bytes).and_then(|der| looks(&der)) == Some(true)
}

/// Opens a file whose keys are made with `work` iterations at most.
///
/// # Errors
/// What is wrong, to be put behind the name of the file.
pub fn open(bytes: &[u8], passphrase: &str, work: u64) -> Result<Opened, &'static str> {
    let mut passphrase = Passphrase::new(passphrase, work);
    let pfx = ber::to_der(bytes).ok_or(NOT_PKCS12)?;
    let mut pfx = Reader::new(&pfx).enter(SEQUENCE).ok_or(NOT_PKCS12)?;
    if pfx.number() != Some(3) {
        return Err(NOT_PKCS12);
    }
    let safe = data(&mut pfx).ok_or(NOT_PKCS12)?;
    if let Some(mac) = pfx.enter(SEQUENCE) {
        check(mac, safe, &mut passphrase)?;
    } else if !pfx.is_empty() {
        return Err(NOT_PKCS12);
    }
    let mut found = Found::default();
    let safe = ber::to_der(safe).ok_or(NOT_PKCS12)?;
    let mut contents = Reader::new(&safe).enter(SEQUENCE).ok_or(NOT_PKCS12)?;
    while contents.tag().is_some() {
        let mut content = contents.enter(SEQUENCE).ok_or(NOT_PKCS12)?;
        let kind = content.take(OID).ok_or(NOT_PKCS12)?;
        let mut inner = content.enter(EXPLICIT_0).ok_or(NOT_PKCS12)?;
        if kind == DATA {
            let bags = inner.take(OCTETS).ok_or(NOT_PKCS12)?;
            found.add(bags, &mut passphrase)?;
        } else if kind == ENCRYPTED_DATA {
            match encrypted(&mut inner, &mut passphrase) {
                Ok(bags) => found.add(&bags, &mut passphrase)?,
                // Certificates are sealed worse than keys, and can be done without.
                Err(UNKNOWN_CIPHER) => {}
                Err(problem) => return Err(problem),
            }
        }
    }
    found.chosen()
}

/// The bytes in a piece of plain data.
fn data<'b>(outer: &mut Reader<'b>) -> Option<&'b [u8]> {
    let mut content = outer.enter(SEQUENCE)?;
    let plain = content.take(OID)? == DATA;
    let bytes = content.enter(EXPLICIT_0)?.take(OCTETS)?;
    plain.then_some(bytes)
}

/// Compares the code by which the file says that it is whole: PKCS#12's own (section 4 and appendix B), or
/// PBMAC1, for which salt and iterations do not stand in their old places.
fn check(
    mut mac: Reader<'_>,
    safe: &[u8],
    passphrase: &mut Passphrase<'_>,
) -> Result<(), &'static str> {
    let parts = || {
        let mut digest = mac.enter(SEQUENCE)?;
        let (algorithm, expected) = (digest.enter(SEQUENCE)?, digest.take(OCTETS)?);
        let salt = mac.take(OCTETS)?;
        let iterations = match mac.tag() {
            Some(INTEGER) => mac.number()?,
            _ => 1,
        };
        Some((algorithm, expected, salt, iterations))
    };
    let (mut algorithm, expected, salt, iterations) = { parts }().ok_or(NOT_PKCS12)?;
    let name = algorithm.take(OID).ok_or(NOT_PKCS12)?;
    let (hash, key) = if name == PBMAC1 {
        let mut both = algorithm.enter(SEQUENCE).ok_or(NOT_PKCS12)?;
        let derivation = both.enter(SEQUENCE).ok_or(NOT_PKCS12)?;
        let hash = both.enter(SEQUENCE).and_then(|mut scheme| scheme.take(OID));
        let hash = hash.and_then(Hash::of_hmac).ok_or(UNKNOWN_CIPHER)?;
        (hash, passphrase.pbkdf2(derivation, None)?)
    } else {
        let hash = Hash::named(name).ok_or(UNKNOWN_CIPHER)?;
        let key = passphrase.own(hash, 3, salt, iterations, hash.bytes())?;
        (hash, key)
    };
    match hash.verify(&key, safe, expected) {
        true => Ok(()),
        false => Err(WRONG_PASSPHRASE),
    }
}

/// The bags in a piece of encrypted data.
fn encrypted(
    inner: &mut Reader<'_>,
    passphrase: &mut Passphrase<'_>,
) -> Result<Zeroizing<Vec<u8>>, &'static str> {
    let parts = || {
        let mut list = inner.enter(SEQUENCE)?;
        list.skip()?;
        let mut info = list.enter(SEQUENCE)?;
        info.skip()?;
        let algorithm = info.enter(SEQUENCE)?;
        if info.tag()? == IMPLICIT_0 {
            return Some((algorithm, info.take(IMPLICIT_0)?.to_vec()));
        }
        let mut pieces = info.enter(PIECES_0)?;
        let mut content = Vec::new();
        while !pieces.is_empty() {
            content.extend_from_slice(pieces.take(OCTETS)?);
        }
        Some((algorithm, content))
    };
    let (algorithm, content) = { parts }().ok_or(NOT_PKCS12)?;
    sealed::open(algorithm, &content, passphrase)
}

impl Found {
    /// Adds what is in a list of bags.
    fn add(&mut self, bags: &[u8], passphrase: &mut Passphrase<'_>) -> Result<(), &'static str> {
        let bags = ber::to_der(bags).ok_or(NOT_PKCS12)?;
        let mut bags = Reader::new(&bags).enter(SEQUENCE).ok_or(NOT_PKCS12)?;
        while bags.tag().is_some() {
            self.bags += 1;
            if self.bags > BAGS_MAX {
                return Err(NOT_PKCS12);
            }
            let mut bag = bags.enter(SEQUENCE).ok_or(NOT_PKCS12)?;
            let name = bag.take(OID).ok_or(NOT_PKCS12)?;
            let value = bag.take(EXPLICIT_0).ok_or(NOT_PKCS12)?;
            let id = bag.enter(SET).and_then(local_key_id);
            match name.strip_prefix(&BAG) {
                Some([1]) => self.keys.push((Zeroizing::new(value.to_vec()), id)),
                Some([2]) => {
                    let mut shrouded = Reader::new(value).enter(SEQUENCE).ok_or(NOT_PKCS12)?;
                    let algorithm = shrouded.enter(SEQUENCE).ok_or(NOT_PKCS12)?;
                    let content = shrouded.take(OCTETS).ok_or(NOT_PKCS12)?;
                    let key = sealed::open(algorithm, content, passphrase)?;
                    self.keys.push((key, id));
                }
                Some([3]) => {
                    if let Some(certificate) = certificate(value) {
                        self.certificates.push((certificate, id));
                    }
                }
                // Revocation lists, secrets, bags in bags: nothing that a device takes.
                _ => {}
            }
        }
        Ok(())
    }

    /// The one key, and its certificate.
    fn chosen(mut self) -> Result<Opened, &'static str> {
        let (key, id) = match (self.keys.pop(), self.keys.is_empty()) {
            (None, _) => return Err(NO_KEY),
            (Some(_), false) => return Err(SEVERAL_KEYS),
            (Some(pair), true) => pair,
        };
        // Its passphrase was right: what came out is a key, or nothing would be safe to send.
        let mut inner = Reader::new(&key).enter(SEQUENCE).ok_or(WRONG_PASSPHRASE)?;
        if inner.number().is_none_or(|version| version > 1) {
            return Err(WRONG_PASSPHRASE);
        }
        let mut certificates = self.certificates.into_iter();
        let own = match &id {
            Some(_) => certificates.find(|(_, other)| *other == id),
            None => certificates.next(),
        };
        Ok(Opened {
            key,
            certificate: own.map(|(certificate, _)| certificate),
        })
    }
}

fn local_key_id(mut attributes: Reader<'_>) -> Option<Vec<u8>> {
    while attributes.tag().is_some() {
        let mut attribute = attributes.enter(SEQUENCE)?;
        if attribute.take(OID)? == LOCAL_KEY_ID {
            return attribute.enter(SET)?.take(OCTETS).map(<[u8]>::to_vec);
        }
    }
    None
}

fn certificate(value: &[u8]) -> Option<Vec<u8>> {
    let mut bag = Reader::new(value).enter(SEQUENCE)?;
    let known = bag.take(OID)? == X509_CERTIFICATE;
    let bytes = bag.enter(EXPLICIT_0)?.take(OCTETS)?.to_vec();
    known.then_some(bytes)
}
