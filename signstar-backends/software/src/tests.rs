//! Signatures that OpenSSL verifies, vectors of RFC 6979, and what is refused.

mod openssl;

use signstar_core::{Hasher, KeyKind, SecretMaterial};
use zeroize::Zeroizing;

use super::*;
use openssl::{Pair, hex};
use signstar_core::{Curve, HashAlgorithm};

fn digest(algorithm: HashAlgorithm, message: &[u8]) -> Digest {
    let mut hasher = Hasher::new(algorithm, 1024);
    hasher.update(message).unwrap();
    hasher.finish()
}

fn padded(number: &[u8], length: usize) -> Zeroizing<Vec<u8>> {
    Zeroizing::new([&vec![0; length - number.len()], number].concat())
}

fn ecdsa_pair(curve: Curve) -> (Pair, SecretMaterial) {
    let name = match curve {
        Curve::P256 => "ec_paramgen_curve:P-256",
        Curve::P384 => "ec_paramgen_curve:P-384",
        Curve::P521 => "ec_paramgen_curve:P-521",
    };
    let pair = Pair::generate(&["-algorithm", "EC", "-pkeyopt", name]);
    let scalar = padded(&pair.number("priv"), curve.scalar_bytes());
    (pair, SecretMaterial::Ecdsa { curve, scalar })
}

fn rsa_pair(bits: usize) -> (Pair, [Vec<u8>; 5]) {
    let bits = format!("rsa_keygen_bits:{bits}");
    let pair = Pair::generate(&["-algorithm", "RSA", "-pkeyopt", &bits]);
    let numbers = ["modulus", "privateExponent", "prime1", "prime2"].map(|name| pair.number(name));
    let [n, d, p, q] = numbers;
    (pair, [n, vec![1, 0, 1], d, p, q])
}

fn rsa_material([n, e, d, p, q]: [Vec<u8>; 5]) -> SecretMaterial {
    let [d, p, q] = [d, p, q].map(Zeroizing::new);
    SecretMaterial::Rsa { n, e, d, p, q }
}

/// Signs under every hash that the key may use, and has each signature verified by OpenSSL, which
/// must also refuse it for another digest.
fn assert_verified(pair: &Pair, signer: &mut dyn Signer, hashes: &[HashAlgorithm]) {
    for &hash in hashes {
        let (right, wrong) = (digest(hash, b"sample"), digest(hash, b"Sample"));
        let signature = signer.sign(&right).unwrap();
        assert_eq!(signature.counter, None);
        assert!(pair.verifies(&right, &signature.value), "{hash}");
        assert!(!pair.verifies(&wrong, &signature.value), "{hash}");
    }
}

fn assert_refused(material: SecretMaterial, what: &str) {
    let kind = format!("{material:?}");
    match open(material) {
        Ok(_) => panic!("{what} was taken: {kind}"),
        Err(error) => assert!(matches!(error, SignerError::Failed(_)), "{what}: {error}"),
    }
}

#[test]
fn openssl_verifies_ed25519_under_every_hash() {
    let pair = Pair::generate(&["-algorithm", "ed25519"]);
    let seed = padded(&pair.number("priv"), 32)
        .as_slice()
        .try_into()
        .unwrap();
    let mut signer = open(SecretMaterial::Ed25519(Zeroizing::new(seed)))
        .unwrap()
        .signer;
    let point = padded(&pair.number("pub"), 32)
        .as_slice()
        .try_into()
        .unwrap();
    assert_eq!(*signer.public_key(), PublicKey::Ed25519(point));
    assert_verified(&pair, signer.as_mut(), &HashAlgorithm::ALL);
}

#[test]
fn openssl_verifies_ecdsa_under_every_hash_that_reaches_the_curve() {
    let all = HashAlgorithm::ALL;
    for (curve, hashes) in [
        (Curve::P256, &all[..]),
        (Curve::P384, &all[1..]),
        (Curve::P521, &all[2..]),
    ] {
        let (pair, material) = ecdsa_pair(curve);
        let mut signer = open(material).unwrap().signer;
        let point = pair.number("pub");
        assert_eq!(*signer.public_key(), PublicKey::Ecdsa { curve, point });
        assert_verified(&pair, signer.as_mut(), hashes);
    }
}

#[test]
fn openssl_verifies_rsa_under_every_hash() {
    for bits in [2048, 3072, 4096] {
        let (pair, numbers) = rsa_pair(bits);
        let public = PublicKey::Rsa {
            n: numbers[0].clone(),
            e: numbers[1].clone(),
        };
        let mut signer = open(rsa_material(numbers)).unwrap().signer;
        assert_eq!(*signer.public_key(), public);
        assert_verified(&pair, signer.as_mut(), &HashAlgorithm::ALL);
    }
}

#[test]
fn openssl_verifies_what_a_key_whose_primes_are_swapped_signs() {
    let (pair, [n, e, d, p, q]) = rsa_pair(2048);
    let mut signer = open(rsa_material([n, e, d, q, p])).unwrap().signer;
    assert_verified(&pair, signer.as_mut(), &[HashAlgorithm::Sha512]);
}

#[test]
fn signs_no_digest_that_is_weaker_than_the_curve() {
    for (curve, too_short) in [
        (Curve::P384, &[HashAlgorithm::Sha256][..]),
        (
            Curve::P521,
            &[HashAlgorithm::Sha256, HashAlgorithm::Sha384][..],
        ),
    ] {
        let mut signer = open(ecdsa_pair(curve).1).unwrap().signer;
        for &hash in too_short {
            let error = signer.sign(&digest(hash, b"sample")).unwrap_err();
            assert!(
                error.to_string().contains("too short"),
                "{curve:?} {hash}: {error}"
            );
        }
    }
}

#[test]
fn takes_nonces_by_rfc_6979() {
    // Sections A.2.5, A.2.6 and A.2.7, message "sample".
    for (curve, hash, scalar, r, s) in [
        (
            Curve::P256,
            HashAlgorithm::Sha256,
            "C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721",
            "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716",
            "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8",
        ),
        (
            Curve::P384,
            HashAlgorithm::Sha384,
            "6B9D3DAD2E1B8C1C05B19875B6659F4DE23C3B667BF297BA9AA47740787137D8\
             96D5724E4C70A825F872C9EA60D2EDF5",
            "94EDBB92A5ECB8AAD4736E56C691916B3F88140666CE9FA73D64C4EA95AD133C\
             81A648152E44ACF96E36DD1E80FABE46",
            "99EF4AEB15F178CEA1FE40DB2603138F130E740A19624526203B6351D0A3A94F\
             A329C145786E679E7B82C71A38628AC8",
        ),
        (
            Curve::P521,
            HashAlgorithm::Sha512,
            "00FAD06DAA62BA3B25D2FB40133DA757205DE67F5BB0018FEE8C86E1B68C7E75\
             CAA896EB32F1F47C70855836A6D16FCC1466F6D8FBEC67DB89EC0C08B0E996B83538",
            "00C328FAFCBD79DD77850370C46325D987CB525569FB63C5D3BC53950E6D4C5F\
             174E25A1EE9017B5D450606ADD152B534931D7D4E8455CC91F9B15BF05EC36E377FA",
            "00617CCE7CF5064806C467F678D3B4080D6F1CC50AF26CA209417308281B68AF\
             282623EAA63E5B5C0723D8B8C37FF0777B1A20F8CCB1DCCC43997F1EE0E44DA4A67A",
        ),
    ] {
        let scalar = Zeroizing::new(hex(scalar));
        let mut signer = open(SecretMaterial::Ecdsa { curve, scalar })
            .unwrap()
            .signer;
        let signature = signer.sign(&digest(hash, b"sample")).unwrap().value;
        assert_eq!(
            signature,
            SignatureValue::Ecdsa {
                r: hex(r),
                s: hex(s)
            },
            "{curve:?}"
        );
    }
}

#[test]
fn refuses_scalars_that_are_zero_or_beyond_the_order_of_the_curve() {
    for curve in [Curve::P256, Curve::P384, Curve::P521] {
        for byte in [0x00, 0xff] {
            let scalar = Zeroizing::new(vec![byte; curve.scalar_bytes()]);
            assert_refused(
                SecretMaterial::Ecdsa { curve, scalar },
                "an impossible scalar",
            );
        }
        let scalar = Zeroizing::new(vec![1; curve.scalar_bytes() + 1]);
        assert_refused(
            SecretMaterial::Ecdsa { curve, scalar },
            "a scalar that is too long",
        );
        assert_refused(
            SecretMaterial::Ecdsa {
                curve,
                scalar: Zeroizing::default(),
            },
            "an empty scalar",
        );
    }
}

#[test]
fn refuses_rsa_numbers_that_do_not_belong_together() {
    let (_, numbers) = rsa_pair(2048);
    assert!(open(rsa_material(numbers.clone())).is_ok());
    for (at, name) in ["n", "e", "d", "p", "q"].into_iter().enumerate() {
        for bit in [0x01, 0x02, 0x80] {
            let mut changed = numbers.clone();
            changed[at].last_mut().map(|byte| *byte ^= bit).unwrap();
            assert_refused(rsa_material(changed), name);
        }
        let mut without = numbers.clone();
        without[at] = Vec::new();
        assert_refused(rsa_material(without), name);
    }
    let [_, e, d, p, _] = numbers;
    let square = ::rsa::BigUint::from_bytes_be(&p);
    let n = (&square * &square).to_bytes_be();
    assert_refused(rsa_material([n, e, d, p.clone(), p]), "two equal primes");
}

#[test]
fn refuses_rsa_below_2048_bits() {
    assert_refused(rsa_material(rsa_pair(1024).1), "1024 bits");
    assert_refused(rsa_material(rsa_pair(2040).1), "2040 bits");
}

#[test]
fn needs_nothing_special_after_lock_down() {
    let opened = open(SecretMaterial::Ed25519(Zeroizing::new([7; 32]))).unwrap();
    assert_eq!(opened.reach, Reach::default());
}

#[cfg(feature = "provision")]
#[test]
fn makes_every_kind_of_key_anew_each_time() {
    for kind in KINDS {
        let [mut one, other] = [(); 2].map(|()| open(generate(kind).unwrap()).unwrap().signer);
        assert_eq!(one.public_key().kind(), kind);
        assert_ne!(one.public_key(), other.public_key());
        one.sign(&digest(HashAlgorithm::Sha512, b"sample")).unwrap();
    }
    for kind in [1024, 2047, 8192].map(KeyKind::Rsa) {
        assert!(matches!(generate(kind), Err(SignerError::Failed(_))));
    }
}
