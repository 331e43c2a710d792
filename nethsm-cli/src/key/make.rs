//! `key generate`, and what is said of any new key.

use clap::{Args, ValueEnum as _};
use serde_json::json;
use signstar_nethsm::sdk::apis::default_api;
use signstar_nethsm::sdk::models::{
    KeyGenerateRequestData, KeyMechanism, KeyRestrictions, KeyType,
};

use super::mechanism::{Kind, Use, mechanism};
use super::{key_id, label};
use crate::device::{ADMINISTRATOR, Device};
use crate::failure::Failure;
use crate::report::Report;
use crate::user::checked;

#[derive(Args, Debug)]
pub(crate) struct Generate {
    /// Its kind
    #[arg(value_enum)]
    kind: Kind,
    /// The length of an RSA or Generic key, in bits
    #[arg(long)]
    length: Option<i32>,
    #[command(flatten)]
    about: About,
}

/// What is said of a new key.
#[derive(Args, Debug)]
pub(crate) struct About {
    /// Its id; the device chooses one without
    #[arg(long)]
    id: Option<String>,
    /// What it is for, instead of --mechanism
    #[arg(
        long = "use",
        value_name = "USE",
        value_enum,
        conflicts_with = "mechanisms"
    )]
    pub(super) uses: Option<Use>,
    /// What it can be used for, as RSA_Signature_PSS_SHA256; several times for several [default: to sign, a
    /// Generic key to encrypt and decrypt]
    #[arg(short, long = "mechanism", value_name = "MECHANISM", value_parser = mechanism)]
    pub(super) mechanisms: Vec<KeyMechanism>,
    /// What people call it, up to 32 bytes
    #[arg(long)]
    label: Option<String>,
    /// Only operators with this tag can use it; several times for several
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,
}

impl About {
    pub(super) fn mechanisms(&self, kind: Kind) -> Result<Vec<KeyMechanism>, Failure> {
        if !self.mechanisms.is_empty() {
            return Ok(self.mechanisms.clone());
        }
        let found = match (self.uses, kind) {
            (Some(uses), kind) => uses.mechanisms(kind),
            (None, Kind::Generic) => {
                let mut both = Use::Encrypt.mechanisms(kind);
                both.extend(Use::Decrypt.mechanisms(kind));
                both
            }
            (None, kind) => Use::Sign.mechanisms(kind),
        };
        match found.is_empty() {
            false => Ok(found),
            true => {
                let uses = self.uses.unwrap_or(Use::Sign).to_possible_value();
                let uses = uses.map_or(String::new(), |uses| uses.get_name().to_owned());
                let kind = KeyType::from(kind);
                Err(Failure::usage(format!("{kind} keys cannot {uses}")))
            }
        }
    }

    pub(super) fn restrictions(&self) -> Result<Option<Box<KeyRestrictions>>, Failure> {
        if self.tags.is_empty() {
            return Ok(None);
        }
        let mut restrictions = KeyRestrictions::new();
        let tags: Result<Vec<String>, Failure> = self
            .tags
            .iter()
            .map(|tag| checked(tag).map(str::to_owned))
            .collect();
        restrictions.tags = Some(tags?);
        Ok(Some(Box::new(restrictions)))
    }

    pub(super) fn id(&self) -> Result<Option<String>, Failure> {
        self.id
            .as_deref()
            .map(|id| key_id(id).map(str::to_owned))
            .transpose()
    }

    pub(super) fn label(&self) -> Result<Option<String>, Failure> {
        self.label.as_deref().map(label).transpose()
    }
}

pub(crate) fn generate(device: &mut Device, options: &Generate) -> Result<Report, Failure> {
    let sized = matches!(options.kind, Kind::Rsa | Kind::Generic);
    if sized != options.length.is_some() {
        return Err(Failure::usage(
            "RSA and Generic keys, and only they, have a --length",
        ));
    }
    let about = &options.about;
    let mechanisms = about.mechanisms(options.kind)?;
    let mut request = KeyGenerateRequestData::new(mechanisms, options.kind.into());
    request.length = options.length;
    request.id = about.id()?;
    request.label = about.label()?;
    request.restrictions = about.restrictions()?;
    let made = device.change(ADMINISTRATOR, "keys_generate_post", |asking| {
        default_api::keys_generate_post(asking, request.clone())
    })?;
    done(&made.value.id, KeyType::from(options.kind).to_string())
}

pub(super) fn done(id: &str, kind: String) -> Result<Report, Failure> {
    Ok(Report::done(
        format!("added {id} ({kind})"),
        json!({ "id": id, "type": kind }),
    ))
}
