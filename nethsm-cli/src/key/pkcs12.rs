//! PKCS#12 files (RFC 7292): the private key in one, and its certificate.
//!
//! Read are files with one key, protected by a passphrase, as OpenSSL, GnuTLS, Java and browsers write them
//! today. Absent: lengths that are not said before the content (BER), integrity by a signature, PBMAC1, and
//! RC2, in which OpenSSL before version 3 seals certificates: the key of such a file is read, and the
//! certificate is not.

mod sealed;

use zeroize::Zeroizing;

use crate::der::{EXPLICIT_0, INTEGER, OCTETS, OID, Reader, SEQUENCE, SET};
use sealed::Hash;

/// PKCS#7's kinds of content (RFC 2315, section 14).
const DATA: [u8; 9] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01];
const ENCRYPTED_DATA: [u8; 9] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x06];
/// What the names of bags begin with; a number follows (RFC 7292, appendix D).
const BAG: [u8; 10] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c, 0x0a, 0x01];
const X509_CERTIFICATE: [u8; 10] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x16, 0x01];
const LOCAL_KEY_ID: [u8; 9] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x15];
/// Bytes that are not marked by their own tag, but by their place.
const IMPLICIT_0: u8 = 0x80;
/// A key, its certificate and those that have signed it are a few.
const BAGS_MAX: usize = 64;

const NOT_PKCS12: &str = "is no PKCS#12 file that can be read";
const WRONG_PASSPHRASE: &str = "does not open: the passphrase is wrong";
const UNKNOWN_CIPHER: &str =
    "is sealed in a way that is not known here: write it anew with OpenSSL";
const NO_KEY: &str = "has no private key";
const SEVERAL_KEYS: &str = "has several private keys: it must have one";

/// What was in a file.
#[derive(Debug, Default)]
pub(super) struct Opened {
    /// PKCS#8, DER.
    pub(super) key: Zeroizing<Vec<u8>>,
    /// That of the key, DER; nothing where there is none that can be read.
    pub(super) certificate: Option<Vec<u8>>,
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
    let inner = Reader::new(bytes).enter(SEQUENCE);
    inner.is_some_and(|mut inner| inner.number() == Some(3) && inner.tag() == Some(SEQUENCE))
}

/// Opens a file. What is wrong says the error, to be put behind the name of the file.
pub(super) fn open(bytes: &[u8], passphrase: &str) -> Result<Opened, &'static str> {
    let mut pfx = Reader::new(bytes).enter(SEQUENCE).ok_or(NOT_PKCS12)?;
    if pfx.number() != Some(3) {
        return Err(NOT_PKCS12);
    }
    let safe = data(&mut pfx).ok_or(NOT_PKCS12)?;
    if pfx.tag() == Some(SEQUENCE) {
        check(&mut pfx, safe, passphrase)?;
    }
    let mut found = Found::default();
    let mut contents = Reader::new(safe).enter(SEQUENCE).ok_or(NOT_PKCS12)?;
    while contents.tag().is_some() {
        let mut content = contents.enter(SEQUENCE).ok_or(NOT_PKCS12)?;
        let kind = content.take(OID).ok_or(NOT_PKCS12)?;
        let mut inner = content.enter(EXPLICIT_0).ok_or(NOT_PKCS12)?;
        if kind == DATA {
            let bags = inner.take(OCTETS).ok_or(NOT_PKCS12)?;
            found.add(bags, passphrase)?;
        } else if kind == ENCRYPTED_DATA {
            match encrypted(&mut inner, passphrase) {
                Ok(bags) => found.add(&bags, passphrase)?,
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

/// Compares the code by which the file says that it is whole (section 4 and appendix B).
fn check(pfx: &mut Reader<'_>, safe: &[u8], passphrase: &str) -> Result<(), &'static str> {
    let parts = |pfx: &mut Reader<'_>| {
        let mut mac = pfx.enter(SEQUENCE)?;
        let mut digest = mac.enter(SEQUENCE)?;
        let name = digest.enter(SEQUENCE)?.take(OID)?.to_vec();
        let expected = digest.take(OCTETS)?.to_vec();
        let salt = mac.take(OCTETS)?.to_vec();
        let iterations = match mac.tag() {
            Some(INTEGER) => mac.number()?,
            _ => 1,
        };
        Some((name, expected, salt, iterations))
    };
    let (name, expected, salt, iterations) = parts(pfx).ok_or(NOT_PKCS12)?;
    let hash = Hash::named(&name).ok_or(UNKNOWN_CIPHER)?;
    let iterations = sealed::bounded(iterations).ok_or(NOT_PKCS12)?;
    let password = sealed::wide(passphrase);
    let key = sealed::derived(hash, 3, &password, &salt, iterations, hash.bytes());
    match hash.mac(&key, safe) == expected {
        true => Ok(()),
        false => Err(WRONG_PASSPHRASE),
    }
}

/// The bags in a piece of encrypted data.
fn encrypted(inner: &mut Reader<'_>, passphrase: &str) -> Result<Zeroizing<Vec<u8>>, &'static str> {
    let (algorithm, content) = encrypted_parts(inner).ok_or(NOT_PKCS12)?;
    unsealed(algorithm, content, passphrase)
}

fn encrypted_parts<'b>(inner: &mut Reader<'b>) -> Option<(Reader<'b>, &'b [u8])> {
    let mut list = inner.enter(SEQUENCE)?;
    list.skip()?;
    let mut info = list.enter(SEQUENCE)?;
    info.skip()?;
    Some((info.enter(SEQUENCE)?, info.take(IMPLICIT_0)?))
}

fn unsealed(
    algorithm: Reader<'_>,
    content: &[u8],
    passphrase: &str,
) -> Result<Zeroizing<Vec<u8>>, &'static str> {
    let cipher = sealed::Cipher::read(algorithm, passphrase).ok_or(UNKNOWN_CIPHER)?;
    cipher.open(content).ok_or(WRONG_PASSPHRASE)
}

impl Found {
    /// Adds what is in a list of bags.
    fn add(&mut self, bags: &[u8], passphrase: &str) -> Result<(), &'static str> {
        let mut bags = Reader::new(bags).enter(SEQUENCE).ok_or(NOT_PKCS12)?;
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
                    self.keys
                        .push((unsealed(algorithm, content, passphrase)?, id));
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

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::process::Command;

    use super::*;

    const PASSPHRASE: &str = "pass:long enough";

    fn openssl(folder: &Path, words: &[&str]) {
        let output = Command::new("openssl")
            .args(words)
            .current_dir(folder)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{words:?}: {said}");
    }

    /// A file that OpenSSL has written, its key as PKCS#8 and its certificate.
    fn made(words: &[&str]) -> (Vec<u8>, Vec<u8>, Vec<u8>) {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let new = [
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
        ];
        let out = ["-keyout", "key.pem", "-out", "cert.pem", "-subj", "/CN=x"];
        openssl(folder, &[&new[..], &out[..]].concat());
        let pack = ["pkcs12", "-export", "-inkey", "key.pem", "-in", "cert.pem"];
        let out = ["-out", "both.p12", "-passout", PASSPHRASE];
        openssl(folder, &[&pack[..], &out[..], words].concat());
        openssl(
            folder,
            &[
                "pkcs8", "-topk8", "-nocrypt", "-in", "key.pem", "-outform", "DER", "-out",
                "key.der",
            ],
        );
        openssl(
            folder,
            &[
                "x509", "-in", "cert.pem", "-outform", "DER", "-out", "cert.der",
            ],
        );
        let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
        (read("both.p12"), read("key.der"), read("cert.der"))
    }

    #[test]
    fn files_of_openssl_open_with_the_right_passphrase_alone() {
        for words in [
            &[][..],
            &["-macalg", "sha512"],
            &["-keypbe", "AES-128-CBC", "-certpbe", "AES-192-CBC"],
            &[
                "-keypbe",
                "PBE-SHA1-3DES",
                "-certpbe",
                "PBE-SHA1-3DES",
                "-macalg",
                "sha1",
            ],
            &["-keypbe", "NONE", "-certpbe", "NONE"],
            &["-nomac"],
        ] {
            let (file, key, certificate) = made(words);
            assert!(is_pkcs12(&file) && !is_pkcs12(&key) && !is_pkcs12(&certificate));
            let opened = open(&file, "long enough").unwrap();
            assert_eq!(*opened.key, key, "{words:?}");
            assert_eq!(opened.certificate, Some(certificate), "{words:?}");
            assert_eq!(
                open(&file, "long").unwrap_err(),
                WRONG_PASSPHRASE,
                "{words:?}"
            );
        }
    }

    #[test]
    fn a_changed_file_never_panics_and_gives_no_other_key() {
        let (file, key, _) = made(&["-iter", "1"]);
        for end in 0..file.len() {
            assert!(open(&file[..end], "long enough").is_err());
        }
        for place in 0..file.len() {
            for bit in [0x01, 0x80] {
                let mut changed = file.clone();
                changed[place] ^= bit;
                if let Ok(opened) = open(&changed, "long enough") {
                    assert_eq!(*opened.key, key, "{place}");
                }
            }
        }
    }
}
