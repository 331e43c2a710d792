//! Signs a file as a tool would that adds packages to a repository: `FILE.sig` appears beside
//! `FILE`, whole or not at all.
//!
//! ```text
//! cargo run --example sign_file -- SECRET-KEY CERTIFICATE FILE
//! ```
//!
//! SECRET-KEY is an OpenPGP secret key file without a passphrase, CERTIFICATE its public half.
//! The key is held by the software back end here; with any other one only [`open_key`] differs.
//! Records go to standard error; a service would give them to a log that it cannot rewrite.

use std::error::Error;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::SystemTime;

use signstar_core::{
    Certificate, Ledger, Opened, Policy, Profile, Record, RequestId, SecretKey, Session,
    SigningKey, Sink, SinkError, Subject,
};

/// Read at once; nothing of the artifact is kept.
const CHUNK_BYTES: usize = 64 * 1024;

fn main() -> ExitCode {
    let arguments: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let [secret_key, certificate, artifact] = arguments.as_slice() else {
        eprintln!("usage: sign_file SECRET-KEY CERTIFICATE FILE");
        return ExitCode::from(64);
    };
    match sign_file(secret_key, certificate, artifact) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("sign_file: {error}");
            ExitCode::FAILURE
        }
    }
}

fn sign_file(secret_key: &Path, certificate: &Path, artifact: &Path) -> Result<(), Box<dyn Error>> {
    // The certificate says which key signs and whether it may; the device must hold that key.
    let key = Certificate::parse(&fs::read(certificate)?)?.signing_key(None, SystemTime::now())?;
    let mut device = open_key(secret_key, &key)?;
    key.check_signer(device.signer.as_ref())?;

    let mut id = [0; 16];
    let mut salt = [0; 32];
    getrandom::fill(&mut id)?;
    getrandom::fill(&mut salt)?;
    let mut subject = Subject::new(RequestId::from_bytes(id));
    subject.set_signing_key(&key);
    let mut session = Session {
        key: &key,
        profile: Profile::default(),
        policy: Policy::default(),
        signer: device.signer.as_mut(),
        ledger: Ledger {
            subject,
            sink: &mut StandardError,
            clock: SystemTime::now,
        },
    };

    // Hashed as it is read: an image of gigabytes takes no more memory than a database.
    let mut intake = session.intake(None, &salt);
    let mut input = File::open(artifact)?;
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        let count = input.read(&mut chunk)?;
        if count == 0 {
            break;
        }
        intake.update(chunk.get(..count).unwrap_or_default())?;
    }

    // Each step consumes the one before it, and leaves its record first.
    let approval = session.approve(intake)?;
    let signed = session.sign(approval)?;
    let signature = session.release(signed)?;
    write_whole(&beside(artifact, "", ".sig"), signature.as_bytes())?;
    Ok(())
}

/// The one key of the file that the certificate names, in memory.
fn open_key(file: &Path, key: &SigningKey) -> Result<Opened, Box<dyn Error>> {
    let secret = SecretKey::parse(&fs::read(file)?, &key.fingerprint(), None)?;
    Ok(signstar_software::open(secret.into_material())?)
}

/// Writes a new file beside `path` and moves it there: whoever looks sees the old file or the new
/// one, also after a crash.
fn write_whole(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let unfinished = beside(path, ".", &format!(".{}", std::process::id()));
    let written = File::create_new(&unfinished).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&unfinished, path)
    });
    if written.is_err() {
        // What failed is reported; that a rest of it may lie around is the lesser trouble.
        let _ = fs::remove_file(&unfinished);
    }
    written
}

/// The path in the same folder whose name has something before and behind it.
fn beside(path: &Path, before: &str, behind: &str) -> PathBuf {
    let mut name = OsString::from(before);
    name.push(path.file_name().unwrap_or_default());
    name.push(behind);
    path.with_file_name(name)
}

/// A sink that prints: each record is a line that [`Record::from_line`] reads back.
struct StandardError;

impl Sink for StandardError {
    fn accept(&mut self, record: &Record) -> Result<(), SinkError> {
        writeln!(std::io::stderr(), "{}", record.to_line()).map_err(|error| SinkError {
            sink: "stderr",
            reason: error.to_string(),
        })
    }
}
