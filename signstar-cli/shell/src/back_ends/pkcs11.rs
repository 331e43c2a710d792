//! Keys on PKCS#11 tokens, `[key.NAME.pkcs11]`: a worker process loads the vendor's module.

use std::path::{Path, PathBuf};
use std::time::Duration;

use signstar_confine::start_helper;
use signstar_core::{Failure, ModuleSettings, Opened, Refusal, SigningKey, WorkerRequest};
use signstar_pkcs11::Uri;
use zeroize::Zeroizing;

use super::{BackEnd, Device};
use crate::config::Table;
use crate::trusted_file::{self, describe, Kind};

pub(super) const BACK_END: BackEnd = BackEnd {
    name: "pkcs11",
    environment: &[],
    read,
};

/// The program that loads the module.
pub const WORKER: &str = "/usr/lib/signstar/signstar-pkcs11-worker";

/// The longest PIN that the worker takes, and a line end.
const PIN_FILE_BYTES_MAX: u64 = 257;

/// What `[key.NAME.pkcs11]` says.
#[derive(Clone)]
pub struct Pkcs11 {
    /// The vendor's module.
    pub module: PathBuf,
    /// The key as an RFC 7512 URI; for a composite key its ML-DSA half.
    pub uri: String,
    /// The Ed25519 half of a composite key, on the same token.
    pub uri_ed25519: Option<String>,
    /// The file with the PIN.
    pub pin: PathBuf,
    /// The worker's whole environment.
    pub environment: Vec<(String, String)>,
    /// What the module may read.
    pub read: Vec<PathBuf>,
    /// What the module may change as well.
    pub write: Vec<PathBuf>,
}

fn read(mut table: Table<'_, '_>) -> Option<Box<dyn Device>> {
    let module = table.path("module");
    let uri = table.text("uri");
    let uri_ed25519 = table.optional_text("uri-ed25519");
    let parsed = |key, text: &Option<String>| match Uri::parse(text.as_deref()?) {
        Ok(uri) => Some(uri),
        Err(error) => {
            table.problem_with(key, error);
            None
        }
    };
    let whole = parsed("uri", &uri);
    if let (Some(half), Some(whole)) = (parsed("uri-ed25519", &uri_ed25519), whole) {
        if !half.is_on_token_of(&whole) {
            let text = "must name its token by the same attributes as `uri`: both keys are on one";
            table.problem_with("uri-ed25519", text);
        } else if half == whole {
            table.problem_with("uri-ed25519", "must name another key than `uri`");
        }
    }
    let pin = table.path("pin");
    let environment = table.texts("environment");
    for (name, _) in &environment {
        if !is_variable(name) {
            table.problem_with(
                "environment",
                "names are A-Z 0-9 _, and none of the dynamic loader's (LD_…, GLIBC_…)",
            );
        }
    }
    let new = Pkcs11 {
        module: module.unwrap_or_default(),
        uri: uri.unwrap_or_default(),
        uri_ed25519,
        pin: pin.unwrap_or_default(),
        environment,
        read: table.paths("read"),
        write: table.paths("write"),
    };
    if new.opening(1).is_err() {
        table.problem("its paths and URIs must have less than 4000 bytes together");
    }
    table.finish();
    Some(Box::new(new))
}

/// Variables of the loader would choose code that nobody has looked at.
fn is_variable(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    let first = name.bytes().next();
    (1..=64).contains(&name.len())
        && name.bytes().all(allowed)
        && !first.is_some_and(|byte| byte.is_ascii_digit())
        && !name.starts_with("LD_")
        && !name.starts_with("GLIBC_")
}

impl Pkcs11 {
    fn settings(&self, seconds: u64) -> Option<ModuleSettings> {
        let text = |path: &PathBuf| path.to_str().map(str::to_owned);
        let texts = |paths: &[PathBuf]| paths.iter().map(text).collect::<Option<Vec<_>>>();
        Some(ModuleSettings {
            module: text(&self.module)?,
            uri: self.uri.clone(),
            uri_ed25519: self.uri_ed25519.clone(),
            read: texts(&self.read)?,
            write: texts(&self.write)?,
            processor_seconds: u16::try_from(seconds).ok()?,
        })
    }

    /// What the worker is told, which must fit into one message. It may use the processor for `seconds`.
    ///
    /// # Errors
    /// It does not fit.
    pub fn opening(&self, seconds: u64) -> Result<ModuleSettings, Failure> {
        let long = || {
            Failure::new(
                Refusal::Configuration,
                "the settings of the module are too long",
            )
        };
        let settings = self.settings(seconds).ok_or_else(long)?;
        match WorkerRequest::Open(settings.clone()).to_frame() {
            Ok(_) => Ok(settings),
            Err(_) => Err(long()),
        }
    }
}

impl Pkcs11 {
    /// Starts a worker for one digest and asks it for the key, whatever key it is. Each of its
    /// answers may take `patience`.
    ///
    /// # Errors
    /// The PIN cannot be read, or the worker does not find the key.
    pub fn open_any(&self, patience: Duration) -> Result<Opened, Failure> {
        let pin = trusted_file::read(&self.pin, Kind::Secret, PIN_FILE_BYTES_MAX)
            .map_err(|error| Failure::new(Refusal::Credential, error))?;
        // A line end at the end is the editor's, not the PIN's.
        let pin = pin.strip_suffix(b"\n").unwrap_or(&pin);
        let settings = self.opening(patience.as_secs())?;
        let helper = start_helper(Path::new(WORKER), &self.environment).map_err(|error| {
            let detail = format!("starting {WORKER}: {}", describe(&error));
            Failure::new(Refusal::DeviceUnavailable, detail)
        })?;
        let pin = Zeroizing::new(pin.to_vec());
        Ok(signstar_pkcs11::open(
            helper.socket,
            settings,
            pin,
            patience,
        )?)
    }
}

impl Device for Pkcs11 {
    fn open(&self, _: &SigningKey, patience: Duration) -> Result<Opened, Failure> {
        self.open_any(patience)
    }

    fn secrets(&self) -> Vec<&Path> {
        vec![&self.pin]
    }
}
