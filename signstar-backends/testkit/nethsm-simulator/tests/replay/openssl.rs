//! What OpenSSL says of keys, signatures and requests: it shares no code with the simulator.

use std::path::Path;
use std::process::Command;

fn run(folder: &Path, arguments: &[&str]) -> Result<Vec<u8>, String> {
    let output = Command::new("openssl")
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("openssl must be installed");
    if output.status.success() {
        return Ok(output.stdout);
    }
    Err(String::from_utf8_lossy(&output.stderr).into_owned())
}

/// Whether `signature` over `message` is of the key `public` (PEM); `options` are of pkeyutl.
pub(crate) fn verifies(public: &str, message: &[u8], signature: &[u8], options: &[&str]) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let file =
        |name: &str, octets: &[u8]| std::fs::write(folder.path().join(name), octets).unwrap();
    file("key", public.as_bytes());
    file("message", message);
    file("signature", signature);
    let mut arguments = vec!["pkeyutl", "-verify", "-pubin", "-inkey", "key"];
    arguments.extend(["-in", "message", "-sigfile", "signature"]);
    arguments.extend(options);
    run(folder.path(), &arguments).is_ok()
}

/// `message` for the RSA key `public`.
pub(crate) fn encrypted(public: &str, message: &[u8], options: &[&str]) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("key"), public).unwrap();
    std::fs::write(folder.path().join("message"), message).unwrap();
    let mut arguments = vec![
        "pkeyutl", "-encrypt", "-pubin", "-inkey", "key", "-in", "message",
    ];
    arguments.extend(options);
    run(folder.path(), &arguments).unwrap()
}

/// A public key, a signing request or a certificate as text without numbers of keys, serial numbers
/// and signatures; those of requests and certificates are verified.
pub(crate) fn described(pem: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("pem"), pem).unwrap();
    let arguments: &[&str] = if pem.contains("PUBLIC KEY") {
        &["pkey", "-pubin", "-text", "-noout", "-in", "pem"]
    } else if pem.contains("CERTIFICATE REQUEST") {
        run(folder.path(), &["req", "-verify", "-noout", "-in", "pem"]).unwrap();
        &["req", "-text", "-noout", "-in", "pem"]
    } else {
        let trusting = ["verify", "-no_check_time", "-CAfile", "pem", "pem"];
        run(folder.path(), &trusting).unwrap();
        &["x509", "-text", "-noout", "-in", "pem"]
    };
    let text = String::from_utf8(run(folder.path(), arguments).unwrap()).unwrap();
    let octets = |line: &&str| {
        let line = line.trim();
        let hexadecimal = |part: &str| part.len() == 2 && u8::from_str_radix(part, 16).is_ok();
        line.is_empty() || !line.trim_end_matches(':').split(':').all(hexadecimal)
    };
    text.lines().filter(octets).collect::<Vec<_>>().join("\n")
}
