//! Making key pairs that cannot leave their token and do nothing but sign.

use cryptoki::mechanism::Mechanism;
use cryptoki::object::{
    Attribute, AttributeType, MlDsaParameterSetType, ObjectClass, ObjectHandle,
};
use signstar_core::{Curve, KeyKind, WorkerFault};
use signstar_pkcs11::provision::{Fault, NewKey};
use signstar_pkcs11_worker::token::Token;
use signstar_pkcs11_worker::{fault, public};

/// The public exponent of RSA keys, 65537.
const EXPONENT: &[u8] = &[1, 0, 1];

/// Everything that can be known before the PIN is sent.
pub(crate) fn check(token: &Token, keys: &[NewKey]) -> Result<(), Fault> {
    if token.info()?.write_protected() {
        return Err(Fault::WriteProtected);
    }
    for key in keys {
        let recipe = recipe(key.kind);
        if !recipe.is_some_and(|(mechanism, _)| token.makes_by(mechanism.mechanism_type())) {
            return Err(Fault::Mechanism);
        }
    }
    check_names(token, keys)
}

/// No object that can be seen has a name of a new key, whatever it is.
pub(crate) fn check_names(token: &Token, keys: &[NewKey]) -> Result<(), Fault> {
    for key in keys {
        let label = Attribute::Label(key.label.clone().into_bytes());
        let id = Attribute::Id(key.id.clone());
        for (name, taken) in [(label, Fault::LabelTaken), (id, Fault::IdTaken)] {
            let template = [Attribute::Token(true), name];
            let found = token.session.iter_objects(&template);
            let mut found = found.map_err(|error| fault::of(&error, WorkerFault::Module))?;
            if found.next().is_some() {
                return Err(taken);
            }
        }
    }
    Ok(())
}

/// Makes all of `keys`, or none; their objects.
pub(crate) fn make(token: &Token, keys: &[NewKey]) -> Result<Vec<ObjectHandle>, Fault> {
    let mut made = Vec::new();
    for key in keys {
        let (mechanism, wanted) = recipe(key.kind).ok_or(Fault::Mechanism)?;
        let (public, private) = ([public_common(key), wanted].concat(), private_template(key));
        let pair = token
            .session
            .generate_key_pair(&mechanism, &public, &private);
        let outcome = match pair {
            Ok((public, private)) => {
                made.extend([public, private]);
                check_private(token, private, Origin::Made)
            }
            Err(error) => Err(match fault::of(&error, WorkerFault::Module) {
                // What says nothing that an operator could use.
                WorkerFault::Module => Fault::Make,
                other => other.into(),
            }),
        };
        if let Err(fault) = outcome {
            return Err(remove(token, &made, fault));
        }
    }
    Ok(made)
}

/// Removes what was made in vain, and says why.
pub(crate) fn remove(token: &Token, made: &[ObjectHandle], fault: Fault) -> Fault {
    let removed = made
        .iter()
        .map(|object| token.session.destroy_object(*object));
    let failed = removed.filter(Result::is_err).count();
    match failed {
        0 => fault,
        _ => Fault::Stays,
    }
}

/// Where a key comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The token has made it, and it has never been elsewhere.
    Made,
    /// It has been elsewhere.
    Imported,
}

/// The token says that the key cannot leave it, and does nothing but sign. What it does not say is
/// wrong for the first, and good enough for the rest.
pub(crate) fn check_private(
    token: &Token,
    object: ObjectHandle,
    origin: Origin,
) -> Result<(), Fault> {
    let wanted = [
        AttributeType::Sensitive,
        AttributeType::Extractable,
        AttributeType::AlwaysSensitive,
        AttributeType::NeverExtractable,
        AttributeType::Local,
        AttributeType::Sign,
        AttributeType::SignRecover,
        AttributeType::Decrypt,
        AttributeType::Unwrap,
        AttributeType::Derive,
    ];
    let read = token.session.get_attributes(object, &wanted);
    let read = read.map_err(|error| fault::of(&error, WorkerFault::Module))?;
    let (mut must, mut wrong) = (0, false);
    for attribute in read {
        match attribute {
            Attribute::Sensitive(true) | Attribute::Extractable(false) | Attribute::Sign(true) => {
                must += 1;
            }
            Attribute::AlwaysSensitive(never)
            | Attribute::NeverExtractable(never)
            | Attribute::Local(never) => wrong |= never != (origin == Origin::Made),
            Attribute::SignRecover(false)
            | Attribute::Decrypt(false)
            | Attribute::Unwrap(false)
            | Attribute::Derive(false) => {}
            _ => wrong = true,
        }
    }
    match must == 3 && !wrong {
        true => Ok(()),
        false => Err(Fault::Unprotected),
    }
}

pub(crate) fn private_template(key: &NewKey) -> Vec<Attribute> {
    let mut template = common(key, ObjectClass::PRIVATE_KEY);
    template.extend([
        Attribute::Private(true),
        Attribute::Sensitive(true),
        Attribute::Extractable(false),
        Attribute::Sign(true),
        // Some modules allow all that is not forbidden, whatever the kind of key can do.
        Attribute::SignRecover(false),
        Attribute::Decrypt(false),
        Attribute::Unwrap(false),
        Attribute::Derive(false),
    ]);
    template
}

/// What public keys have in common, made or imported.
pub(crate) fn public_common(key: &NewKey) -> Vec<Attribute> {
    let mut template = common(key, ObjectClass::PUBLIC_KEY);
    // Seen without the PIN: what a key is, is compared before anything is read.
    template.extend([Attribute::Private(false), Attribute::Verify(true)]);
    template
}

fn common(key: &NewKey, class: ObjectClass) -> Vec<Attribute> {
    vec![
        Attribute::Class(class),
        Attribute::Token(true),
        Attribute::Label(key.label.clone().into_bytes()),
        Attribute::Id(key.id.clone()),
    ]
}

/// How tokens make a key of the kind, and what they must be told of its public half.
fn recipe(kind: KeyKind) -> Option<(Mechanism<'static>, Vec<Attribute>)> {
    let curve = |parameters: &[u8]| vec![Attribute::EcParams(parameters.to_vec())];
    Some(match kind {
        KeyKind::Ed25519 => (Mechanism::EccEdwardsKeyPairGen, curve(public::ED25519)),
        KeyKind::Ecdsa(on) => {
            let parameters = match on {
                Curve::P256 => public::P256,
                Curve::P384 => public::P384,
                Curve::P521 => public::P521,
            };
            (Mechanism::EccKeyPairGen, curve(parameters))
        }
        KeyKind::Rsa(bits) => {
            let bits = Attribute::ModulusBits(bits.try_into().ok()?);
            let exponent = Attribute::PublicExponent(EXPONENT.to_vec());
            (Mechanism::RsaPkcsKeyPairGen, vec![bits, exponent])
        }
        KeyKind::MlDsa65 => {
            let set = MlDsaParameterSetType::ML_DSA_65.into();
            let set = Attribute::ParameterSet(set);
            (Mechanism::MlDsaKeyPairGen, vec![set])
        }
        KeyKind::MlDsa65Ed25519 => return None,
    })
}
