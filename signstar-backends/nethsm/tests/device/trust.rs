//! Which certificates make a device the right one.

use std::fs;
use std::path::Path;
use std::time::Duration;

use signstar_nethsm::client::{Authorities, Fingerprint, Trust};
use signstar_testkit::tls::{Identity, Server, answer, openssl, request};
use tempfile::TempDir;

use crate::support::{device, kind, signs};

/// A P-256 key and what OpenSSL makes of it.
struct Authority {
    folder: TempDir,
}

const CURVE: &str = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";

impl Authority {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let words = "-x509 -keyout ca.key -out ca.pem -days 30 -subj /CN=Authority";
        openssl(folder.path(), &format!("req {CURVE} {words}"));
        fs::create_dir(folder.path().join("new")).unwrap();
        fs::write(folder.path().join("index.txt"), "").unwrap();
        fs::write(folder.path().join("serial"), "01\n").unwrap();
        let text = "[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\nserial=serial\nnew_certs_dir=new\n\
                    certificate=ca.pem\nprivate_key=ca.key\ndefault_md=sha256\npolicy=p\n\
                    copy_extensions=copy\nunique_subject=no\n[p]\ncommonName=supplied\n";
        fs::write(folder.path().join("ca.conf"), text).unwrap();
        Self { folder }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A certificate for `names`, valid from year to year.
    fn identity(&self, names: &str, from: u32, until: u32) -> Identity {
        let words =
            format!("-keyout leaf.key -out leaf.csr -subj /CN=hsm -addext subjectAltName={names}");
        openssl(self.path(), &format!("req {CURVE} {words}"));
        let times = format!("-startdate {from}0101000000Z -enddate {until}0101000000Z");
        let files = "-config ca.conf -in leaf.csr -out leaf.pem -notext -batch";
        openssl(self.path(), &format!("ca {files} {times}"));
        Identity::read(&self.path().join("leaf.pem"), &self.path().join("leaf.key"))
    }

    fn trust(&self) -> Trust {
        let pem = fs::read(self.path().join("ca.pem")).unwrap();
        Trust::Authorities(Authorities::from_pem(&pem).unwrap())
    }
}

/// Whether the key of a server is read: what it answers makes no sense, so the refusal tells.
fn is_trusted(identity: &Identity, trust: &Trust, name: Option<&str>) -> bool {
    let server = Server::start(identity.clone(), |mut stream| {
        if request(&mut stream).is_some() {
            answer(&mut stream, "{}");
        }
    });
    let (device, key) = device();
    let mut settings = device.settings(&key);
    settings.devices[0].address = server.address().to_string().parse().unwrap();
    settings.devices[0].trust = trust.clone();
    settings.devices[0].name = name.map(str::to_owned);
    settings.wait = Duration::from_secs(5);
    let refused = signstar_nethsm::open(&settings).err().unwrap();
    assert_eq!(kind(&refused), "failed", "{refused}");
    let text = refused.to_string();
    let (trusted, untrusted) = (text.contains("nonsense"), text.contains("prove"));
    assert_ne!(trusted, untrusted, "{text}");
    trusted
}

#[test]
fn an_authority_vouches_for_addresses_and_names_while_the_certificate_is_valid() {
    let authority = Authority::new();
    let (trust, other) = (authority.trust(), Authority::new().trust());
    let valid = authority.identity("IP:127.0.0.1,DNS:hsm.example.org", 2020, 2099);
    assert!(is_trusted(&valid, &trust, None));
    assert!(is_trusted(&valid, &trust, Some("hsm.example.org")));
    assert!(!is_trusted(&valid, &trust, Some("other.example.org")));
    assert!(!is_trusted(&valid, &other, None), "another authority");
    let expired = authority.identity("IP:127.0.0.1", 2020, 2021);
    assert!(!is_trusted(&expired, &trust, None));
    let early = authority.identity("IP:127.0.0.1", 2098, 2099);
    assert!(!is_trusted(&early, &trust, None));
    let elsewhere = authority.identity("IP:127.0.0.2", 2020, 2099);
    assert!(!is_trusted(&elsewhere, &trust, None));
    // The pin takes what the authority does not: that is what it is for.
    for identity in [&expired, &early, &elsewhere] {
        let pin = Trust::Pin(identity.fingerprint().parse().unwrap());
        assert!(is_trusted(identity, &pin, None));
        let other = Trust::Pin(valid.fingerprint().parse().unwrap());
        assert!(!is_trusted(identity, &other, None));
    }
    // The right certificate with another key behind it.
    let pin = Trust::Pin(valid.fingerprint().parse().unwrap());
    assert!(is_trusted(&valid, &pin, None));
    assert!(!is_trusted(&expired.pretending(&valid), &pin, None));
    assert!(!is_trusted(&expired.pretending(&valid), &trust, None));
}

/// Devices make such a certificate for themselves.
#[test]
fn a_certificate_of_version_1_can_be_pinned() {
    let folder = tempfile::tempdir().unwrap();
    openssl(
        folder.path(),
        &format!("req {CURVE} -keyout v1.key -out v1.csr -subj /CN=keyfender"),
    );
    openssl(
        folder.path(),
        "x509 -req -in v1.csr -signkey v1.key -out v1.pem -days 30",
    );
    let path = |name: &str| folder.path().join(name);
    let identity = Identity::read(&path("v1.pem"), &path("v1.key"));
    let pin = Trust::Pin(identity.fingerprint().parse().unwrap());
    assert!(is_trusted(&identity, &pin, None));
}

#[test]
fn fingerprints_have_colons_or_not() {
    let (device, key) = device();
    let digits = device.fingerprint();
    let pairs: Vec<&str> = (0..32).map(|at| &digits[2 * at..][..2]).collect();
    for text in [digits.clone(), digits.to_uppercase(), pairs.join(":")] {
        let fingerprint: Fingerprint = text.parse().unwrap();
        assert_eq!(fingerprint.to_string(), digits);
        let mut settings = device.settings(&key);
        settings.devices[0].trust = Trust::Pin(fingerprint);
        signs(signstar_nethsm::open(&settings).unwrap().signer.as_mut());
    }
    for text in [
        "",
        "00",
        &digits[1..],
        &format!("{digits}0"),
        &pairs[1..].join(":"),
    ] {
        assert!(text.parse::<Fingerprint>().is_err(), "{text}");
    }
    let shifted = format!("{}:{}", &digits[..1], &digits[1..]);
    assert!(shifted.parse::<Fingerprint>().is_err());
    assert!(
        format!("{}é", &digits[..62])
            .parse::<Fingerprint>()
            .is_err()
    );
}
