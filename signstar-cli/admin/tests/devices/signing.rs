//! A signature with the key and the certificate that the tool has made, through the login shell's core.

use std::fs;
use std::time::{Duration, SystemTime};

use signstar_core::{Certificate, Profile, Signer};
use signstar_testkit::assembly;
use signstar_testkit::verifier::Verifier;

use crate::place::Place;

/// GnuPG and Sequoia take a signature by `signer` for one by the key `fingerprint` of the certificate, and none
/// of another artifact.
pub(crate) fn check(place: &Place, signer: &mut dyn Signer, fingerprint: &str) {
    let file = fs::read(place.path("packages.pgp")).unwrap();
    let certificate = Certificate::parse(&file).unwrap();
    // A certificate is good from the second after it was made.
    let now = SystemTime::now() + Duration::from_secs(1);
    let key = certificate.signing_key(Some(fingerprint), now).unwrap();
    let created = now
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let made = assembly::sign(&key, signer, Profile::default(), b"an artifact", created);
    let good = |artifact: &[u8]| {
        // GnuPG does not take signatures from the future.
        while SystemTime::now() < now {
            std::thread::sleep(Duration::from_millis(50));
        }
        [Verifier::Gpgv, Verifier::Sqop]
            .map(|verifier| verifier.good(&file, fingerprint, &made.packet, artifact))
    };
    assert_eq!(good(b"an artifact"), [[created], [created]]);
    assert_eq!(good(b"another one"), [[0_u64; 0], []]);
}
