//! Making key pairs that cannot leave their token and do nothing but sign.

use cryptoki::mechanism::{Mechanism, MechanismType};
use cryptoki::object::{
    Attribute, AttributeType, MlDsaParameterSetType, ObjectClass, ObjectHandle,
};
use signstar_core::WorkerFault;
use signstar_pkcs11::provision::{Fault, Kind, NewKey};
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
        if !token.makes_by(mechanism_type(key.kind)) {
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
        let pair = token.session.generate_key_pair(
            &mechanism(key.kind),
            &public_template(key),
            &private_template(key),
        );
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

fn public_template(key: &NewKey) -> Vec<Attribute> {
    let mut template = public_common(key);
    let bits = |bits: u64| {
        [
            Attribute::ModulusBits(bits.into()),
            Attribute::PublicExponent(EXPONENT.to_vec()),
        ]
    };
    match key.kind {
        Kind::Ed25519 => template.push(Attribute::EcParams(public::ED25519.to_vec())),
        Kind::P256 => template.push(Attribute::EcParams(public::P256.to_vec())),
        Kind::P384 => template.push(Attribute::EcParams(public::P384.to_vec())),
        Kind::P521 => template.push(Attribute::EcParams(public::P521.to_vec())),
        Kind::Rsa2048 => template.extend(bits(2048)),
        Kind::Rsa3072 => template.extend(bits(3072)),
        Kind::Rsa4096 => template.extend(bits(4096)),
        Kind::MlDsa65 => {
            let set = MlDsaParameterSetType::ML_DSA_65.into();
            template.push(Attribute::ParameterSet(set));
        }
    }
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

fn mechanism(kind: Kind) -> Mechanism<'static> {
    match kind {
        Kind::Ed25519 => Mechanism::EccEdwardsKeyPairGen,
        Kind::P256 | Kind::P384 | Kind::P521 => Mechanism::EccKeyPairGen,
        Kind::Rsa2048 | Kind::Rsa3072 | Kind::Rsa4096 => Mechanism::RsaPkcsKeyPairGen,
        Kind::MlDsa65 => Mechanism::MlDsaKeyPairGen,
    }
}

fn mechanism_type(kind: Kind) -> MechanismType {
    mechanism(kind).mechanism_type()
}
