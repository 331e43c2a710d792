//! docs/runbooks.md, in its order on one site, with what goes on meanwhile.

use std::fs;

use signstar_core::{Event, Field};

use crate::site::{At, Site};

const SECTIONS: [(&str, At); 15] = [
    ("Stop a key at once", At::Enclave),
    ("Go on", At::Enclave),
    ("What did they sign since Tuesday", At::Enclave),
    ("Take an SSH key away", At::Enclave),
    ("Give it back", At::Enclave),
    ("Upgrade while sessions run", At::Enclave),
    (
        "Another key takes over, with a keyring release",
        At::Enclave,
    ),
    ("Release the keyring", At::Enclave),
    ("Install the keyring", At::Reader),
    ("Switch", At::Enclave),
    ("A device is lost or broken", At::Enclave),
    ("Install the keyring without it", At::Reader),
    ("A second device", At::Parsed("it needs two cards")),
    ("The clock has stepped", At::Enclave),
    ("Health is not well", At::Enclave),
];

const PACKAGE: &str = "hello-signstar-1-1-any.pkg.tar.zst";

/// Debian's pacman-key looks for keyrings elsewhere than Arch's.
const KEYRINGS: &str = "[ -d /usr/share/pacman/keyrings ] || {
    mkdir -p /usr/share/pacman
    ln -s ../keyrings /usr/share/pacman/keyrings
}
";

/// Has the builder ask for a signature by hand; its status.
fn ask(site: &Site) -> i32 {
    let script = format!("cd ~/hello\nssh signstar < {PACKAGE} > {PACKAGE}.part");
    site.run(At::Builder, &script).status.code().unwrap()
}

/// Signs and installs; whether pacman took it.
fn installs(site: &Site) -> bool {
    let script = format!(
        "cd ~/hello\nssh signstar < {PACKAGE} > {PACKAGE}.part\n\
         mv -f {PACKAGE}.part {PACKAGE}.sig\ncp -f {PACKAGE}.sig /media/stick/"
    );
    site.done(At::Builder, &script);
    takes(site)
}

/// Whether pacman takes what lies on the stick.
fn takes(site: &Site) -> bool {
    let script = format!("pacman -U --noconfirm /media/stick/{PACKAGE}");
    site.run(At::Reader, &script).status.success()
}

/// What begins an upload, and goes on when there is a file `go`.
const SLOW: &str = "cd ~/hello
rm -f go slow.sig
( { head -c 500 hello-signstar-1-1-any.pkg.tar.zst; for try in $(seq 600); do [ -e go ] && break; sleep 0.1; done
    tail -c +501 hello-signstar-1-1-any.pkg.tar.zst; } | {
        status=0; ssh signstar > slow.sig || status=$?; echo $status > slow.status; } ) > /dev/null 2>&1 &
";

/// Begins an upload, and waits until a session is there.
fn begin(site: &Site) {
    site.done(At::Builder, &format!("rm -f ~/hello/slow.status\n{SLOW}"));
    site.done(
        At::Enclave,
        // Nobody waits for what has ended: only what sleeps is there.
        "for try in $(seq 200); do\n\
         pgrep -u signer -r S -x signstar && sleep 1 && pgrep -u signer -r S -x signstar && exit\n\
         sleep 0.1\ndone\nps -ef\nexit 1",
    );
}

/// Lets it go on to its end; the status of ssh.
fn end(site: &Site) -> String {
    site.done(
        At::Builder,
        "cd ~/hello\ntouch go\nfor try in $(seq 200); do [ -s slow.status ] && break; sleep 0.1; done\n\
         cat slow.status",
    )
}

#[test]
fn the_runbooks_do_what_they_say() {
    let site = Site::deployed();
    assert_eq!(ask(&site), 0);
    // A session that has begun before the key is stopped.
    begin(&site);
    let before = |title: &str| match title.starts_with("Install the keyring") {
        true => KEYRINGS,
        false => "",
    };
    site.follow_with(
        "docs/runbooks.md",
        &SECTIONS,
        before,
        |title, said| match title {
            "Stop a key at once" => {
                let ended = end(&site);
                assert_eq!(ended, "255\n", "{:?} {said}", site.records());
                assert_eq!(ask(&site), 77);
                let last = site.records().pop().unwrap();
                assert_eq!(last.get(Field::Code), Some("disabled"));
            }
            "Go on" => assert_eq!(ask(&site), 0),
            "What did they sign since Tuesday" => {
                let list = site.done(At::Enclave, "cat /media/safe/signed.json");
                let list: serde_json::Value = serde_json::from_str(&list).unwrap();
                let text = list.to_string();
                assert!(text.contains("hello-signstar"), "{text}");
                // In three lists: by account, by SSH key, by digest.
                assert!(said.matches("  release  ").count() >= 6, "{said}");
            }
            "Take an SSH key away" => assert_eq!(ask(&site), 255),
            "Give it back" => {
                assert_eq!(ask(&site), 0);
                // A session that goes on through the next section, the upgrade.
                begin(&site);
            }
            "Upgrade while sessions run" => {
                assert_eq!(end(&site), "0\n");
                let verify = format!(
                    "gpg --quiet --import /media/stick/packages.asc\n\
                 gpg --verify ~/hello/slow.sig ~/hello/{PACKAGE}"
                );
                site.done(At::Builder, &verify);
            }
            "Release the keyring" => {
                let names = ["example.gpg", "example-trusted", "example-revoked"];
                for name in names {
                    assert!(
                        fs::metadata(site.stick("keyrings").join(name)).is_ok(),
                        "{name}"
                    );
                }
            }
            "Install the keyring" => assert!(installs(&site)),
            "Switch" => {
                assert!(installs(&site));
                let last = site.records().pop().unwrap();
                assert_eq!(last.event, Event::Release);
                assert_eq!(last.get(Field::Key), Some("packages-2027"));
                // What the old key has signed stays good, until that is revoked.
                site.done(At::Builder, "cp -f ~/hello/slow.sig /media/stick/");
                assert!(old_is_taken(&site));
            }
            "Install the keyring without it" => {
                assert!(installs(&site));
                assert!(!old_is_taken(&site));
            }
            _ => {}
        },
    );
}

/// Whether pacman takes the package with the signature that the first key has made.
fn old_is_taken(site: &Site) -> bool {
    let sig = format!("/media/stick/{PACKAGE}.sig");
    site.done(
        At::Builder,
        &format!("cp -f {sig} ~/new.sig\ncp -f /media/stick/slow.sig {sig}"),
    );
    let taken = takes(site);
    site.done(At::Builder, &format!("cp -f ~/new.sig {sig}"));
    taken
}
