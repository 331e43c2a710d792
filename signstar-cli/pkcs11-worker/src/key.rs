//! The key pair on the token: exactly one of each half.

use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use signstar_core::{PublicKey, WorkerFault as Fault};
use signstar_pkcs11::Uri;

use crate::token::Token;
use crate::{fault, public};

/// The public half, or nothing where none can be seen before the login.
pub(crate) fn find_public(token: &Token, uri: &Uri) -> Result<Option<PublicKey>, Fault> {
    let Some(object) = find(token, uri, ObjectClass::PUBLIC_KEY)? else {
        return Ok(None);
    };
    public::read(token, object).map(Some)
}

/// The private half, which must be of the public one's kind and must be allowed to sign.
pub(crate) fn find_private(
    token: &Token,
    uri: &Uri,
    public: &PublicKey,
) -> Result<ObjectHandle, Fault> {
    let object = find(token, uri, ObjectClass::PRIVATE_KEY)?.ok_or(Fault::KeyMissing)?;
    let wanted = [
        AttributeType::KeyType,
        AttributeType::Sign,
        AttributeType::AlwaysAuthenticate,
    ];
    let kind = match public {
        PublicKey::Ed25519(_) => KeyType::EC_EDWARDS,
        PublicKey::Ecdsa { .. } => KeyType::EC,
        PublicKey::Rsa { .. } => KeyType::RSA,
    };
    let (mut same_kind, mut signs) = (false, false);
    for attribute in attributes(token, object, &wanted)? {
        match attribute {
            Attribute::KeyType(found) => same_kind = found == kind,
            Attribute::Sign(may) => signs = may,
            // It would want the PIN a second time, between two calls that are one here.
            Attribute::AlwaysAuthenticate(true) => return Err(Fault::KeyKind),
            _ => {}
        }
    }
    if same_kind && signs {
        Ok(object)
    } else {
        Err(Fault::KeyKind)
    }
}

/// The attributes that the token shows.
pub(crate) fn attributes(
    token: &Token,
    object: ObjectHandle,
    wanted: &[AttributeType],
) -> Result<Vec<Attribute>, Fault> {
    let read = token.session.get_attributes(object, wanted);
    read.map_err(|error| fault::of(&error, Fault::Module))
}

/// The only object of `class` that `uri` names, if there is one.
fn find(token: &Token, uri: &Uri, class: ObjectClass) -> Result<Option<ObjectHandle>, Fault> {
    let mut template = vec![Attribute::Class(class), Attribute::Token(true)];
    let label = uri.object.clone();
    template.extend(label.map(|label| Attribute::Label(label.into_bytes())));
    template.extend(uri.id.clone().map(Attribute::Id));
    let found = token.session.iter_objects(&template);
    let mut found = found.map_err(|error| fault::of(&error, Fault::Module))?;
    // Two are enough to know; a module that never comes to an end is not followed.
    let mut next = || {
        let handle = found.next().transpose();
        handle.map_err(|error| fault::of(&error, Fault::Module))
    };
    let first = next()?;
    match next()? {
        Some(_) => Err(Fault::KeyAmbiguous),
        None => Ok(first),
    }
}
