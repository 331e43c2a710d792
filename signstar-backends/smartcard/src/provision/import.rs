//! A secret key on its way to a card, in the forms that the card library asks for.

use openpgp_card::Error;
use openpgp_card::ocard::algorithm::{AlgorithmAttributes, Curve as CardCurve};
use openpgp_card::ocard::crypto::{CardUploadableKey, EccKey, EccType, PrivateKeyMaterial, RSAKey};
use openpgp_card::ocard::data::{Fingerprint, KeyGenerationTime};
use openpgp_card::ocard::{KeyType, Transaction};
use signstar_core::{Curve, PublicKey, SecretMaterial, SignerError};
use zeroize::Zeroizing;

use crate::Ident;
use crate::key::NATIVE_POINT;
use crate::slot::Look;

/// Import formats of RSA from this one on want more numbers than p and q.
const RSA_FORMAT_CRT: u8 = 2;

/// A key and when it was made.
pub(super) struct Upload {
    numbers: Numbers,
    created: u32,
}

#[derive(Clone)]
enum Numbers {
    Ecc(Ecc),
    Rsa(Rsa),
}

#[derive(Clone)]
struct Ecc {
    curve: CardCurve,
    secret: Zeroizing<Vec<u8>>,
    public: Vec<u8>,
}

#[derive(Clone)]
struct Rsa {
    n: Vec<u8>,
    e: Vec<u8>,
    p: Zeroizing<Vec<u8>>,
    q: Zeroizing<Vec<u8>>,
}

impl Upload {
    pub(super) fn new(
        material: &SecretMaterial,
        public: &PublicKey,
        created: u32,
        card: Ident,
    ) -> Result<Self, SignerError> {
        let numbers = match (material, public) {
            (SecretMaterial::Ed25519(seed), PublicKey::Ed25519(point)) => Numbers::Ecc(Ecc {
                curve: CardCurve::Ed25519,
                secret: Zeroizing::new(seed.to_vec()),
                // As in OpenPGP, a point in its native form has its mark.
                public: [&[NATIVE_POINT], point.as_slice()].concat(),
            }),
            (
                SecretMaterial::Ecdsa { curve, scalar },
                PublicKey::Ecdsa {
                    curve: same, point, ..
                },
            ) if curve == same => Numbers::Ecc(Ecc {
                curve: match curve {
                    Curve::P256 => CardCurve::NistP256r1,
                    Curve::P384 => CardCurve::NistP384r1,
                    Curve::P521 => CardCurve::NistP521r1,
                },
                secret: scalar.clone(),
                public: point.clone(),
            }),
            (SecretMaterial::Rsa { n, e, p, q, .. }, PublicKey::Rsa { .. }) => {
                let half = n.len() / 2;
                Numbers::Rsa(Rsa {
                    n: n.clone(),
                    e: e.clone(),
                    p: padded(p, half),
                    q: padded(q, half),
                })
            }
            _ => {
                return Err(SignerError::Failed(format!(
                    "card {card}: the secret key is of another kind than the public key"
                )));
            }
        };
        Ok(Self { numbers, created })
    }
}

/// `number` with zeros on its left, `length` bytes long.
fn padded(number: &[u8], length: usize) -> Zeroizing<Vec<u8>> {
    let mut all = Zeroizing::new(vec![0; length.saturating_sub(number.len())]);
    all.extend_from_slice(number);
    all
}

/// Refuses a card that takes RSA keys in a form that is not made here.
pub(super) fn check_form(
    card: &mut Transaction<'_>,
    material: &SecretMaterial,
    look: &Look,
) -> Result<(), SignerError> {
    if !matches!(material, SecretMaterial::Rsa { .. }) {
        return Ok(());
    }
    let related = card
        .application_related_data()
        .and_then(|related| related.algorithm_attributes(KeyType::Signing))
        .map_err(|error| look.error("reading what is on it", &error))?;
    match related {
        AlgorithmAttributes::Rsa(rsa) if rsa.import_format() >= RSA_FORMAT_CRT => {
            Err(SignerError::Failed(format!(
                "card {}: it takes RSA keys with more numbers than can be given here; have it make \
                 the key",
                look.card
            )))
        }
        _ => Ok(()),
    }
}

impl CardUploadableKey for Upload {
    fn private_key(&self) -> Result<PrivateKeyMaterial, Error> {
        Ok(match self.numbers.clone() {
            Numbers::Ecc(ecc) => PrivateKeyMaterial::E(Box::new(ecc)),
            Numbers::Rsa(rsa) => PrivateKeyMaterial::R(Box::new(rsa)),
        })
    }

    fn timestamp(&self) -> KeyGenerationTime {
        self.created.into()
    }

    fn fingerprint(&self) -> Result<Fingerprint, Error> {
        Ok(Fingerprint::from([0; 20]))
    }
}

impl EccKey for Ecc {
    fn oid(&self) -> &[u8] {
        self.curve.oid()
    }

    fn private(&self) -> &[u8] {
        &self.secret
    }

    fn public(&self) -> &[u8] {
        &self.public
    }

    fn ecc_type(&self) -> EccType {
        match self.curve {
            CardCurve::Ed25519 => EccType::EdDSA,
            _ => EccType::ECDSA,
        }
    }
}

impl RSAKey for Rsa {
    fn e(&self) -> &[u8] {
        &self.e
    }

    fn p(&self) -> &[u8] {
        &self.p
    }

    fn q(&self) -> &[u8] {
        &self.q
    }

    // Not asked for in the forms that `check_form` lets through.
    fn pq(&self) -> &[u8] {
        &[]
    }

    fn dp1(&self) -> &[u8] {
        &[]
    }

    fn dq1(&self) -> &[u8] {
        &[]
    }

    fn n(&self) -> &[u8] {
        &self.n
    }
}
