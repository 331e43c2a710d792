//! `key …`: keys of the device, or of the namespace of who asks.

mod bench;
mod cert;
mod cipher;
mod counters;
pub(crate) mod data;
pub(crate) mod import;
pub(crate) mod list;
mod make;
pub(crate) mod mechanism;
pub(crate) mod name;
pub(crate) mod pkcs12;
mod public;
pub(crate) mod sign;
pub(crate) mod verify;
pub(crate) mod who;

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use signstar_nethsm::sdk::apis::default_api;
use signstar_nethsm::sdk::models::{KeySetLabel, MoveKeyRequest};

use crate::device::{ADMINISTRATOR, Device, EITHER};
use crate::failure::Failure;
use crate::known::{self, Shown};
use crate::report::Report;
use crate::tags;
use crate::user::checked;

/// Labels are no longer, in bytes.
const LABEL_BYTES_MAX: usize = 32;

#[derive(Debug, Subcommand)]
pub(crate) enum KeyVerb {
    /// List the keys (Administrator, Operator)
    List(list::List),
    /// Show a key (Administrator, Operator)
    Show(Named),
    /// Write the public key (Administrator, Operator)
    Public(public::Public),
    /// Make a key (Administrator)
    Generate(make::Generate),
    /// Put a key onto the device that exists already (Administrator)
    Import(import::Import),
    /// Delete a key (Administrator)
    Remove(Named),
    /// Give a key another id (Administrator)
    Move(Move),
    /// What people call a key
    #[command(subcommand)]
    Label(LabelVerb),
    /// Tags: a key that has some is for operators with one of them
    #[command(subcommand)]
    Tag(TagVerb),
    /// The certificate that hangs on a key
    #[command(subcommand)]
    Cert(cert::CertVerb),
    /// A request for a certificate, PEM (Administrator, Operator)
    Csr(cert::Csr),
    /// Sign (Operator)
    ///
    /// RSA keys sign with pkcs1 and pss-…, Curve25519 with eddsa, other curves with ecdsa, EC_P256K1 with bip340, too.
    /// A file is hashed here, but for eddsa, which wants all of it on the device.
    Sign(sign::Sign),
    /// Verify a signature here, with the public key of the device: status 12 if it is not good
    /// (Administrator, Operator)
    Verify(verify::Verify),
    /// Sign for some seconds, and say how many signatures that were in each (Operator)
    ///
    /// Over 1, 2, 4 and more connections at the same time, measured here: the network is in it. Each signature is a
    /// real one over random bytes, and counts among the key's operations.
    Bench(bench::Bench),
    /// Decrypt (Operator)
    Decrypt(cipher::Decrypt),
    /// Encrypt with a symmetric key (Operator)
    Encrypt(cipher::Encrypt),
    /// Say which operators can use a key (Administrator)
    WhoCan(Named),
    /// Say which keys each operator can use (Administrator)
    Access,
    /// Say how often each key was used, and since the last look (Administrator, Operator)
    ///
    /// Ends with status 12 if a counter went back or another key has the id, with 11 if a key is gone.
    Counters(counters::Counters),
}

#[derive(Args, Debug)]
pub(crate) struct Named {
    /// The key
    id: String,
}

#[derive(Args, Debug)]
pub(crate) struct Move {
    /// The key
    id: String,
    /// Its new id
    new: String,
}

#[derive(Debug, Subcommand)]
pub(crate) enum LabelVerb {
    /// Give a key a label (Administrator, Operator)
    Set(SetLabel),
    /// Take its label from a key (Administrator, Operator)
    Clear(Named),
}

#[derive(Args, Debug)]
pub(crate) struct SetLabel {
    /// The key
    id: String,
    /// The label, up to 32 bytes
    label: String,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TagVerb {
    /// List the tags of a key (Administrator, Operator)
    List(Named),
    /// Give a key a tag (Administrator)
    Add(Tag),
    /// Take a tag from a key (Administrator)
    Remove(Tag),
}

#[derive(Args, Debug)]
pub(crate) struct Tag {
    /// The key
    id: String,
    /// The tag
    tag: String,
}

/// A key's id, which has no namespace in it: that is who asks.
pub(crate) fn key_id(id: &str) -> Result<&str, Failure> {
    match id.contains('~') {
        false => checked(id),
        true => Err(Failure::usage(
            "a key's namespace is that of who asks: --as-namespace",
        )),
    }
}

/// A label as devices take it.
pub(crate) fn label(text: &str) -> Result<String, Failure> {
    match text.len() <= LABEL_BYTES_MAX {
        true => Ok(text.to_owned()),
        false => Err(Failure::usage("a label has up to 32 bytes")),
    }
}

pub(crate) fn key(device: &mut Device, verb: &KeyVerb) -> Result<Report, Failure> {
    match verb {
        KeyVerb::List(options) => list::list(device, options),
        KeyVerb::Show(Named { id }) => list::show(device, key_id(id)?),
        KeyVerb::Public(options) => public::public(device, options),
        KeyVerb::Generate(options) => {
            make::generate(device, options).inspect(|made| came(device, made))
        }
        KeyVerb::Import(options) => {
            import::import(device, options).inspect(|made| came(device, made))
        }
        KeyVerb::Remove(Named { id }) => {
            let id = key_id(id)?;
            device.confirm(&format!("key {id} will be gone for ever"), id)?;
            device.change(ADMINISTRATOR, "keys_key_id_delete", |asking| {
                default_api::keys_key_id_delete(asking, id)
            })?;
            known::went(&device.profile.url, Shown::Keys(&space(device)), id);
            Ok(Report::done(
                format!("removed {id}"),
                json!({ "removed": id }),
            ))
        }
        KeyVerb::Move(Move { id, new }) => {
            let (id, new) = (key_id(id)?, key_id(new)?);
            device.change(ADMINISTRATOR, "keys_key_id_move_post", |asking| {
                let request = MoveKeyRequest::new(new.to_owned());
                default_api::keys_key_id_move_post(asking, id, request)
            })?;
            Ok(Report::done(
                format!("{id} is {new} now"),
                json!({ "old": id, "new": new }),
            ))
        }
        KeyVerb::Label(verb) => set_label(device, verb),
        KeyVerb::Tag(verb) => tag(device, verb),
        KeyVerb::Cert(verb) => cert::cert(device, verb),
        KeyVerb::Csr(options) => cert::csr(device, options),
        KeyVerb::Sign(options) => sign::sign(device, options),
        KeyVerb::Verify(options) => verify::verify(device, options),
        KeyVerb::Bench(options) => bench::bench(device, options),
        KeyVerb::Decrypt(options) => cipher::decrypt(device, options),
        KeyVerb::Encrypt(options) => cipher::encrypt(device, options),
        KeyVerb::WhoCan(Named { id }) => who::who_can(device, key_id(id)?),
        KeyVerb::Access => who::access(device),
        KeyVerb::Counters(options) => counters::counters(device, options),
    }
}

/// The namespace of who manages keys, empty outside of namespaces.
fn space(device: &Device) -> String {
    let user = device.user(ADMINISTRATOR).unwrap_or_default();
    let space = user.split_once('~').map(|(space, _)| space.to_owned());
    space.unwrap_or_default()
}

/// There is a key more, for completions.
fn came(device: &mut Device, made: &Report) {
    if let Some(id) = made.value.get("id").and_then(Value::as_str) {
        known::came(&device.profile.url, Shown::Keys(&space(device)), id);
    }
}

fn set_label(device: &mut Device, verb: &LabelVerb) -> Result<Report, Failure> {
    match verb {
        LabelVerb::Set(options) => {
            let (id, label) = (key_id(&options.id)?, label(&options.label)?);
            let answer = device.change(ADMINISTRATOR, "keys_key_id_label_put", |asking| {
                let request = KeySetLabel::new(label.clone());
                default_api::keys_key_id_label_put(asking, id, request)
            })?;
            let value = json!({ "id": id, "label": label });
            Ok(Report::changed(
                &answer,
                &format!("{id} has the label {label}"),
                value,
            ))
        }
        LabelVerb::Clear(Named { id }) => {
            let id = key_id(id)?;
            device.change(ADMINISTRATOR, "keys_key_id_label_delete", |asking| {
                default_api::keys_key_id_label_delete(asking, id)
            })?;
            Ok(Report::done(
                format!("{id} has no label"),
                json!({ "id": id, "label": "" }),
            ))
        }
    }
}

fn tag(device: &mut Device, verb: &TagVerb) -> Result<Report, Failure> {
    match verb {
        TagVerb::List(Named { id }) => {
            let id = key_id(id)?;
            let key = device.read(EITHER, "keys_key_id_get", |asking| {
                default_api::keys_key_id_get(asking, id)
            })?;
            let tags = key.restrictions.tags.unwrap_or_default();
            tags::listed(id, &tags)
        }
        TagVerb::Add(Tag { id, tag }) => {
            let (id, tag) = (key_id(id)?, checked(tag)?);
            let operation = "keys_key_id_restrictions_tags_tag_put";
            let answer = device.change(ADMINISTRATOR, operation, |asking| {
                default_api::keys_key_id_restrictions_tags_tag_put(asking, tag, id)
            })?;
            Ok(tags::added(&answer, id, tag))
        }
        TagVerb::Remove(Tag { id, tag }) => {
            let (id, tag) = (key_id(id)?, checked(tag)?);
            let operation = "keys_key_id_restrictions_tags_tag_delete";
            device.change(ADMINISTRATOR, operation, |asking| {
                default_api::keys_key_id_restrictions_tags_tag_delete(asking, tag, id)
            })?;
            Ok(tags::removed(id, tag))
        }
    }
}
