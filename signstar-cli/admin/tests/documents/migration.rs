//! docs/migration.md, with a certificate that GnuPG has made.

use crate::site::{At, Site};

const SECTIONS: [(&str, At); 5] = [
    ("The same key in a file", At::Enclave),
    ("The same key on a card", At::Parsed("it needs a card")),
    ("The same key in a NetHSM", At::Parsed("it needs a NetHSM")),
    ("The same card", At::Parsed("it needs a card")),
    ("A new subkey of the same certificate", At::Enclave),
];

/// What somebody has who signs by `gpg --detach-sign`: a signature of the package by it, too.
const GNUPG: &str = "\
umask 077
gpg='gpg --batch --quiet --passphrase='
$gpg --quick-generate-key 'Old <old@example.org>' ed25519 cert never
fingerprint=$(gpg --list-keys --with-colons | awk -F: '$1 == \"fpr\" { print $10; exit }')
$gpg --quick-add-key \"$fingerprint\" ed25519 sign 2y
gpg --armor --export old@example.org > /media/stick/before.asc
gpg --detach-sign --output /media/stick/before.sig /media/stick/hello-signstar-1-1-any.pkg.tar.zst
";

#[test]
fn what_gnupg_has_signed_and_signs_goes_on_in_the_enclave() {
    let site = Site::deployed();
    site.done(At::Enclave, GNUPG);
    site.follow("docs/migration.md", &SECTIONS);
    // Those who have the certificate from before take what was signed with the same key, those who
    // got it again take all of them.
    let signed = [
        ("before.asc", "before.sig", true),
        ("before.asc", "hello.sig", true),
        ("before.asc", "device.sig", false),
        ("old.asc", "before.sig", true),
        ("old.asc", "hello.sig", true),
        ("old.asc", "device.sig", true),
    ];
    site.done(
        At::Enclave,
        "install -m 0644 -t /media/stick /tmp/hello.sig /tmp/device.sig",
    );
    for (certificate, signature, taken) in signed {
        let end = site.run(
            At::Reader,
            &format!(
                "gpg=\"gpg --homedir $(mktemp -d) --batch --quiet\"\n\
                 $gpg --import /media/stick/{certificate}\n\
                 $gpg --verify /media/stick/{signature} /media/stick/hello-signstar-1-1-any.pkg.tar.zst || exit 7"
            ),
        );
        assert_eq!(
            end.status.code(),
            Some(if taken { 0 } else { 7 }),
            "{certificate} {signature} {}",
            end.said
        );
    }
    // The enclave has no primary key of the old certificate: GnuPG has put nothing in its place.
    let packets = site.done(
        At::Enclave,
        "gpg --list-packets /etc/signstar/old.secret.pgp",
    );
    let primary = packets.split(":secret sub key packet:").next().unwrap();
    assert!(primary.contains(":secret key packet:"), "{packets}");
    assert!(primary.contains("gnu-dummy"), "{packets}");
}
