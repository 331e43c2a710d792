//! The profile: who may read it, and whether what it refers to is there.

use std::fs::File;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::{Findings, Level};
use crate::cli::Globals;
use crate::failure::Failure;
use crate::profile::{Profile, Profiles, Trusted};
use crate::secret::Source;

pub(super) fn look(
    found: &mut Findings,
    globals: &Globals,
    profiles: &Profiles,
    labels: &[String],
) {
    let path = globals
        .config
        .clone()
        .map_or_else(Profiles::default_path, Ok);
    if let Some(path) = found.got("file", path) {
        found.look("file", file(&path));
    }
    let none = labels.is_empty().then(|| {
        let text = "has no device: nethsm-cli device add LABEL ADDRESS --trust";
        (Level::Error, text.to_owned())
    });
    found.look("devices", none);
    for label in labels {
        if let Ok(profile) = profiles.device(label) {
            device(found, label, profile);
        }
    }
}

fn file(path: &Path) -> Option<(Level, String)> {
    // One that is not there is an empty one.
    let mode = std::fs::metadata(path).ok()?.permissions().mode();
    (mode & 0o077 != 0).then(|| {
        let path = path.display();
        let text =
            format!("others may read {path}, which says where passphrases are: chmod 0600 {path}");
        (Level::Warning, text)
    })
}

fn device(found: &mut Findings, label: &str, profile: &Profile) {
    if let Err(failure) = profile.address() {
        let text = format!("{label}: {}", Failure::from(failure).text);
        found.look("address", Some((Level::Error, text)));
    }
    let trust = match (profile.trust(), &profile.trusted) {
        (Err(failure), _) => Some((
            Level::Error,
            format!("{label}: {}", Failure::from(failure).text),
        )),
        (Ok(_), Trusted::Pin(_)) => None,
        (Ok(_), Trusted::Authority(_)) => None,
        (Ok(_), Trusted::System) => Some((
            Level::Warning,
            format!(
                "{label}: is trusted by what any of the system's authorities has signed: nethsm-cli \
                 device trust {label}"
            ),
        )),
    };
    found.look("trust", trust);
    if profile.users.is_empty() {
        let text =
            format!("{label}: has no user, only what is public is looked at: nethsm-cli cred add");
        found.look("users", Some((Level::Note, text)));
    }
    for (id, user) in &profile.users {
        let problem = source(&user.passphrase)
            .map(|(level, text)| (level, format!("{label}: passphrase of {id}: {text}")));
        found.look("passphrases", problem);
    }
}

/// Whether a passphrase can come from where it shall; it is not read.
fn source(source: &Source) -> Option<(Level, String)> {
    let error = |text: String| Some((Level::Error, text));
    match source {
        Source::Prompt | Source::Descriptor(_) => None,
        Source::File(path) => file_with_secret(path),
        Source::Command(words) => {
            let program = words.first()?;
            let found = match program.contains('/') {
                true => Path::new(program).is_file(),
                false => std::env::var_os("PATH").is_some_and(|folders| {
                    std::env::split_paths(&folders).any(|folder| folder.join(program).is_file())
                }),
            };
            match found {
                true => None,
                false => error(format!("there is no program {program}: install it")),
            }
        }
        Source::Credential(name) => match std::env::var_os("CREDENTIALS_DIRECTORY") {
            // Outside of the unit that has it.
            None => Some((
                Level::Note,
                format!("credential {name} is there in its unit only"),
            )),
            Some(folder) => file_with_secret(&Path::new(&folder).join(name)),
        },
    }
}

fn file_with_secret(path: &Path) -> Option<(Level, String)> {
    let shown = path.display();
    let opened = File::open(path).and_then(|file| file.metadata());
    match opened {
        Err(error) => {
            let text = Failure::with(path, &error).text;
            Some((Level::Error, text))
        }
        Ok(about) if about.len() == 0 && about.is_file() => {
            Some((Level::Error, format!("{shown} is empty")))
        }
        Ok(about) if about.permissions().mode() & 0o077 != 0 => Some((
            Level::Warning,
            format!("others may read {shown}: chmod 0600 {shown}"),
        )),
        Ok(_) => None,
    }
}
