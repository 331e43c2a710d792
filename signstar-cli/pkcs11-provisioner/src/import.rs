//! Putting a key that exists already on a token. It cannot leave the token, but it has been elsewhere.

use cryptoki::object::{Attribute, KeyType, ObjectHandle};
use signstar_core::{Frame, KeyKind, WorkerFault};
use signstar_pkcs11::provision::{Fault, NewKey, Secret};
use signstar_pkcs11_worker::token::Token;
use signstar_pkcs11_worker::{fault, public};

use crate::make::{Origin, check_private, private_template, public_common, remove};

/// Puts both halves on the token, or none; their objects.
pub(crate) fn import(
    token: &Token,
    key: &NewKey,
    frame: &Frame,
) -> Result<Vec<ObjectHandle>, Fault> {
    let secret = Secret::from_frame(frame).map_err(|_| WorkerFault::Message)?;
    let [private, public] = templates(key, &secret)?;
    let mut made = Vec::new();
    for template in [private, public] {
        match token.session.create_object(&template) {
            Ok(object) => made.push(object),
            Err(error) => {
                let fault = match fault::of(&error, WorkerFault::Module) {
                    // What says nothing that an operator could use.
                    WorkerFault::Module => Fault::Make,
                    other => other.into(),
                };
                return Err(remove(token, &made, fault));
            }
        }
    }
    let Some(private) = made.first().copied() else {
        return Err(Fault::Make);
    };
    match check_private(token, private, Origin::Imported) {
        Ok(()) => Ok(made),
        Err(fault) => Err(remove(token, &made, fault)),
    }
}

/// Of the private key and of the public one.
fn templates(key: &NewKey, secret: &Secret) -> Result<[Vec<Attribute>; 2], Fault> {
    let (mut private, mut public) = (private_template(key), public_common(key));
    let curve = match key.kind {
        KeyKind::Ed25519 => Some((KeyType::EC_EDWARDS, public::ED25519)),
        KeyKind::P256 => Some((KeyType::EC, public::P256)),
        KeyKind::P384 => Some((KeyType::EC, public::P384)),
        KeyKind::P521 => Some((KeyType::EC, public::P521)),
        KeyKind::Rsa(_) => None,
        KeyKind::MlDsa65 | KeyKind::MlDsa65Ed25519 => return Err(Fault::Mechanism),
    };
    match (secret, curve) {
        (Secret::Curve { secret, point }, Some((kind, parameters))) => {
            let shared = [
                Attribute::KeyType(kind),
                Attribute::EcParams(parameters.to_vec()),
            ];
            private.extend(shared.clone());
            private.push(Attribute::Value(secret.to_vec()));
            public.extend(shared);
            public.push(Attribute::EcPoint(octet_string(point)?));
        }
        (
            Secret::Rsa {
                public: [n, e],
                private: [d, p, q, dp, dq, inverse],
            },
            None,
        ) => {
            let shared = [
                Attribute::KeyType(KeyType::RSA),
                Attribute::Modulus(n.clone()),
                Attribute::PublicExponent(e.clone()),
            ];
            private.extend(shared.clone());
            private.extend([
                Attribute::PrivateExponent(d.to_vec()),
                Attribute::Prime1(p.to_vec()),
                Attribute::Prime2(q.to_vec()),
                Attribute::Exponent1(dp.to_vec()),
                Attribute::Exponent2(dq.to_vec()),
                Attribute::Coefficient(inverse.to_vec()),
            ]);
            public.extend(shared);
        }
        _ => return Err(WorkerFault::Message.into()),
    }
    Ok([private, public])
}

/// A point as PKCS#11 has it: an OCTET STRING of DER.
fn octet_string(point: &[u8]) -> Result<Vec<u8>, Fault> {
    let header: Vec<u8> = match u8::try_from(point.len()) {
        Ok(short @ ..0x80) => vec![0x04, short],
        Ok(long) => vec![0x04, 0x81, long],
        Err(_) => return Err(WorkerFault::Message.into()),
    };
    Ok([header.as_slice(), point].concat())
}
