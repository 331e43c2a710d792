//! Keys made and signatures verified by OpenSSL's command line.

use std::path::PathBuf;
use std::process::Command;

use signstar_core::{Digest, SignatureValue};

/// A key pair that OpenSSL has made, in a folder of its own.
pub(super) struct Pair {
    folder: tempfile::TempDir,
    text: String,
}

impl Pair {
    /// Makes a key: `generate(&["-algorithm", "ed25519"])`.
    pub(super) fn generate(arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        let (secret, public) = (path("secret.pem"), path("public.pem"));
        run(&[&["genpkey", "-out", &secret], arguments].concat()).unwrap();
        run(&["pkey", "-in", &secret, "-pubout", "-out", &public]).unwrap();
        let text = run(&["pkey", "-in", &secret, "-noout", "-text"]).unwrap();
        Self { folder, text }
    }

    /// The number that OpenSSL prints under `name`, without leading zeros.
    pub(super) fn number(&self, name: &str) -> Vec<u8> {
        let (_, rest) = self.text.split_once(&format!("{name}:")).unwrap();
        let digits: String = rest
            .lines()
            .skip(1)
            .take_while(|line| line.starts_with(' '))
            .flat_map(str::chars)
            .filter(char::is_ascii_hexdigit)
            .collect();
        let bytes = hex(&digits);
        let zeros = bytes.iter().take_while(|&&byte| byte == 0).count();
        bytes[zeros..].to_vec()
    }

    /// Whether OpenSSL takes `signature` for one of `digest` by this key.
    pub(super) fn verifies(&self, digest: &Digest, signature: &SignatureValue) -> bool {
        let file = |name: &str| self.folder.path().join(name);
        let write = |name: &str, bytes: &[u8]| -> PathBuf {
            std::fs::write(file(name), bytes).unwrap();
            file(name)
        };
        let hash = format!("digest:{}", digest.algorithm());
        let (encoded, options) = match signature {
            SignatureValue::Ed25519(bytes) => (bytes.to_vec(), vec!["-rawin"]),
            SignatureValue::Ecdsa { r, s } => (der(r, s), vec!["-pkeyopt", &hash]),
            SignatureValue::Rsa(bytes) => (bytes.clone(), vec!["-pkeyopt", &hash]),
            SignatureValue::MlDsa65Ed25519 { .. } => return false,
        };
        let signature = write("signature", &encoded);
        let digest = write("digest", digest.as_bytes());
        let public = file("public.pem");
        let mut arguments = vec!["pkeyutl", "-verify", "-pubin", "-inkey"];
        arguments.extend([
            public.to_str().unwrap(),
            "-sigfile",
            signature.to_str().unwrap(),
        ]);
        arguments.extend(["-in", digest.to_str().unwrap()]);
        arguments.extend(options);
        run(&arguments).is_some()
    }
}

/// Bytes of hexadecimal digits.
pub(super) fn hex(digits: &str) -> Vec<u8> {
    (0..digits.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap())
        .collect()
}

/// `SEQUENCE { INTEGER r, INTEGER s }`.
fn der(r: &[u8], s: &[u8]) -> Vec<u8> {
    let value = [integer(r), integer(s)].concat();
    let length = u8::try_from(value.len()).unwrap();
    match length {
        0..0x80 => [&[0x30, length][..], &value].concat(),
        0x80.. => [&[0x30, 0x81, length][..], &value].concat(),
    }
}

fn integer(number: &[u8]) -> Vec<u8> {
    let zeros = number.iter().take_while(|&&byte| byte == 0).count();
    let mut value = number[zeros..].to_vec();
    if value[0] >= 0x80 {
        value.insert(0, 0);
    }
    [&[0x02, u8::try_from(value.len()).unwrap()][..], &value].concat()
}

fn run(arguments: &[&str]) -> Option<String> {
    let output = Command::new("openssl")
        .args(arguments)
        .output()
        .expect("openssl is needed for this test");
    output
        .status
        .success()
        .then(|| String::from_utf8(output.stdout).unwrap())
}
