//! `user tag …`: tags of operators.

use clap::{Args, Subcommand};
use signstar_nethsm::sdk::apis::default_api;

use super::{Named, checked};
use crate::device::{ADMINISTRATOR, Device, EITHER};
use crate::failure::Failure;
use crate::report::Report;
use crate::tags;

#[derive(Debug, Subcommand)]
pub(crate) enum TagVerb {
    /// List the tags of an operator (Administrator; operators themselves)
    List(Named),
    /// Give an operator a tag (Administrator)
    Add(Tag),
    /// Take a tag from an operator (Administrator)
    Remove(Tag),
}

#[derive(Args, Debug)]
pub(crate) struct Tag {
    /// The user: ID, or NAMESPACE~ID
    id: String,
    /// The tag
    tag: String,
}

pub(super) fn tag(device: &mut Device, verb: &TagVerb) -> Result<Report, Failure> {
    match verb {
        TagVerb::List(Named { id }) => {
            let id = checked(id)?;
            let tags = device.read(EITHER, "users_user_id_tags_get", |asking| {
                default_api::users_user_id_tags_get(asking, id)
            })?;
            tags::listed(id, &tags)
        }
        TagVerb::Add(Tag { id, tag }) => {
            let (id, tag) = (checked(id)?, checked(tag)?);
            let answer = device.change(ADMINISTRATOR, "users_user_id_tags_tag_put", |asking| {
                default_api::users_user_id_tags_tag_put(asking, id, tag)
            })?;
            Ok(tags::added(&answer, id, tag))
        }
        TagVerb::Remove(Tag { id, tag }) => {
            let (id, tag) = (checked(id)?, checked(tag)?);
            device.change(ADMINISTRATOR, "users_user_id_tags_tag_delete", |asking| {
                default_api::users_user_id_tags_tag_delete(asking, id, tag)
            })?;
            Ok(tags::removed(id, tag))
        }
    }
}
