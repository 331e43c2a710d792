//! A key: what holds it, what it signs, and what its signatures look like.

use std::any::Any;
use std::path::PathBuf;

use signstar_core::{Declaring, HashAlgorithm, Notation, Profile};

use super::input::{self, Input};
use super::Table;
use crate::back_ends::{self, BackEnd, Device};

/// A key that signs.
pub struct Key {
    /// What holds it.
    pub back_end: &'static BackEnd,
    /// How that is reached.
    pub device: Box<dyn Device>,
    /// How long the device may take, in seconds.
    pub device_seconds: u64,
    /// The file with its certificate.
    pub certificate: PathBuf,
    /// Which key of the certificate signs, where several could.
    pub signing_key: Option<String>,
    /// What its signatures look like.
    pub profile: Profile,
    /// Whether size and digest must be declared.
    pub declaring: Declaring,
    /// What it signs.
    pub input: Input,
    /// Whether it is switched off.
    pub disabled: bool,
}

impl Key {
    /// What its back end's table says, if that is of the type `T`.
    pub fn device_as<T: Device>(&self) -> Option<&T> {
        let device: &dyn Any = self.device.as_ref();
        device.downcast_ref()
    }
}

pub(super) fn read(mut table: Table<'_, '_>) -> Option<Key> {
    let back_end = table
        .text("back-end")
        .and_then(|name| match back_ends::named(&name) {
            Ok(back_end) => Some(back_end),
            Err(error) => {
                table.problem_with("back-end", error);
                None
            }
        });
    let certificate = table.path("certificate");
    let signing_key = table.optional_text("signing-key");
    let hashes = HashAlgorithm::ALL.map(|hash| (hash.name(), hash));
    let hash = table.choice("hash", &hashes, HashAlgorithm::Sha512);
    let notation = match table.flag("data-digest-notation") {
        true => Notation::DataDigest,
        false => Notation::None,
    };
    let declaring = match table.flag("require-declared") {
        true => Declaring::Required,
        false => Declaring::Optional,
    };
    let artifact_notation = table.optional_text("artifact-notation");
    if artifact_notation
        .as_deref()
        .is_some_and(|name| !is_notation(name))
    {
        let text = "must be NAME@DOMAIN of at most 50 of a-z 0-9 . -";
        table.problem_with("artifact-notation", text);
    }
    let input = input::read(&mut table);
    let disabled = table.flag("disabled");
    let device_seconds = table.number("device-seconds", 1..=600, 30);
    let device = back_end.and_then(|back_end| {
        let section = table.table(back_end.name);
        if section.is_none() {
            table.problem(format_args!(
                "its table for back end `{}` is missing",
                back_end.name
            ));
        }
        (back_end.read)(section?)
    });
    table.finish();
    Some(Key {
        back_end: back_end?,
        device: device?,
        device_seconds,
        certificate: certificate?,
        signing_key,
        profile: Profile {
            hash,
            notation,
            artifact_notation,
        },
        declaring,
        input: input?,
        disabled,
    })
}

/// A notation in the name space of users (RFC 9580, section 5.2.3.24).
fn is_notation(name: &str) -> bool {
    let plain =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte);
    name.len() <= 50
        && name.split_once('@').is_some_and(|(name, domain)| {
            let texts = [name, domain];
            texts
                .iter()
                .all(|text| !text.is_empty() && text.bytes().all(plain))
        })
}
