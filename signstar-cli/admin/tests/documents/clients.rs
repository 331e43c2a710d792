//! docs/clients.md, and the script for builders.

use std::fs;

use signstar_core::{Event, Record};

use crate::page;
use crate::site::{At, Site};

const SECTIONS: [(&str, At); 7] = [
    ("One file", At::Builder),
    ("Size and digest", At::Builder),
    ("One connection for many signatures", At::Builder),
    ("Statuses", At::Builder),
    ("A repository", At::Builder),
    (
        "Another account",
        At::Parsed("the site has one account, and that is for packages"),
    ),
    ("A CI job", At::Builder),
];

/// What GitLab hands to a job: a file that everybody may read, here without the end of its last line.
const IN_A_FILE: &str = "\
head -c -1 ~/.ssh/signstar > ~/job.key
chmod 0666 ~/job.key
export SIGNSTAR_KEY=$HOME/job.key
";

/// What Forgejo and GitHub hand to one: text.
const AS_TEXT: &str = "SIGNSTAR_KEY=$(cat ~/.ssh/signstar)\nexport SIGNSTAR_KEY\n";

const PACKAGE: &str = "hello-signstar-1-1-any.pkg.tar.zst";

/// A site whose builder has the script.
fn site() -> Site {
    let site = Site::deployed();
    let script = page::text("packaging/client/signstar-sign");
    fs::write(site.stick("signstar-sign"), script).unwrap();
    site.done(
        At::Builder,
        "install -D -m 0755 -t bin /media/stick/signstar-sign",
    );
    site
}

/// How many signatures there are.
fn releases(site: &Site) -> usize {
    let records = site.records();
    let is_release = |record: &&Record| record.event == Event::Release;
    records.iter().filter(is_release).count()
}

#[test]
fn the_commands_for_builders_work_in_their_order() {
    let site = site();
    let before = |title: &str| if title == "A CI job" { IN_A_FILE } else { "" };
    let mut counted = releases(&site);
    site.follow_with("docs/clients.md", &SECTIONS, before, |title, said| {
        // By hand and by force, or twice by force, but not for what has a signature already.
        let expected = match title {
            "One file" | "Size and digest" | "One connection for many signatures" => 2,
            "Statuses" | "A repository" => 0,
            "A CI job" => 1,
            _ => panic!("{title}"),
        };
        let now = releases(&site);
        assert_eq!(now - counted, expected, "{title}: {said}");
        counted = now;
        if title.starts_with("One connection") {
            assert!(said.contains("Master running"), "{said}");
        }
    });
    // What the job has got is a signature of the package.
    site.done(
        At::Builder,
        &format!(
            "gpg --quiet --import /media/stick/packages.asc\n\
             gpg --verify ~/hello/{PACKAGE}.sig ~/hello/{PACKAGE}"
        ),
    );
}

/// The lines of the examples for CI systems that call `ci/sign.sh`, as a shell gets them.
fn lines_of_jobs() -> [String; 2] {
    let page = page::text("docs/clients.md");
    let lines = page.lines().map(str::trim_start);
    let lines = lines.filter_map(|line| line.strip_prefix("- "));
    let lines = lines.map(|line| line.trim_start_matches("run: ").to_owned());
    let calls = lines.filter(|line| line.starts_with("sh ci/sign.sh "));
    calls.collect::<Vec<String>>().try_into().unwrap()
}

#[test]
fn jobs_get_their_key_as_ci_systems_hand_it_over() {
    let site = site();
    let sections = page::sections(&page::text("docs/clients.md"));
    let section = sections.iter().find(|section| section.title == "A CI job");
    site.done(
        At::Builder,
        &format!("{IN_A_FILE}{}", section.unwrap().script),
    );
    let run = |key: &str, line: &str| {
        // A job has no home, and what it leaves behind is not the key.
        let script = format!(
            "cd ~/hello\nrm -f *.sig\n{key}export TMPDIR=$(mktemp -d) SIGNSTAR_TRIES=1\nstatus=0\n\
             env -u HOME {line} || status=$?\ntest -z \"$(ls -A \"$TMPDIR\")\"\nexit $status"
        );
        site.run(At::Builder, &script)
    };
    for (key, line) in [IN_A_FILE, AS_TEXT].into_iter().zip(lines_of_jobs()) {
        let end = run(key, &line);
        assert!(end.status.success(), "{line}\n{}", end.said);
        assert!(end.said.contains("Good signature"), "{}", end.said);
    }
    let without = |key: &str| run(key, &lines_of_jobs()[0]);
    let end = without("export SIGNSTAR_KEY=\n");
    assert!(end.said.contains("there is no key"), "{}", end.said);
    assert!(!end.status.success());
    // Another certificate than that of the key.
    let other = "gpg --batch --quiet --passphrase '' --quick-generate-key other@example.org\n\
                 gpg --batch --yes --output ~/hello/ci/packages.pgp --export other@example.org\n";
    let end = without(&format!("{other}{AS_TEXT}"));
    assert!(!end.status.success(), "{}", end.said);
}

#[test]
fn the_script_leaves_what_was_there_when_it_gets_no_signature() {
    let site = site();
    let tried = |script: &str| {
        let script = format!("cd ~/hello\n{script}\n");
        let end = site.run(At::Builder, &script);
        let left = site.done(At::Builder, "ls -A ~/hello");
        assert!(!left.contains(".sig."), "{left}");
        (end.status.code().unwrap(), end.said)
    };
    let good = |sign: &str| {
        let script = format!(
            "echo before > {PACKAGE}.sig\nstatus=0\n{sign} || status=$?\n\
             echo before | cmp - {PACKAGE}.sig\nexit $status"
        );
        tried(&script)
    };
    // Statuses that nobody waits for, and those that are worth another try.
    for (answer, tries, status) in [
        ("77", 1, 77),
        ("74", 1, 74),
        ("69", 3, 69),
        ("255", 3, 255),
        ("75", 3, 75),
    ] {
        let fake = format!(
            "rm -f ~/asked\nprintf '#!/bin/sh\\necho part of it; echo >> ~/asked; exit {answer}\\n' > ~/fake\n\
             chmod +x ~/fake\nexport SIGNSTAR_SSH=$HOME/fake SIGNSTAR_TRIES=3\n"
        );
        let (found, said) = tried(&format!(
            "{fake}echo before > {PACKAGE}.sig\nstatus=0\n\
             ~/bin/signstar-sign -f signstar {PACKAGE} || status=$?\n\
             echo before | cmp - {PACKAGE}.sig\ntest $(wc -l < ~/asked) = {tries}\nexit $status"
        ));
        assert_eq!(found, status, "{said}");
    }
    // ssh itself is well, but nobody signs.
    let (found, said) = good(&format!(
        "SIGNSTAR_SSH=true ~/bin/signstar-sign -f signstar {PACKAGE}"
    ));
    assert_eq!(found, 70, "{said}");
    assert_eq!(tried("~/bin/signstar-sign signstar nothing").0, 66);
    for wrong in [
        "",
        "signstar",
        "-x signstar file",
        "-- -oProxyCommand=id file",
    ] {
        assert_eq!(
            tried(&format!("~/bin/signstar-sign {wrong}")).0,
            64,
            "{wrong}"
        );
    }
    // And with one it does.
    let (found, said) = tried(&format!(
        "~/bin/signstar-sign -f signstar {PACKAGE}\n! grep -q before {PACKAGE}.sig"
    ));
    assert_eq!(found, 0, "{said}");
}

#[test]
fn the_script_does_not_take_less_than_the_file_for_all_of_it() {
    let site = site();
    // A client that loses the end of what it sends.
    let lossy = "printf '#!/bin/sh\\nhead -c 1000 | ssh \"$@\"\\n' > ~/lossy\nchmod +x ~/lossy\n\
                 echo letter > ~/letter\n";
    site.done(
        At::Enclave,
        "sed -i 's/^input = .*/input = \"any\"/' /etc/signstar/signstar.toml",
    );
    let sign = |options: &str| {
        let script = format!(
            "{lossy}cd ~/hello\nSIGNSTAR_SSH=$HOME/lossy ~/bin/signstar-sign {options} -f signstar {PACKAGE}"
        );
        site.run(At::Builder, &script)
    };
    assert_eq!(sign("").status.code(), Some(0));
    let declared = sign("-d");
    assert_eq!(declared.status.code(), Some(65), "{}", declared.said);
    assert!(declared.said.contains("size-mismatch"), "{}", declared.said);
}
