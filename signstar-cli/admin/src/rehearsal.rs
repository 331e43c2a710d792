//! `try USER FILE`: the whole line as sshd would have it, without a client.
//!
//! The login shell has no mode for this, so there is none that somebody else could ask for. It gets
//! from us what sshd would give it: arguments, variables, three pipes, and a file that names who has
//! authenticated. That is a caller whom nobody else can be (`identity.rs`), so the records say what this was.
//!
//! # What is deliberately absent
//! A signature without records, and one for an account whose records do not name a caller.

mod account;
mod identity;

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

use serde::Serialize;
use signstar::enclave;
use signstar_certificate::verify;
use signstar_core::{HashAlgorithm, Hasher};

use crate::cli::Try;
use crate::failure::{Failure, Status};
use crate::new_file::{Existing, NewFile};
use crate::report::Report;
use crate::settings::Settings;
use crate::sshd::SHELL;
pub(crate) use account::become_and_start;
use identity::{CONNECTION, IdentityFile};

/// A signature has some hundred bytes, and some thousand where it is a composite one.
const SIGNATURE_BYTES_MAX: u64 = 64 << 10;
/// The login shell says one line.
const ERROR_BYTES_MAX: u64 = 64 << 10;
/// How much of the artifact is sent at a time.
const CHUNK_BYTES: usize = 64 << 10;

#[derive(Serialize)]
struct Rehearsed<'a> {
    user: &'a str,
    key: &'a str,
    file: &'a Path,
    /// Whether there is a signature, and it verifies with the certificate.
    signed: bool,
    /// What the login shell ended with.
    status: Option<i32>,
    /// What it said to the caller.
    said: String,
    /// Fingerprint of the key that has signed.
    fingerprint: Option<String>,
    /// Where the signature is, if it was kept.
    kept: Option<&'a Path>,
}

/// Has a file signed.
pub(crate) fn rehearse(settings: &Settings, options: &Try) -> Result<Report, Failure> {
    let Try {
        user,
        file,
        keep,
        declare,
    } = options;
    if !nix::unistd::geteuid().is_root() {
        let text = "only root can become another account: run this as root";
        return Err(Failure::new(Status::Permission, text));
    }
    let configured = settings.config.users.get(user).ok_or_else(|| {
        let text = format!("the configuration has no [user.{user}]: add it");
        Failure::new(Status::Usage, text)
    })?;
    let account = crate::account::account(user)?.ok_or_else(|| {
        let text = format!("[user.{user}]: there is no such account: make it");
        Failure::new(Status::Configuration, text)
    })?;
    if let Some(path) = keep {
        Existing::KeepForGood.check(path)?;
    }
    let failed = |error: std::io::Error| Failure::with(file, &error);
    let command = declare.then(|| declaration(file)).transpose()?;
    let artifact = File::open(file).map_err(failed)?;
    let identity = IdentityFile::new(&account)?;
    let (status, signature, said) = run(user, artifact, &identity, command.as_deref())?;
    drop(identity);

    let mut rehearsed = Rehearsed {
        user,
        key: &configured.key,
        file,
        signed: false,
        status: status.code(),
        said,
        fingerprint: None,
        kept: None,
    };
    if status.success() {
        let key = settings.key(&configured.key)?;
        let certificate =
            fs::read(&key.certificate).map_err(|error| Failure::with(&key.certificate, &error))?;
        let signing_key = enclave::open_certificate(key)?;
        let artifact = File::open(file).map_err(failed)?;
        verify(
            &certificate,
            &signing_key.fingerprint(),
            &signature,
            artifact,
        )
        .map_err(|error| Failure::new(Status::Internal, error))?;
        rehearsed.signed = true;
        rehearsed.fingerprint = Some(signing_key.fingerprint());
        if let Some(path) = keep {
            let new = NewFile {
                path,
                mode: 0o644,
                group: None,
                existing: Existing::KeepForGood,
            };
            new.write(&signature)?;
            rehearsed.kept = Some(path);
        }
    }
    let finding = (!rehearsed.signed).then_some(Status::Unavailable);
    let text = rehearsed.text(status);
    Ok(Report::new(text, &rehearsed)?.ending_with(finding))
}

/// `sign v1 size=N sha512=HEX` for a file.
fn declaration(file: &Path) -> Result<String, Failure> {
    let failed = |error: std::io::Error| Failure::with(file, &error);
    let mut artifact = File::open(file).map_err(failed)?;
    let mut hasher = Hasher::new(HashAlgorithm::Sha512, u64::MAX);
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        let read = artifact.read(&mut chunk).map_err(failed)?;
        let Some(bytes) = chunk.get(..read).filter(|bytes| !bytes.is_empty()) else {
            break;
        };
        hasher
            .update(bytes)
            .map_err(|error| Failure::new(Status::Data, error))?;
    }
    let size = hasher.bytes();
    let digest = hasher.finish().to_string();
    let hexadecimal = digest.rsplit(':').next().unwrap_or_default();
    Ok(format!("sign v1 size={size} sha512={hexadecimal}"))
}

/// Starts this program again, which becomes the account and then the login shell.
fn run(
    user: &str,
    artifact: File,
    identity: &IdentityFile,
    command: Option<&str>,
) -> Result<(ExitStatus, Vec<u8>, String), Failure> {
    let own = Path::new("/proc/self/exe");
    let failed = |error: std::io::Error| Failure::with(Path::new(SHELL), &error);
    let mut child = Command::new(own);
    child
        .args(["become", user])
        .env_clear()
        .env("USER", user)
        .env("LOGNAME", user)
        .env("HOME", "/")
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("SHELL", SHELL)
        .env("SSH_CLIENT", CONNECTION.client)
        .env("SSH_CONNECTION", CONNECTION.whole)
        .env("SSH_USER_AUTH", identity.path())
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    if let Some(command) = command {
        child.env("SSH_ORIGINAL_COMMAND", OsStr::new(command));
    }
    let mut child = child.spawn().map_err(failed)?;
    let (signature, said) = converse(&mut child, artifact);
    let status = child.wait().map_err(failed)?;
    Ok((status, signature, said))
}

/// Sends the artifact, and takes what comes back.
fn converse(child: &mut Child, mut artifact: File) -> (Vec<u8>, String) {
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    std::thread::scope(|scope| {
        scope.spawn(move || {
            if let Some(mut stdin) = stdin {
                // A login shell that refuses does not read on; what it says comes back otherwise.
                let _ = std::io::copy(&mut artifact, &mut stdin);
                let _ = stdin.flush();
            }
        });
        let errors = scope.spawn(move || {
            let mut said = Vec::new();
            if let Some(stderr) = stderr {
                let _ = stderr.take(ERROR_BYTES_MAX).read_to_end(&mut said);
            }
            said
        });
        let mut signature = Vec::new();
        if let Some(stdout) = stdout {
            let _ = stdout.take(SIGNATURE_BYTES_MAX).read_to_end(&mut signature);
        }
        let said = errors.join().unwrap_or_default();
        let said = String::from_utf8_lossy(&said).trim().to_owned();
        (
            signature,
            said.replace(|char: char| char.is_control() && char != '\n', "\u{fffd}"),
        )
    })
}

impl Rehearsed<'_> {
    fn text(&self, status: ExitStatus) -> String {
        let (user, key) = (self.user, self.key);
        let mut text = match &self.fingerprint {
            Some(fingerprint) => format!(
                "[user.{user}] signs with [key.{key}]: the signature verifies with {fingerprint}\n"
            ),
            None => {
                let end = match (status.code(), status.signal()) {
                    (Some(code), _) => format!("status {code}"),
                    (None, Some(signal)) => format!("signal {signal}"),
                    (None, None) => "an unknown status".to_owned(),
                };
                format!("[user.{user}] does not sign: signstar ended with {end}\n")
            }
        };
        if !self.said.is_empty() {
            text += &format!("{}\n", self.said);
        }
        text += &match self.kept {
            Some(path) => format!("the signature is in {}\n", path.display()),
            None if self.signed => "the signature is gone; --keep FILE keeps one\n".to_owned(),
            None => String::new(),
        };
        text + "the records name a rehearsal as caller\n"
    }
}
