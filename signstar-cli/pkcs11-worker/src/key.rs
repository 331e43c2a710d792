//! The key pair on the token, exactly one of each half; two pairs for a composite key.

use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::Session;
use signstar_core::{ModuleSettings, PublicKey, WorkerFault as Fault};
use signstar_pkcs11::Uri;

use crate::token::Token;
use crate::{fault, public};

/// What the configuration calls the key.
pub struct Names {
    /// The key, or the ML-DSA half of one.
    pub uri: Uri,
    /// The Ed25519 half of a composite key, on the same token.
    pub ed25519: Option<Uri>,
}

impl Names {
    /// Those of the configuration.
    ///
    /// # Errors
    /// [`Fault::Uri`].
    pub fn of(settings: &ModuleSettings) -> Result<Self, Fault> {
        let parse = |text: &String| Uri::parse(text).map_err(|_| Fault::Uri);
        let uri = parse(&settings.uri)?;
        let ed25519 = settings.uri_ed25519.as_ref().map(parse).transpose()?;
        // There is one session, and a half of another token would not be found in it.
        if ed25519
            .as_ref()
            .is_some_and(|half| !half.is_on_token_of(&uri))
        {
            return Err(Fault::Uri);
        }
        Ok(Self { uri, ed25519 })
    }
}

/// The private keys that a signature needs.
pub enum Private {
    /// One.
    Whole(ObjectHandle),
    /// Both halves of a composite key.
    Halves {
        /// The Ed25519 half.
        ed25519: ObjectHandle,
        /// The ML-DSA half.
        ml_dsa: ObjectHandle,
    },
}

/// The public half, or nothing where none can be seen before the login.
///
/// # Errors
/// There are several, or none that signs here.
pub fn find_public(token: &Token, names: &Names) -> Result<Option<PublicKey>, Fault> {
    let Some(object) = find(token, &names.uri, ObjectClass::PUBLIC_KEY)? else {
        return Ok(None);
    };
    let Some(half) = &names.ed25519 else {
        return public::read(&token.session, object).map(Some);
    };
    let Some(half) = find(token, half, ObjectClass::PUBLIC_KEY)? else {
        return Ok(None);
    };
    let ml_dsa = public::read_ml_dsa(&token.session, object)?;
    match public::read(&token.session, half) {
        Ok(PublicKey::Ed25519(ed25519)) => Ok(Some(PublicKey::MlDsa65Ed25519 { ed25519, ml_dsa })),
        Ok(_) | Err(Fault::KeyKind | Fault::HalfMissing) => Err(Fault::HalfKind),
        Err(fault) => Err(fault),
    }
}

/// The private half, which must be of the public one's kind and must be allowed to sign.
///
/// # Errors
/// There are several or none, or it is another.
pub fn find_private(token: &Token, names: &Names, public: &PublicKey) -> Result<Private, Fault> {
    let whole = |kind| private(token, &names.uri, kind).map(Private::Whole);
    match (public, &names.ed25519) {
        (PublicKey::Ed25519(_), None) => whole(KeyType::EC_EDWARDS),
        (PublicKey::Ecdsa { .. }, None) => whole(KeyType::EC),
        (PublicKey::Rsa { .. }, None) => whole(KeyType::RSA),
        (PublicKey::MlDsa65Ed25519 { .. }, Some(ed25519)) => Ok(Private::Halves {
            ed25519: private(token, ed25519, KeyType::EC_EDWARDS)?,
            ml_dsa: private(token, &names.uri, KeyType::ML_DSA)?,
        }),
        _ => Err(Fault::HalfKind),
    }
}

fn private(token: &Token, uri: &Uri, kind: KeyType) -> Result<ObjectHandle, Fault> {
    let object = find(token, uri, ObjectClass::PRIVATE_KEY)?.ok_or(Fault::KeyMissing)?;
    let wanted = [
        AttributeType::KeyType,
        AttributeType::Sign,
        AttributeType::AlwaysAuthenticate,
    ];
    let (mut same_kind, mut signs) = (false, false);
    for attribute in attributes(&token.session, object, &wanted)? {
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
///
/// # Errors
/// The module's own.
pub fn attributes(
    session: &Session,
    object: ObjectHandle,
    wanted: &[AttributeType],
) -> Result<Vec<Attribute>, Fault> {
    let read = session.get_attributes(object, wanted);
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
