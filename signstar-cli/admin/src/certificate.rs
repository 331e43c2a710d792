//! `cert create` and `cert show`.

use std::path::PathBuf;
use std::time::SystemTime;

use serde::Serialize;
use signstar::enclave;
use signstar::trusted_file::{self, Kind};
use signstar_certificate::{
    CertificateRequest, CreateError, Description, KeyDescription, Usage, armor, describe,
};

use crate::cli::{Create, Show};
use crate::expiry;
use crate::failure::{Failure, Status};
use crate::new_file::{Existing, NewFile};
use crate::report::Report;
use crate::settings::Settings;
use crate::software;

/// The same bound as the login shell's.
const CERTIFICATE_BYTES_MAX: u64 = 1 << 20;

#[derive(Serialize)]
struct Created {
    key: String,
    fingerprint: String,
    certificate: PathBuf,
    revocation: PathBuf,
}

/// Makes a certificate where the configuration wants it, and its revocation.
pub(crate) fn create(settings: &Settings, options: &Create) -> Result<Report, Failure> {
    let name = &options.key;
    let now = SystemTime::now();
    let expires = options
        .expires
        .as_deref()
        .map(|text| expiry::parse(text, now))
        .transpose()?;
    let files = settings.software(name)?;
    let certificate = settings.key(name)?.certificate.clone();
    let beside = || certificate.with_extension("revocation.asc");
    let revocation = options.revocation.clone().unwrap_or_else(beside);
    let existing = Existing::forced(options.force);
    existing.check(&certificate)?;
    existing.check(&revocation)?;

    let (stored, mut opened) = software::open(files)?;
    let request = CertificateRequest {
        user_id: &options.user_id,
        created: stored.created,
        now,
        expires,
        version: stored.version,
        usage: Usage::CertifyAndSign,
    };
    let made = signstar_certificate::create(opened.signer.as_mut(), &request)?;
    let file = |path, mode| NewFile {
        path,
        mode,
        group: 0,
        existing,
    };
    // In this order: no certificate without a way to revoke it.
    file(&revocation, 0o400).write(&made.revocation)?;
    file(&certificate, 0o644).write(&made.certificate)?;

    let text = format!(
        "{}: certificate {}\n{}: its revocation; keep it in a safe and remove it here\n\
         next: signstar-admin config check\n",
        certificate.display(),
        made.fingerprint,
        revocation.display(),
    );
    let key = name.clone();
    Report::new(
        text,
        &Created {
            key,
            fingerprint: made.fingerprint,
            certificate,
            revocation,
        },
    )
}

impl From<CreateError> for Failure {
    fn from(error: CreateError) -> Self {
        match error {
            CreateError::Signer(error) => error.into(),
            CreateError::UserId | CreateError::Expiry => Self::new(Status::Usage, error),
            CreateError::Creation => Self::new(Status::Data, error),
            CreateError::Unsound(_) | CreateError::OpenPgp(_) => Self::new(Status::Internal, error),
        }
    }
}

#[derive(Serialize)]
struct Shown {
    key: String,
    fingerprint: String,
    version: u8,
    user_ids: Vec<String>,
    revoked: bool,
    keys: Vec<ShownKey>,
    /// Fingerprint of the key that signs, if it may now.
    signing_key: Option<String>,
    /// Why no key of it may sign now.
    problem: Option<String>,
}

#[derive(Serialize)]
struct ShownKey {
    fingerprint: String,
    algorithm: String,
    bits: Option<usize>,
    created: String,
    expires: Option<String>,
    signs: bool,
}

#[derive(Serialize)]
struct Armored {
    key: String,
    certificate: String,
}

/// Shows a certificate.
pub(crate) fn show(settings: &Settings, options: &Show) -> Result<Report, Failure> {
    let key = settings.key(&options.key)?;
    let path = &key.certificate;
    let bytes = trusted_file::read(path, Kind::Public, CERTIFICATE_BYTES_MAX)?;
    let data = |error| Failure::new(Status::Data, format!("{}: {error}", path.display()));
    if options.armor {
        let armored = armor(&bytes).map_err(data)?;
        let certificate = String::from_utf8_lossy(&armored).into_owned();
        let key = options.key.clone();
        return Report::new(certificate.clone(), &Armored { key, certificate });
    }
    let said = describe(&bytes, SystemTime::now()).map_err(data)?;
    let signing = enclave::open_certificate(key);
    let shown = Shown {
        key: options.key.clone(),
        signing_key: signing.as_ref().ok().map(|key| key.fingerprint()),
        problem: signing.err().map(|failure| failure.detail),
        ..Shown::from(said)
    };
    let finding = shown.problem.as_ref().map(|_| Status::Data);
    Ok(Report::new(shown.text(), &shown)?.ending_with(finding))
}

impl From<Description> for Shown {
    fn from(said: Description) -> Self {
        Self {
            key: String::new(),
            fingerprint: said.fingerprint,
            version: said.version,
            user_ids: said.user_ids,
            revoked: said.revoked,
            keys: said.keys.into_iter().map(ShownKey::from).collect(),
            signing_key: None,
            problem: None,
        }
    }
}

impl From<KeyDescription> for ShownKey {
    fn from(said: KeyDescription) -> Self {
        let date = |time| humantime::format_rfc3339_seconds(time).to_string();
        Self {
            fingerprint: said.fingerprint,
            algorithm: said.algorithm,
            bits: said.bits,
            created: date(said.created),
            expires: said.expires.map(date),
            signs: said.signs,
        }
    }
}

impl Shown {
    fn text(&self) -> String {
        let mut lines = vec![format!(
            "certificate {} (version {})",
            self.fingerprint, self.version
        )];
        lines.extend(
            self.user_ids
                .iter()
                .map(|user_id| format!("  user ID    {user_id}")),
        );
        for key in &self.keys {
            let bits = key
                .bits
                .map(|bits| format!(", {bits} bits"))
                .unwrap_or_default();
            lines.push(format!("  key        {}", key.fingerprint));
            lines.push(format!("    algorithm  {}{bits}", key.algorithm));
            lines.push(format!("    created    {}", key.created));
            lines.push(format!(
                "    expires    {}",
                key.expires.as_deref().unwrap_or("never")
            ));
            lines.push(format!(
                "    signs      {}",
                if key.signs { "yes" } else { "no" }
            ));
        }
        let revoked = if self.revoked { "yes" } else { "no" };
        lines.push(format!("  revoked    {revoked}"));
        lines.push(match (&self.signing_key, &self.problem) {
            (Some(key), _) => format!("  valid now  yes: {key} signs"),
            (None, problem) => {
                format!(
                    "  valid now  no: {}",
                    problem.as_deref().unwrap_or_default()
                )
            }
        });
        lines.push(String::new());
        lines.join("\n")
    }
}
