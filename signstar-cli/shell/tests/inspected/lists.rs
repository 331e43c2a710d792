//! Keys that sign what stands in a list.

use std::io::Write;

use sequoia_openpgp::parse::Parse;
use sequoia_openpgp::serialize::stream::{Message, Signer};
use sequoia_openpgp::Cert;
use signstar_core::{HashAlgorithm, Hasher, KeyKind, Refusal};

use crate::scene::{configuration, refused};
use crate::support::{SigningKey, World};

const ARTIFACT: &[u8] = b"an image that nobody can look into";
const FILE: &str = "/etc/signstar/allowed";

fn listing(algorithm: HashAlgorithm, artifact: &[u8]) -> String {
    let mut hasher = Hasher::new(algorithm, u64::MAX);
    hasher.update(artifact).unwrap();
    let digest = hasher.finish().to_string();
    format!("{}  an image\n", digest.split_once(':').unwrap().1)
}

fn world(lines: &str) -> World {
    let table = format!("[key.packages.digest-list]\nfile = \"{FILE}\"\n{lines}");
    World::configured(&configuration("digest-list", &table))
}

#[test]
fn what_stands_in_root_s_list_is_signed_and_nothing_else() {
    let world = world("");
    for algorithm in [HashAlgorithm::Sha256, HashAlgorithm::Sha512] {
        world.write(FILE, listing(algorithm, ARTIFACT), (0, 0), 0o644);
        assert_eq!(world.shell().run(ARTIFACT).code(), 0);
        world.forget();
        for other in [&ARTIFACT[1..], b"something else"] {
            let outcome = world.shell().run(other);
            refused(&world, &outcome, Refusal::DigestUnlisted);
        }
    }
}

/// Memory is locked, and the account may lock some megabytes: a list that is too large is refused with a
/// record, and one as large as can be read is not too large.
#[test]
fn a_long_list_is_taken() {
    let world = world("");
    let mut text = String::new();
    for number in 0..30_000_u32 {
        text.push_str(&listing(HashAlgorithm::Sha512, &number.to_le_bytes()));
    }
    text.push_str(&listing(HashAlgorithm::Sha512, ARTIFACT));
    assert!((4_100_000..4 << 20).contains(&text.len()), "{}", text.len());
    world.write(FILE, text, (0, 0), 0o644);
    let outcome = world.shell().run(ARTIFACT);
    assert_eq!(outcome.code(), 0, "{outcome:?}");
}

#[test]
fn a_list_that_others_can_write_or_that_is_none_signs_nothing() {
    let world = world("");
    let good = listing(HashAlgorithm::Sha256, ARTIFACT);
    for (content, owner, mode) in [
        (good.as_str(), (6001, 0), 0o644),
        (&good, (0, 0), 0o666),
        ("", (0, 0), 0o644),
        ("not a list\n", (0, 0), 0o644),
    ] {
        world.write(FILE, content, owner, mode);
        let outcome = world.shell().run(ARTIFACT);
        refused(&world, &outcome, Refusal::Configuration);
    }
    std::fs::remove_file(world.path(FILE)).unwrap();
    let outcome = world.shell().run(ARTIFACT);
    refused(&world, &outcome, Refusal::Configuration);
}

/// What an account may lock (8 MiB) bounds a list before its own limit does.
#[test]
fn a_list_of_a_mib_counts_and_one_of_more_than_four_is_refused() {
    let world = world("");
    let good = listing(HashAlgorithm::Sha256, ARTIFACT);
    let line = |number: usize| format!("{number:064x}  another artifact\n");
    let others = ((1 << 20) - good.len()) / line(0).len();
    let long: String = (0..others).map(line).collect();
    world.write(FILE, long + &good, (0, 0), 0o644);
    let outcome = world.shell().run(ARTIFACT);
    assert_eq!(outcome.code(), 0, "{outcome:?}");
    world.forget();
    let padding = "x".repeat((4 << 20) + 1 - good.len() - 2);
    world.write(FILE, format!("{good}#{padding}\n"), (0, 0), 0o644);
    let outcome = world.shell().run(ARTIFACT);
    refused(&world, &outcome, Refusal::Configuration);
}

/// The list is another's: whoever has the second key says what is signed.
#[test]
fn a_list_of_anybody_s_counts_with_the_second_key_s_signature_alone() {
    let signed =
        format!("signature = \"{FILE}.sig\"\ncertificate = \"/etc/signstar/releases.pgp\"");
    let world = world(&signed);
    let (second, third) = (
        SigningKey::new(KeyKind::Ed25519),
        SigningKey::new(KeyKind::P256),
    );
    let certify = |owner, mode| {
        let path = "/etc/signstar/releases.pgp";
        world.write(path, &second.certificate, owner, mode);
    };
    certify((0, 0), 0o644);
    let list = listing(HashAlgorithm::Sha512, ARTIFACT);
    let sign = |key: &SigningKey, list: &str| detached(key, list.as_bytes());
    let put = |list: &str, signature: &[u8]| {
        world.write(FILE, list, (6003, 6003), 0o644);
        world.write(&format!("{FILE}.sig"), signature, (6003, 6003), 0o644);
    };
    put(&list, &sign(&second, &list));
    assert_eq!(world.shell().run(ARTIFACT).code(), 0);
    world.forget();
    let outcome = world.shell().run(b"something else");
    refused(&world, &outcome, Refusal::DigestUnlisted);

    // Whoever could write the certificate would be the second key.
    for (owner, mode) in [((6003, 6003), 0o644), ((0, 0), 0o666)] {
        certify(owner, mode);
        let outcome = world.shell().run(ARTIFACT);
        refused(&world, &outcome, Refusal::Configuration);
    }
    certify((0, 0), 0o644);

    let other = format!(
        "{list}{}",
        listing(HashAlgorithm::Sha512, b"something else")
    );
    for (list, signature) in [
        (&other, sign(&second, &list)),
        (&list, sign(&third, &list)),
        (&list, Vec::new()),
        (&list, second.certificate.clone()),
    ] {
        put(list, &signature);
        let outcome = world.shell().run(ARTIFACT);
        refused(&world, &outcome, Refusal::Configuration);
    }
}

/// A detached signature by another OpenPGP program's code.
fn detached(key: &SigningKey, bytes: &[u8]) -> Vec<u8> {
    let cert = Cert::from_bytes(&key.secret).unwrap();
    let pair = cert
        .primary_key()
        .key()
        .clone()
        .parts_into_secret()
        .unwrap();
    let mut signature = Vec::new();
    let message = Message::new(&mut signature);
    let signer = Signer::new(message, pair.into_keypair().unwrap()).unwrap();
    let mut signer = signer.detached().build().unwrap();
    signer.write_all(bytes).unwrap();
    signer.finalize().unwrap();
    signature
}
