//! `cert export`: certificates in the forms in which others look for them.

use std::fs;
use std::path::{Component, Path, PathBuf};
use std::time::SystemTime;

use serde::Serialize;
use signstar_certificate::{DescribeError, Published, armor, binary, keyring, web_key_directory};
use zeroize::Zeroizing;

use super::read;
use crate::cli::{Export, Form};
use crate::device;
use crate::failure::{Failure, Status};
use crate::new_file::{Existing, NewFile};
use crate::report::Report;
use crate::settings::Settings;

#[derive(Serialize)]
struct Exported {
    keys: Vec<String>,
    files: Vec<PathBuf>,
    dry_run: bool,
}

/// A file to be written.
struct Output {
    path: PathBuf,
    bytes: Vec<u8>,
    existing: Existing,
}

/// Writes certificates.
pub(crate) fn export(settings: &Settings, options: &Export) -> Result<Report, Failure> {
    let mut certificates = Vec::new();
    for name in &options.key {
        certificates.push(match options.from_device {
            true => Zeroizing::new(device::load(settings, name)?.certificate),
            false => read(&settings.key(name)?.certificate)?,
        });
    }
    let bytes: Vec<&[u8]> = certificates.iter().map(|bytes| bytes.as_slice()).collect();
    let outputs = outputs(options, &bytes)?;
    for output in &outputs {
        output.existing.check(&output.path)?;
    }
    let exported = Exported {
        keys: options.key.clone(),
        files: outputs.iter().map(|output| output.path.clone()).collect(),
        dry_run: options.dry_run,
    };
    let mut text = String::new();
    for output in outputs {
        let verb = match options.dry_run {
            true => "would write",
            false => output.write()?,
        };
        text += &format!("{verb}: {}\n", output.path.display());
    }
    Report::new(text, &exported)
}

fn outputs(options: &Export, certificates: &[&[u8]]) -> Result<Vec<Output>, Failure> {
    let data = |error: DescribeError| Failure::new(Status::Data, error);
    let to = &options.to;
    let existing = Existing::forced(options.force);
    let output = |path: PathBuf, bytes: Vec<u8>| Output {
        path,
        bytes,
        existing,
    };
    let one = || match certificates {
        [one] => Ok(*one),
        _ => Err(Failure::new(
            Status::Usage,
            "one file takes one certificate: give --key once",
        )),
    };
    match options.form {
        Form::Binary => Ok(vec![output(to.clone(), binary(one()?).map_err(data)?)]),
        Form::Armored => Ok(vec![output(to.clone(), armor(one()?).map_err(data)?)]),
        Form::Pacman => {
            let name = options.keyring.as_deref().unwrap_or_default();
            check_name(name)?;
            let made = keyring(certificates, SystemTime::now()).map_err(data)?;
            let at = |suffix: &str| to.join(format!("{name}{suffix}"));
            Ok(vec![
                output(at(".gpg"), made.certificates),
                output(at("-trusted"), made.trusted.into_bytes()),
                output(at("-revoked"), made.revoked.into_bytes()),
            ])
        }
        Form::Wkd | Form::WkdDirect => {
            let published = web_key_directory(certificates).map_err(data)?;
            let known = to.join(".well-known/openpgpkey");
            let mut outputs = Vec::new();
            for Published {
                domain,
                hash,
                certificates,
                ..
            } in published
            {
                let folder = match options.form {
                    Form::Wkd => known.join(domain),
                    _ => known.clone(),
                };
                outputs.push(output(folder.join("hu").join(hash), certificates));
                let policy = folder.join("policy");
                if outputs.iter().all(|output| output.path != policy) {
                    outputs.push(Output {
                        path: policy,
                        // Clients want it to be there; it need not say anything.
                        bytes: Vec::new(),
                        existing: Existing::Leave,
                    });
                }
            }
            Ok(outputs)
        }
    }
}

/// The name of a keyring becomes that of files.
fn check_name(name: &str) -> Result<(), Failure> {
    let mut parts = Path::new(name).components();
    match (parts.next(), parts.next()) {
        (Some(Component::Normal(part)), None) if part == name => Ok(()),
        _ => Err(Failure::new(
            Status::Usage,
            "--keyring: give a name without slashes",
        )),
    }
}

impl Output {
    fn write(&self) -> Result<&'static str, Failure> {
        if self.existing == Existing::Leave && self.path.exists() {
            return Ok("left as it is");
        }
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder).map_err(|error| Failure::with(folder, &error))?;
        }
        let file = NewFile {
            path: &self.path,
            mode: 0o644,
            group: None,
            existing: self.existing,
        };
        file.write(&self.bytes)?;
        Ok("written")
    }
}
