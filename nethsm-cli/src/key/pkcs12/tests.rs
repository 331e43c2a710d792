use std::path::Path;
use std::process::Command;

use super::*;

const PASSPHRASE: &str = "long enough";

/// Runs a program, which must succeed.
fn run(folder: &Path, program: &str, words: &[&str]) {
    let output = Command::new(program)
        .args(words)
        .current_dir(folder)
        .output()
        .unwrap_or_else(|error| panic!("{program}: {error}"));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{program} {words:?}: {said}");
}

/// The words in `text`, and the passphrase where it says PASS.
fn say(folder: &Path, program: &str, text: &str) {
    let words = text.split_whitespace().map(|word| match word {
        "PASS" => PASSPHRASE,
        "pass:PASS" => "pass:long enough",
        word => word,
    });
    run(folder, program, &words.collect::<Vec<_>>());
}

/// A key and its certificate, in the forms that programs take.
fn fresh() -> (tempfile::TempDir, Vec<u8>, Vec<u8>) {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    say(
        at,
        "openssl",
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -out cert.pem -subj /CN=x",
    );
    say(
        at,
        "openssl",
        "pkcs8 -topk8 -nocrypt -in key.pem -outform DER -out key.der",
    );
    say(
        at,
        "openssl",
        "x509 -in cert.pem -outform DER -out cert.der",
    );
    let read = |name: &str| std::fs::read(at.join(name)).unwrap();
    let (key, certificate) = (read("key.der"), read("cert.der"));
    (folder, key, certificate)
}

fn of_openssl(folder: &Path, options: &str) -> Vec<u8> {
    let pack = "pkcs12 -export -inkey key.pem -in cert.pem -name nick -out both.p12";
    say(
        folder,
        "openssl",
        &format!("{pack} -passout pass:PASS {options}"),
    );
    std::fs::read(folder.join("both.p12")).unwrap()
}

/// A file opens, and holds both.
#[track_caller]
fn opens(file: &[u8], key: &[u8], certificate: &[u8], what: &str) {
    assert!(is_pkcs12(file) && !is_pkcs12(key) && !is_pkcs12(certificate));
    let opened = open(file, PASSPHRASE, WORK_MAX).unwrap_or_else(|text| panic!("{what}: {text}"));
    assert_eq!(*opened.key, key, "{what}");
    assert_eq!(opened.certificate.as_deref(), Some(certificate), "{what}");
}

/// A file opens with the right passphrase alone.
#[track_caller]
fn opens_for_one(file: &[u8], key: &[u8], certificate: &[u8], what: &str) {
    opens(file, key, certificate, what);
    let wrong = open(file, "long", WORK_MAX).unwrap_err();
    assert_eq!(wrong, WRONG_PASSPHRASE, "{what}");
}

#[test]
fn files_of_openssl_open_with_the_right_passphrase_alone() {
    let (folder, key, certificate) = fresh();
    for options in [
        "",
        "-legacy",
        "-macalg sha224",
        "-macalg sha384",
        "-macalg sha512",
        "-keypbe AES-128-CBC -certpbe AES-192-CBC",
        "-keypbe PBE-SHA1-3DES -certpbe PBE-SHA1-3DES -macalg sha1",
        "-keypbe PBE-SHA1-2DES -certpbe PBE-SHA1-RC2-128 -legacy",
        "-keypbe PBE-SHA1-RC2-40 -certpbe PBE-SHA1-RC2-40 -legacy",
        "-keypbe DES-EDE3-CBC -certpbe DES-EDE3-CBC",
        "-certpbe NONE",
        "-keypbe NONE -certpbe NONE",
        "-nomac",
    ] {
        let file = of_openssl(folder.path(), options);
        opens_for_one(&file, &key, &certificate, options);
    }
}

// Both make keys with 600,000 iterations each, and cannot be told to do otherwise: one file of each will do.

#[test]
fn files_of_gnutls_open() {
    let (folder, key, certificate) = fresh();
    let pack = "--to-p12 --load-privkey key.pem --load-certificate cert.pem --p12-name nick";
    let out = "--outder --outfile both.p12 --password PASS";
    say(folder.path(), "certtool", &format!("{pack} {out}"));
    let file = std::fs::read(folder.path().join("both.p12")).unwrap();
    opens(&file, &key, &certificate, "certtool");
}

#[test]
fn files_of_nss_open() {
    let (folder, key, certificate) = fresh();
    let at = folder.path();
    of_openssl(at, "");
    std::fs::create_dir(at.join("nss")).unwrap();
    say(at, "certutil", "-N -d nss --empty-password");
    say(at, "pk12util", "-i both.p12 -d nss -W PASS");
    say(at, "pk12util", "-o nss.p12 -n nick -d nss -W PASS");
    let file = std::fs::read(at.join("nss.p12")).unwrap();
    assert!(file.starts_with(&[0x30, 0x80]), "is no BER");
    opens(&file, &key, &certificate, "pk12util");
}

#[test]
fn files_of_java_and_those_with_pbmac1_open_with_the_right_passphrase_alone() {
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/key/pkcs12/vectors");
    let read = |name: &str| std::fs::read(vectors.join(name)).unwrap();
    let (key, certificate) = (read("key.der"), read("cert.der"));
    for name in ["keytool", "keytool-legacy", "pbmac1", "pbmac1-sha512"] {
        opens_for_one(&read(&format!("{name}.p12")), &key, &certificate, name);
    }
}

#[test]
fn a_code_with_a_short_key_says_nothing() {
    let file = std::fs::read(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/src/key/pkcs12/vectors/pbmac1.p12"
    ));
    let file = file.unwrap();
    // So many iterations, and so long a key.
    let said = [2, 2, 8, 0, 2, 1, 32];
    let at = file.windows(said.len()).position(|bytes| bytes == said);
    let at = at.unwrap() + said.len() - 1;
    for (length, expected) in [
        (0, UNKNOWN_CIPHER),
        (19, UNKNOWN_CIPHER),
        (20, WRONG_PASSPHRASE),
        (64, WRONG_PASSPHRASE),
        (65, UNKNOWN_CIPHER),
    ] {
        let mut changed = file.clone();
        changed[at] = length;
        let problem = open(&changed, PASSPHRASE, WORK_MAX).unwrap_err();
        assert_eq!(problem, expected, "{length}");
    }
}

#[test]
fn a_changed_file_never_panics_and_gives_no_other_key() {
    let (folder, key, _) = fresh();
    let file = of_openssl(folder.path(), "-iter 1");
    for end in 0..file.len() {
        assert!(open(&file[..end], PASSPHRASE, WORK_MAX).is_err());
    }
    for place in 0..file.len() {
        for bit in [0x01, 0x80] {
            let mut changed = file.clone();
            changed[place] ^= bit;
            if let Ok(opened) = open(&changed, PASSPHRASE, WORK_MAX) {
                assert_eq!(*opened.key, key, "{place}");
            }
        }
    }
}

#[test]
fn work_is_counted_over_the_whole_file() {
    let (folder, ..) = fresh();
    // One block of 32 bytes for the code, and one for each key.
    let file = of_openssl(folder.path(), "-iter 500");
    assert!(open(&file, PASSPHRASE, 1500).is_ok());
    assert_eq!(open(&file, PASSPHRASE, 1499).unwrap_err(), TOO_MUCH_WORK);
    // Of SHA-1, two blocks for 24 bytes, and one for the start value.
    let old = "-iter 500 -macalg sha1 -certpbe NONE -keypbe PBE-SHA1-3DES";
    let file = of_openssl(folder.path(), old);
    assert!(open(&file, PASSPHRASE, 2000).is_ok());
    assert_eq!(open(&file, PASSPHRASE, 1999).unwrap_err(), TOO_MUCH_WORK);
}

#[test]
fn no_number_of_iterations_keeps_anybody_waiting() {
    // A test that waits for them never ends.
    let element = |tag: u8, content: &[u8]| {
        let length = u8::try_from(content.len()).unwrap();
        [&[tag, length], content].concat()
    };
    let list = |parts: &[Vec<u8>]| element(SEQUENCE, &parts.concat());
    for iterations in [&b"\x7f\xff\xff\xff"[..], &[0x7f; 8], b"\x00"] {
        let number = element(INTEGER, iterations);
        let safe = element(EXPLICIT_0, &element(OCTETS, b"\x30\x00"));
        let safe = list(&[element(OID, &DATA), safe]);
        let own = list(&[element(OID, b"\x2b\x0e\x03\x02\x1a")]);
        let how = list(&[
            element(OCTETS, b"salt"),
            number.clone(),
            element(INTEGER, &[32]),
        ]);
        let pbkdf2 = b"\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0c";
        let hmac = list(&[element(OID, b"\x2a\x86\x48\x86\xf7\x0d\x02\x09")]);
        let both = list(&[list(&[element(OID, pbkdf2), how]), hmac]);
        let newer = list(&[element(OID, &PBMAC1), both]);
        for (algorithm, number) in [(own, number), (newer, element(INTEGER, &[1]))] {
            let digest = list(&[algorithm, element(OCTETS, &[0; 20])]);
            let mac = list(&[digest, element(OCTETS, b"salt"), number]);
            let file = list(&[element(INTEGER, &[3]), safe.clone(), mac]);
            assert!(is_pkcs12(&file));
            let expected = match iterations {
                b"\x00" => UNKNOWN_CIPHER,
                _ => TOO_MUCH_WORK,
            };
            let problem = open(&file, PASSPHRASE, WORK_MAX).unwrap_err();
            assert_eq!(problem, expected, "{iterations:02x?}");
        }
    }
}
