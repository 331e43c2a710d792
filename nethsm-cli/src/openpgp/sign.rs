//! `openpgp sign` and `openpgp sign-state`: detached signatures, by the same steps as those of the signing
//! service.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use clap::{Args, ValueEnum};
use signstar_certificate::armored_signature;
use signstar_core::{
    Certificate, Failure as Refused, Intake, Ledger, Policy, Profile, Record, RequestId, Session,
    SigningKey, Subject,
};
use signstar_nethsm::sdk::apis::default_api;

use super::{open, request};
use crate::device::{Device, OPERATOR};
use crate::failure::Failure;
use crate::key::{data, key_id};
use crate::new_file;
use crate::report::Report;

/// Certificates are some kilobytes.
const CERTIFICATE_BYTES_MAX: u64 = 4 << 20;
/// What is read at once.
const CHUNK_BYTES: usize = 64 << 10;

#[derive(Args, Debug)]
pub(crate) struct Sign {
    #[command(flatten)]
    with: With,
    /// The file to sign
    #[arg(short, long, value_name = "FILE")]
    input: PathBuf,
    /// The file for the signature, customarily the input's name and .sig
    #[arg(short, long, value_name = "FILE")]
    out: PathBuf,
}

#[derive(Args, Debug)]
pub(crate) struct SignState {
    #[command(flatten)]
    with: With,
    /// The request, as JSON, in which the state is; - for standard input
    #[arg(short, long, value_name = "FILE", default_value = "-")]
    input: PathBuf,
    /// The file to write [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// In which form
    #[arg(long = "format", alias = "form", value_enum, default_value = "armored")]
    form: Form,
}

/// In which form a signature is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    /// ASCII armor
    Armored,
    /// The packet, as pacman and repo-add want it
    Binary,
    /// JSON, as the client wants it that has made the request
    Response,
}

/// With what something is signed.
#[derive(Args, Debug)]
struct With {
    /// The key
    id: String,
    /// Its certificate [default: what hangs on the key]
    #[arg(long, value_name = "FILE")]
    cert: Option<PathBuf>,
}

/// Why nothing was signed, for the one who asks and may see everything.
fn said(refused: Refused) -> Failure {
    match refused.detail.is_empty() {
        true => Failure::failed(refused.refusal.sentence()),
        false => Failure::failed(refused.detail),
    }
}

impl With {
    fn key(&self, device: &mut Device, id: &str) -> Result<SigningKey, Failure> {
        let certificate = match &self.cert {
            None => device.read(OPERATOR, "keys_key_id_cert_get", |asking| {
                default_api::keys_key_id_cert_get(asking, id)
            })?,
            Some(path) => {
                let failed = |error: std::io::Error| Failure::with(path, &error);
                if std::fs::metadata(path).map_err(failed)?.len() > CERTIFICATE_BYTES_MAX {
                    return Err(Failure::usage(format!(
                        "{}: is no certificate",
                        path.display()
                    )));
                }
                std::fs::read(path).map_err(failed)?
            }
        };
        Certificate::parse(&certificate)
            .and_then(|certificate| certificate.signing_key(None, SystemTime::now()))
            .map_err(|error| Failure::usage(format!("{id}: its certificate: {error}")))
    }

    /// The signature of what `intake` makes of a session, whose `policy` asks for nothing else.
    fn signature(
        &self,
        device: &mut Device,
        policy: Policy,
        intake: impl FnOnce(&Session<'_>, &[u8; 32]) -> Result<Intake, Failure>,
    ) -> Result<Vec<u8>, Failure> {
        let id = key_id(&self.id)?;
        let key = self.key(device, id)?;
        device.rehearse("keys_key_id_sign_post")?;
        let mut opened = open(device, id)?;
        key.check_signer(opened.signer.as_ref())
            .map_err(|error| Failure::usage(format!("{id}: its certificate: {error}")))?;
        let mut request = [0; 16];
        let mut salt = [0; 32];
        getrandom::fill(&mut request)
            .and_then(|()| getrandom::fill(&mut salt))
            .map_err(Failure::failed)?;
        let mut subject = Subject::new(RequestId::from_bytes(request));
        subject.set_signing_key(&key);
        // Records are for the signing service: whoever asks here is the one who reads them.
        let mut records: Vec<Record> = Vec::new();
        let mut session = Session {
            key: &key,
            profile: Profile::default(),
            policy,
            signer: opened.signer.as_mut(),
            ledger: Ledger {
                subject,
                sink: &mut records,
                clock: SystemTime::now,
            },
        };
        let intake = intake(&session, &salt)?;
        let signature = session
            .approve(intake)
            .and_then(|approval| session.sign(approval))
            .and_then(|signed| session.release(signed))
            .map_err(said)?;
        Ok(signature.into_bytes())
    }
}

pub(super) fn sign(device: &mut Device, options: &Sign) -> Result<Report, Failure> {
    let signature = options
        .with
        .signature(device, Policy::default(), |session, salt| {
            read(&options.input, session.intake(None, salt))
        })?;
    Report::bytes(signature, Some(&options.out), new_file::PUBLIC)
}

/// Takes the file at `path` in.
fn read(path: &Path, mut intake: Intake) -> Result<Intake, Failure> {
    let failed = |error: std::io::Error| Failure::with(path, &error);
    let mut file = std::fs::File::open(path).map_err(failed)?;
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        let count = file.read(&mut chunk).map_err(failed)?;
        let Some(read) = chunk.get(..count).filter(|read| !read.is_empty()) else {
            return Ok(intake);
        };
        intake.update(read).map_err(said)?;
    }
}

pub(super) fn sign_state(device: &mut Device, options: &SignState) -> Result<Report, Failure> {
    let state = request::read(&data::read(&options.input)?)?;
    let policy = Policy {
        hash_states: true,
        ..Policy::default()
    };
    let signature = options.with.signature(device, policy, |session, _| {
        session.resume(&state).map_err(said)
    })?;
    let out = options.out.as_deref();
    let armored = || armored_signature(&signature).map_err(Failure::failed);
    let bytes = match options.form {
        Form::Binary => signature,
        Form::Armored => armored()?,
        Form::Response => {
            let response = request::response(&armored()?);
            let mut bytes = response.to_string().into_bytes();
            bytes.push(b'\n');
            let mut report = Report::bytes(bytes, out, new_file::PUBLIC)?;
            if out.is_none() {
                report.value = response;
            }
            return Ok(report);
        }
    };
    Report::bytes(bytes, out, new_file::PUBLIC)
}
