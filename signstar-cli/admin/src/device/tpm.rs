//! Keys in a TPM 2.0: making them, and what else is in the TPM.
//!
//! Deliberately absent: clearing a TPM, and making a key from numbers that were outside.

mod storage_key;

use std::path::Path;

use signstar::back_ends::tpm::{Place, Tpm};
use signstar::config::Key;
use signstar_core::{KeyKind, PublicKey};
use signstar_tpm::Handle;
use signstar_tpm::provision::{Guessing, KINDS, KeyFiles, Template, Tool};
use zeroize::Zeroizing;

use super::asking::{agree, making};
use super::{BackEnd, Held, Made, Seen, settings_of};
use crate::account;
use crate::cli::{Generate, ListDevices};
use crate::failure::{Failure, Status};
use crate::new_file::{Existing, NewFile};
use crate::secret_file;
use crate::settings::Settings;

/// Hexadecimal digits of an auth value that is made here: 16 random bytes.
const AUTH_DIGITS: usize = 32;

pub(super) const BACK_END: BackEnd = BackEnd {
    name: "tpm",
    open,
    look,
    generate,
    kinds: &KINDS,
    options: &["--group", "--owner-auth-file"],
    import: None,
    search: Some(search),
    storage_key: Some(storage_key::make),
    shelf: None,
};

fn open(_: &Settings, key: &Key) -> Result<Held, Failure> {
    let tpm: &Tpm = settings_of(key)?;
    Ok(Held {
        signer: tpm.open_any()?.signer,
        stored: None,
        place: place(tpm),
    })
}

fn look(settings: &Settings, key: &Key) -> Result<Seen, Failure> {
    let tpm: &Tpm = settings_of(key)?;
    let mut seen = Seen::of(&open(settings, key)?);
    note_status(&mut seen, &mut Tool::open(&tpm.device)?)?;
    Ok(seen)
}

/// Says how the TPM defends itself against guessing.
fn note_status(seen: &mut Seen, tool: &mut Tool) -> Result<(), Failure> {
    let status = tool.status()?;
    let counts = [
        ("failed_attempts", status.failed_attempts),
        ("failed_attempts_max", status.failed_attempts_max),
    ];
    let counts = counts.map(|(name, count)| (name, count.into()));
    seen.state.extend(counts);
    Ok(())
}

fn place(tpm: &Tpm) -> String {
    let device = tpm.device.display();
    match &tpm.place {
        Place::Persistent(handle) => format!("TPM {device}, handle {handle}"),
        Place::Files { public, .. } => format!("TPM {device}, file {}", public.display()),
    }
}

/// Everything at a persistent handle.
fn search(options: &ListDevices, _: Option<&Settings>) -> Result<Vec<Seen>, Failure> {
    let device = options.tpm.display();
    if !options.tpm.exists() {
        return Ok(Vec::new());
    }
    let mut tool = Tool::open(&options.tpm)?;
    let mut whole = Seen::new(format!("TPM {device}"), None);
    note_status(&mut whole, &mut tool)?;
    let mut all = vec![whole];
    for (handle, key) in tool.list()? {
        let mut seen = Seen::new(format!("TPM {device}, handle {handle}"), key.as_ref());
        // An object with another hash has no Name that could be configured.
        let name = tool.parent(handle).map(|parent| parent.name.to_string());
        let name = name.ok().map(|name| ("name", name.into()));
        seen.state.extend(name);
        all.push(seen);
    }
    Ok(all)
}

/// What is at `handle`, if anything is: a signing key, or something else.
fn at(tool: &mut Tool, handle: Handle) -> Result<Option<Option<PublicKey>>, Failure> {
    let mut all = tool.list()?.into_iter();
    Ok(all
        .find(|(place, _)| *place == handle)
        .map(|(_, found)| found))
}

fn generate(settings: &Settings, options: &Generate) -> Result<Made, Failure> {
    let tpm: &Tpm = settings_of(settings.key(&options.key)?)?;
    let kind = options.kind.unwrap_or(KeyKind::P256);
    let group = account::group_of_key(settings, &options.key, options.group.as_deref())?;
    let owner = options.owner_auth_file.as_deref();
    let owner = owner.map(secret_file::read).transpose()?;
    let auth = Auth::of(tpm)?;
    let mut tool = Tool::open(&tpm.device)?;
    let replaced = check_place(tpm, &mut tool, options)?;
    let made = Made {
        kind,
        device: place(tpm),
        fingerprint: None,
        created: None,
        secret_key: match &tpm.place {
            Place::Persistent(_) => None,
            Place::Files { private, .. } => Some(private.clone()),
        },
        protected: tpm.auth.is_some() || tpm.registers.is_some(),
        dry_run: options.replacing.dry_run,
    };
    if made.dry_run {
        return Ok(made);
    }
    let template = Template {
        kind,
        guessing: auth.guessing(),
        auth: auth.value.clone(),
        registers: tpm.registers.clone(),
    };
    making(&made.device, made.kind);
    let files = tool.create_key(&tpm.parent, &template)?;
    // In this order: no key without the value that it wants.
    auth.write(tpm, group)?;
    let existing = Existing::forced(options.replacing.force);
    match &tpm.place {
        Place::Persistent(handle) => {
            if replaced == Replaced::Yes {
                tool.remove(*handle, owner.as_ref())?;
            }
            tool.persist(&tpm.parent, &files, *handle, owner.as_ref())?;
        }
        Place::Files { public, private } => write(&files, public, private, group, existing)?,
    }
    drop(tool);
    // As the login shell will find it.
    let found = tpm.open_any()?.signer.public_key().kind();
    match found == made.kind {
        true => Ok(made),
        false => Err(Failure::new(
            Status::Internal,
            format!("{}: the TPM made a {found} key", made.device),
        )),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Replaced {
    Yes,
    No,
}

/// Makes sure that there is room for the key, or that what is there may be lost.
fn check_place(tpm: &Tpm, tool: &mut Tool, options: &Generate) -> Result<Replaced, Failure> {
    let existing = Existing::forced(options.replacing.force);
    match &tpm.place {
        Place::Files { public, private } => {
            existing.check(public)?;
            existing.check(private)?;
            let old = private.exists();
            if old {
                let present = format!("{}: there is a key", private.display());
                agree(&options.replacing, &present)?;
            }
            Ok(Replaced::No)
        }
        Place::Persistent(handle) if *handle == tpm.parent.handle => {
            let text = format!("{}: this is where the storage key is", place(tpm));
            Err(Failure::new(Status::Configuration, text))
        }
        Place::Persistent(handle) => {
            let Some(found) = at(tool, *handle)? else {
                return Ok(Replaced::No);
            };
            let what = found.map_or("another object".to_owned(), |key| {
                format!("a key of the kind {}", key.name())
            });
            agree(&options.replacing, &format!("{}: {what}", place(tpm)))?;
            Ok(Replaced::Yes)
        }
    }
}

fn write(
    files: &KeyFiles,
    public: &Path,
    private: &Path,
    group: u32,
    existing: Existing,
) -> Result<(), Failure> {
    let file = |path, mode, group| NewFile {
        path,
        mode,
        group: Some(group),
        existing,
    };
    file(private, 0o440, group).write(&files.private)?;
    Ok(file(public, 0o644, 0).write(&files.public)?)
}

/// The auth value of a key to be, and whether its file is there already.
struct Auth {
    value: Option<Zeroizing<Vec<u8>>>,
    is_new: bool,
}

impl Auth {
    fn of(tpm: &Tpm) -> Result<Self, Failure> {
        let Some(path) = &tpm.auth else {
            return Ok(Self {
                value: None,
                is_new: false,
            });
        };
        let is_new = std::fs::symlink_metadata(path)
            .is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound);
        let value = match is_new {
            true => random()?,
            false => secret_file::read(path)?,
        };
        if value.is_empty() || value.len() > AUTH_DIGITS {
            let text = format!(
                "{}: an auth value has 1 to {AUTH_DIGITS} bytes",
                path.display()
            );
            return Err(Failure::new(Status::Data, text));
        }
        Ok(Self {
            value: Some(value),
            is_new,
        })
    }

    /// What nobody can guess is not counted, so that nobody can lock it either. There is no guessing
    /// without a value.
    fn guessing(&self) -> Guessing {
        let is_random = |value: &Zeroizing<Vec<u8>>| {
            value.len() == AUTH_DIGITS && value.iter().all(u8::is_ascii_hexdigit)
        };
        match self.value.as_ref().is_none_or(is_random) {
            true => Guessing::Uncounted,
            false => Guessing::Counted,
        }
    }

    fn write(&self, tpm: &Tpm, group: u32) -> Result<(), Failure> {
        match (&tpm.auth, &self.value) {
            (Some(path), Some(value)) if self.is_new => {
                let file = NewFile {
                    path,
                    mode: 0o440,
                    group: Some(group),
                    existing: Existing::KeepForGood,
                };
                Ok(file.write(value)?)
            }
            _ => Ok(()),
        }
    }
}

fn random() -> Result<Zeroizing<Vec<u8>>, Failure> {
    let mut bytes = Zeroizing::new([0; AUTH_DIGITS / 2]);
    getrandom::fill(bytes.as_mut_slice())
        .map_err(|_| Failure::new(Status::Internal, "there are no random numbers"))?;
    let mut digits = Zeroizing::new(Vec::with_capacity(AUTH_DIGITS));
    for byte in bytes.iter() {
        for half in [byte >> 4, byte & 15] {
            digits.extend(b"0123456789abcdef".get(usize::from(half)));
        }
    }
    Ok(digits)
}
