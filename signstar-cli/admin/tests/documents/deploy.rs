//! docs/deploy.md: from nothing to `pacman -U` of a package that was signed through ssh.

use signstar_core::{Event, Field};

use crate::site::{At, Site};

/// Where the page's sections are run.
pub(crate) const SECTIONS: [(&str, At); 11] = [
    ("Build the package", At::Sources),
    ("Install it", At::Enclave),
    ("Configure it", At::Enclave),
    ("Make key and certificate", At::Enclave),
    ("Say who may ask", At::Builder),
    ("Open the door", At::Enclave),
    ("The first signature", At::Builder),
    ("Verify it elsewhere", At::Reader),
    ("See what was signed", At::Enclave),
    ("A key for the database", At::Enclave),
    (
        "With a device",
        At::Parsed("it needs a card, a TPM and somebody who types a PIN"),
    ),
];

#[test]
fn the_page_leads_from_nothing_to_an_installed_package() {
    let site = Site::deployed();
    let greeting = site.done(At::Reader, "cat /usr/share/hello-signstar/greeting");
    assert_eq!(greeting, "hello\n");
    let records = site.records();
    let events: Vec<Event> = records.iter().map(|record| record.event).collect();
    assert_eq!(events, [Event::Intent, Event::Release]);
    assert_eq!(records[1].get(Field::Address), Some("192.0.2.1"));
    assert_eq!(records[1].get(Field::VerdictName), Some("hello-signstar"));
}

#[test]
fn without_the_signature_or_the_trust_or_the_right_bytes_pacman_installs_nothing() {
    let site = Site::deployed();
    let package = "/media/stick/hello-signstar-1-1-any.pkg.tar.zst";
    let refused = |script: &str| {
        let script =
            format!("pacman -R --noconfirm hello-signstar >/dev/null 2>&1 || :\n{script}\n");
        let end = site.run(
            At::Reader,
            &format!("{script}pacman -U --noconfirm {package}"),
        );
        assert!(!end.status.success(), "{script}{}", end.said);
        end.said
    };
    refused(&format!("mv {package}.sig {package}.good"));
    let said = refused(&format!(
        "head -c -1 {package}.good > {package}.sig; printf x >> {package}.sig"
    ));
    assert!(said.contains("invalid or corrupted package"), "{said}");
    let said = refused(&format!(
        "cp {package}.good {package}.sig\n\
         gpg --homedir /etc/pacman.d/gnupg --batch --yes --delete-keys packages@example.org"
    ));
    assert!(
        said.contains("is unknown") || said.contains("missing"),
        "{said}"
    );
    // With all of them back it does: the test above could not fail otherwise.
    site.done(
        At::Reader,
        &format!(
            "pacman-key --add /media/stick/packages.asc\n\
             fingerprint=$(gpg --show-keys --with-colons /media/stick/packages.asc | \
             awk -F: '$1 == \"fpr\" {{ print $10; exit }}')\n\
             pacman-key --lsign-key \"$fingerprint\"\npacman -U --noconfirm {package}"
        ),
    );
}

#[test]
fn the_second_account_signs_databases_with_its_own_key_and_records_them_in_the_same_file() {
    let site = Site::deployed();
    site.done(
        At::Builder,
        "cd ~/hello\nrepo-add --quiet hello.db.tar.xz hello-signstar-1-1-any.pkg.tar.zst\n\
         ssh -l signer-database signstar < hello.db.tar.xz > hello.db.tar.xz.sig\n\
         gpg --quiet --import /media/stick/database.asc\n\
         gpg --verify hello.db.tar.xz.sig hello.db.tar.xz",
    );
    let last = site.records().pop().unwrap();
    assert_eq!(last.event, Event::Release);
    assert_eq!(last.get(Field::User), Some("signer-database"));
    assert_eq!(last.get(Field::Key), Some("database"));
    // The first one still records its requests, and neither signs what is the other's.
    let ask = |account: &str, file: &str| {
        let script = format!("cd ~/hello\nssh -l {account} signstar < {file} > {account}.part");
        site.run(At::Builder, &script).status.code()
    };
    let package = "hello-signstar-1-1-any.pkg.tar.zst";
    assert_eq!(ask("signer", package), Some(0));
    assert_eq!(ask("signer-database", package), Some(65));
    assert_eq!(ask("signer", "hello.db.tar.xz"), Some(65));
}
