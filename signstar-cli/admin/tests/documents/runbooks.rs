//! docs/runbooks.md, in its order on one site, with what goes on meanwhile.

use std::fs;
use std::process::Command;

use signstar_core::{Event, Field, Refusal};

use crate::page;
use crate::site::{At, Site};

const SECTIONS: [(&str, At); 19] = [
    ("Stop a key at once", At::Enclave),
    ("Go on", At::Enclave),
    ("What did they sign since Tuesday", At::Enclave),
    ("Take an SSH key away", At::Enclave),
    ("Give it back", At::Enclave),
    ("A request was refused", At::Enclave),
    ("Upgrade while sessions run", At::Enclave),
    ("Roll back", At::Enclave),
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
    ("The machine is lost", At::Enclave),
    ("On a new machine", At::Enclave),
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

/// What somebody was told whose file is no package.
const REFUSED: &str = "echo nothing > /tmp/nothing
signstar-admin try signer /tmp/nothing > /media/stick/refused 2>&1 && exit 1
";

/// A machine that has never had Signstar on it, but for what is in the safe.
const NEW: &str = "systemctl stop signstar-sshd.socket
pkill -KILL -u signer || true
dpkg --purge signstar > /dev/null
rm -rf /etc/signstar /etc/ssh/authorized_keys /var/log/signstar /run/signstar
rm -f /etc/sysusers.d/signstar* /etc/tmpfiles.d/signstar*
userdel signer
userdel signer-database
groupdel signstar
# Other numbers than on the machine that was lost.
groupadd --system others
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
    let before = |title: &str| match title {
        "A request was refused" => REFUSED,
        "On a new machine" => NEW,
        _ if title.starts_with("Install the keyring") => KEYRINGS,
        _ => "",
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
            "Give it back" => assert_eq!(ask(&site), 0),
            "A request was refused" => {
                assert_eq!(said.matches("event=refusal").count(), 1, "{said}");
                assert!(said.contains(" code=artifact "), "{said}");
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
            "Roll back" | "On a new machine" => assert_eq!(ask(&site), 0, "{title}"),
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

/// Stops the key of the runbook and goes on, in a configuration where more is disabled: that stays so, and no
/// key is there twice.
#[test]
fn to_stop_a_key_and_go_on_leaves_the_others_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("signstar.toml");
    let sections = page::sections(&page::text("docs/runbooks.md"));
    let edit = |title: &str| {
        let section = sections.iter().find(|section| section.title == title);
        let lines = section.unwrap().script.lines();
        let line: Vec<&str> = lines.filter(|line| line.starts_with("sed ")).collect();
        let [line] = line[..] else { panic!("{title}") };
        let line = line.replace("/etc/signstar/signstar.toml", file.to_str().unwrap());
        let edited = Command::new("sh").args(["-eu", "-c", &line]).status();
        assert!(edited.unwrap().success());
        fs::read_to_string(&file).unwrap()
    };
    let others =
        "[user.signer]\nkey = \"packages\"\ndisabled = true\n\n[key.database]\ndisabled = true\n";
    for own in [
        "",
        "disabled = false\n",
        "hash = \"sha256\"\ndisabled = true\n",
    ] {
        let text = format!(
            "[key.packages]\n{own}input = \"any\"\n\n[key.packages.software]\na = 1\n\n{others}"
        );
        fs::write(&file, &text).unwrap();
        for (title, disabled) in [
            ("Stop a key at once", true),
            ("Stop a key at once", true),
            ("Go on", false),
        ] {
            let edited = edit(title);
            assert!(edited.ends_with(others), "{edited}");
            let (_, own) = edited.split_once("[key.packages]\n").unwrap();
            let own = own.split('[').next().unwrap();
            let lines = own.lines().filter(|line| line.starts_with("disabled"));
            let expected: &[&str] = match disabled {
                true => &["disabled = true"],
                false => &[],
            };
            assert_eq!(lines.collect::<Vec<_>>(), expected, "{edited}");
            assert!(own.contains("input = \"any\"\n"), "{edited}");
        }
    }
}

#[test]
fn every_code_of_a_refusal_has_a_row_that_says_what_to_do() {
    let text = page::text("docs/runbooks.md");
    let (_, table) = text
        .split_once("| code | usual cause | what to do |\n")
        .unwrap();
    let rows = table
        .lines()
        .skip(1)
        .map_while(|line| line.strip_prefix("| "));
    let codes: Vec<&str> = rows
        .flat_map(|row| {
            row.split(" | ")
                .next()
                .unwrap()
                .split('`')
                .skip(1)
                .step_by(2)
        })
        .collect();
    for refusal in Refusal::ALL {
        let code = refusal.code();
        let named = |known: &&str| match known.strip_suffix('…') {
            Some(start) => code.starts_with(start),
            None => *known == code,
        };
        assert_eq!(
            codes.iter().filter(|known| named(known)).count(),
            1,
            "{code}"
        );
    }
    assert!(codes.len() <= Refusal::ALL.len(), "{codes:?}");
}
