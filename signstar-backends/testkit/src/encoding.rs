//! Signatures whose numbers are unusual, as vectors.
//!
//! Numbers with leading zero bytes must lose them in OpenPGP, and numbers with their top bit set
//! get a byte more in DER; each happens rarely enough to be missed. The vectors were found by
//! signing [`ARTIFACT`] at 65,536 successive seconds with each of [`KEYS`]; the example
//! `encoding_soak` of the software back end does it again.

use signstar_core::{Profile, SignatureValue};

/// The test keys that have vectors: one of each class of algorithms.
pub const KEYS: [&str; 5] = ["ed25519", "p256", "p384", "p521", "rsa2048"];

/// What is signed; all that differs between two signatures is the time.
pub const ARTIFACT: &[u8] = b"signstar encoding vectors\n";

/// How many of each property are kept.
pub const KEPT: usize = 4;

/// A signature that has a property.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vector {
    /// The test key.
    pub key: String,
    /// `r=31`: r has 31 bytes, fewer than usual. `r-top`: the top bit of its first byte is set.
    pub property: String,
    /// When it was created, in seconds since 1970.
    pub created: u64,
    /// What was signed, in hexadecimal digits.
    pub digest: String,
    /// The signature's numbers, padded to their full length, in hexadecimal digits.
    pub signature: String,
}

/// One line of the file of vectors.
impl std::fmt::Display for Vector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (key, property, created) = (&self.key, &self.property, self.created);
        write!(
            f,
            "{key} {property} {created} {} {}",
            self.digest, self.signature
        )
    }
}

/// The committed vectors.
pub fn vectors() -> Vec<Vector> {
    parse(include_str!("../vectors/encoding.txt"))
}

/// Reads lines of vectors; `#` starts a comment.
pub fn parse(text: &str) -> Vec<Vector> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let vector = |line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        let [key, property, created, digest, signature] = words[..] else {
            panic!("not a vector: {line}");
        };
        Vector {
            key: key.to_owned(),
            property: property.to_owned(),
            created: created.parse().unwrap(),
            digest: digest.to_owned(),
            signature: signature.to_owned(),
        }
    };
    lines.map(vector).collect()
}

/// What vectors are made with.
pub fn profile() -> Profile {
    Profile::default()
}

/// The numbers of a signature with their names, of the length in which the signer gave them.
pub fn numbers(value: &SignatureValue) -> Vec<(&'static str, &[u8])> {
    match value {
        SignatureValue::Ed25519(bytes) => vec![("r", &bytes[..32]), ("s", &bytes[32..])],
        SignatureValue::Ecdsa { r, s } => vec![("r", r), ("s", s)],
        SignatureValue::Rsa(s) => vec![("s", s)],
        SignatureValue::MlDsa65Ed25519 { ed25519, ml_dsa } => vec![
            ("r", &ed25519[..32]),
            ("s", &ed25519[32..]),
            ("ml-dsa", ml_dsa.as_slice()),
        ],
    }
}

/// The number without its leading zeros.
pub fn trim(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|&&byte| byte == 0).count();
    &number[zeros..]
}

/// What is unusual about a signature whose numbers have `full` bytes as a rule.
pub fn properties(value: &SignatureValue, full: usize) -> Vec<String> {
    let mut found = Vec::new();
    for (name, number) in numbers(value) {
        let number = trim(number);
        if number.len() < full {
            found.push(format!("{name}={}", number.len()));
        }
        if number.first().is_some_and(|&byte| byte >= 0x80) {
            found.push(format!("{name}-top"));
        }
    }
    if numbers(value).len() == 2 && found.iter().filter(|name| name.contains('=')).count() == 2 {
        found.push("both-short".to_owned());
    }
    found
}

/// Bytes of a number of full length of a signature by the test key `key`.
pub fn full_bytes(key: &str) -> usize {
    match key {
        "ed25519" | "p256" => 32,
        "p384" => 48,
        "p521" => 66,
        "rsa2048" => 256,
        _ => panic!("the test key {key} has no vectors"),
    }
}

/// A signature's numbers, each padded to `full` bytes, one after the other.
pub fn padded(value: &SignatureValue, full: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (_, number) in numbers(value) {
        let number = trim(number);
        bytes.resize(bytes.len() + full - number.len(), 0);
        bytes.extend_from_slice(number);
    }
    bytes
}

/// Lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
