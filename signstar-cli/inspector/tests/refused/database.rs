//! Repository databases.

use signstar_inspector::{ArtifactKind, Code, Identity};

use crate::seen;
use crate::support::{Member, archive, gzip, look};

const DESCRIPTION: &str = "%FILENAME%\ntrial-1:2-3-any.pkg.tar.zst\n\n%NAME%\ntrial\n\n%BASE%\ntrial\n\n\
    %VERSION%\n1:2-3\n\n%DESC%\nx\n\n%CSIZE%\n1\n\n%ISIZE%\n1\n\n%MD5SUM%\n\
    00000000000000000000000000000000\n\n%SHA256SUM%\n\
    0000000000000000000000000000000000000000000000000000000000000000\n\n%ARCH%\nany\n\n\
    %BUILDDATE%\n1\n\n%PACKAGER%\nTrial\n\n%DEPENDS%\na\nb\n\n";

fn judge_by(rules: &[&str], members: &[Member]) -> Result<Identity, Code> {
    let packed = gzip(&archive(members));
    look(ArtifactKind::PacmanDatabase, rules, packed.as_slice()).map_err(|found| seen(found.code))
}

fn judge(members: &[Member]) -> Result<Identity, Code> {
    judge_by(&[], members)
}

/// A folder with these files.
fn entry(folder: &str, files: &[(&str, &str)]) -> Vec<Member> {
    let mut members = vec![Member::folder(folder)];
    let file =
        |(name, text): &(&str, &str)| Member::file(&format!("{folder}/{name}"), text.as_bytes());
    members.extend(files.iter().map(file));
    members
}

fn described(text: &str) -> Vec<Member> {
    entry("trial-1:2-3", &[("desc", text)])
}

fn other(name: &str, version: &str) -> Vec<Member> {
    let text = DESCRIPTION.replace("trial", name).replace("1:2-3", version);
    entry(&format!("{name}-{version}"), &[("desc", &text)])
}

#[test]
pub(crate) fn a_sound_database_is_taken_and_counted() {
    let files = ("files", "%FILES%\nusr/\nusr/bin/\n\n");
    let depends = ("depends", "%DEPENDS%\na\n\n");
    let mut members = entry("trial-1:2-3", &[("desc", DESCRIPTION), files, depends]);
    members.extend(other("another", "4-5.6"));
    let identity = judge(&members).unwrap();
    assert_eq!(identity.kind, ArtifactKind::PacmanDatabase);
    assert_eq!(identity.entries, 2);
    assert_eq!(identity.unpacked_bytes % 10_240, 0);
    assert_eq!(identity.name, "");
    assert_eq!(judge(&[]).unwrap().entries, 0);
}

#[test]
pub(crate) fn a_database_of_something_else_is_refused() {
    let sound = described(DESCRIPTION);
    let text = DESCRIPTION.as_bytes();
    let strange: [&[Member]; 8] = [
        &[Member::file("trial-1:2-3", text)],
        &[Member::link("trial-1:2-3", "other")],
        // Without its folder before it, or in one below.
        &[Member::file("trial-1:2-3/desc", text)],
        &[sound[0].clone(), Member::file("trial-1:2-3/extra", text)],
        &[sound[0].clone(), Member::file("trial-1:2-3/a/desc", text)],
        &[sound[0].clone(), Member::folder("trial-1:2-3/desc")],
        &[
            sound[0].clone(),
            Member::link("trial-1:2-3/desc", "/etc/passwd"),
        ],
        // A folder without a description.
        &sound[..1],
    ];
    for members in strange {
        assert_eq!(judge(members), Err(Code::DatabaseEntry), "{members:?}");
    }
    let only_files = entry("trial-1:2-3", &[("files", "%FILES%\nusr/\n\n")]);
    assert_eq!(judge(&only_files), Err(Code::DatabaseEntry));
}

#[test]
pub(crate) fn descriptions_that_repo_add_does_not_write_are_refused() {
    judge(&described(DESCRIPTION)).unwrap();
    let sum = "0".repeat(64);
    let cases = [
        ("%NAME%\ntrial", "%NAME%\ntrial\nother"),
        ("%NAME%\ntrial\n\n", ""),
        ("%NAME%", "NAME"),
        ("%NAME%", "%NOMEN%"),
        ("%DESC%\nx", "%NAME%\ntrial"),
        ("%DESC%\nx", "%DESC%\n\u{1b}[2J"),
        ("%DESC%\nx", "text"),
        ("%VERSION%\n1:2-3\n\n", ""),
        ("%CSIZE%\n1", "%CSIZE%\n-1"),
        ("%CSIZE%\n1\n\n", ""),
        ("%ISIZE%\n1", "%ISIZE%\n1k"),
        ("%BUILDDATE%\n1", "%BUILDDATE%\nnow"),
        ("%PACKAGER%\nTrial\n\n", ""),
        ("%ARCH%\nany", "%ARCH%\nany thing"),
        ("%BASE%\ntrial", "%BASE%\n-trial"),
        ("%BASE%\ntrial", "%BASE%\ntrial\nother"),
        ("any.pkg.tar.zst", "x86_64.pkg.tar.zst"),
        ("any.pkg.tar.zst", "any.pkg.tar.exe"),
        ("trial-1:2-3-any", "../trial-1:2-3-any"),
        (sum.as_str(), "00"),
        (sum.as_str(), "x000"),
        ("%MD5SUM%\n00", "%MD5SUM%\nx0"),
        ("%MD5SUM%\n00", "%MD5SUM%\n0"),
        // libalpm takes one line of these, and the next one may be a section to it.
        ("%DESC%\nx", "%DESC%\nx\n%ARCH%\nx86_64"),
        ("%DESC%\nx", "%DESC%\nx\ny"),
        ("%DESC%\nx", "%DESC%\n%ARCH%"),
        ("%DESC%\nx", "%DESC%"),
        ("%DESC%\nx", "%URL%\nx\ny"),
        ("%DESC%\nx", "%PGPSIG%\nx\ny"),
        ("%DEPENDS%\na\nb", "%DEPENDS%\na\n%ARCH%\nx86_64"),
        ("%DEPENDS%\na\nb", "%LICENSE%\n%NOTHING%"),
        ("%DEPENDS%\na\nb", "%FILES%\nusr/"),
        ("%PACKAGER%\nTrial", "%PACKAGER%\n Trial"),
        ("%PACKAGER%\nTrial", "%PACKAGER%\nTrial "),
        ("%PACKAGER%\nTrial", "%PACKAGER%\n=Trial"),
        ("%CSIZE%\n1", "%CSIZE%\n9223372036854775808"),
    ];
    for (from, to) in cases {
        assert!(DESCRIPTION.contains(from), "{from}");
        let text = DESCRIPTION.replacen(from, to, 1);
        assert_eq!(judge(&described(&text)), Err(Code::DatabaseForm), "{to:?}");
    }
    // What older versions did not write may be absent, and every ending of pacman's may be there.
    for (from, to) in [
        ("%BASE%\ntrial\n\n", ""),
        ("%MD5SUM%\n00000000000000000000000000000000\n\n", ""),
        ("any.pkg.tar.zst", "any.pkg.tar.xz"),
        ("any.pkg.tar.zst", "any.pkg.tar"),
    ] {
        assert!(DESCRIPTION.contains(from), "{from}");
        judge(&described(&DESCRIPTION.replacen(from, to, 1))).unwrap();
    }
    let mut members = described(DESCRIPTION);
    members.push(Member::file("trial-1:2-3/files", b"\xff\xfe"));
    assert_eq!(judge(&members), Err(Code::DatabaseForm));
    for (length, expected) in [(256 << 10, true), ((256 << 10) + 1, false)] {
        let line = format!("%DESC%\n{}", "x".repeat(length));
        let text = DESCRIPTION.replacen("%DESC%\nx", &line, 1);
        assert_eq!(judge(&described(&text)).is_ok(), expected);
    }
}

/// libalpm reads all files of a folder alike, so a section counts wherever it stands.
#[test]
pub(crate) fn a_file_of_a_database_has_its_own_sections_only() {
    let with = |name: &str, text: &str| {
        let files = [("desc", DESCRIPTION), (name, text)];
        judge(&entry("trial-1:2-3", &files)).map(drop)
    };
    for section in [
        "REPLACES",
        "CONFLICTS",
        "PROVIDES",
        "DEPENDS",
        "OPTDEPENDS",
        "MAKEDEPENDS",
        "CHECKDEPENDS",
        "FILES",
        "ARCH",
        "FILENAME",
        "PACKAGER",
        "SHA256SUM",
        "NAME",
        "LICENSE",
    ] {
        let text = format!("%{section}%\nx\n\n");
        let taken = |yes| if yes { Ok(()) } else { Err(Code::DatabaseForm) };
        let depends = section.ends_with("DEPENDS")
            || ["REPLACES", "CONFLICTS", "PROVIDES"].contains(&section);
        assert_eq!(with("depends", &text), taken(depends), "{section}");
        assert_eq!(with("files", &text), taken(section == "FILES"), "{section}");
    }
    // As repo-add leaves the list: without an empty line, and without any.
    assert_eq!(with("files", "%FILES%\nusr/\n"), Ok(()));
    assert_eq!(with("files", "%FILES%\n"), Ok(()));
    let hidden = with("files", "%FILES%\nusr/\n%ARCH%\nx86_64\n");
    assert_eq!(hidden, Err(Code::DatabaseForm));
}

#[test]
pub(crate) fn a_package_that_is_there_twice_is_refused() {
    let mut members = described(DESCRIPTION);
    members.extend(other("trial", "1:2-4"));
    assert_eq!(judge(&members), Err(Code::DatabaseTwice));
}

#[test]
pub(crate) fn a_description_in_the_folder_of_another_is_refused() {
    for folder in ["other-1:2-3", "trial-1:2-4", "trial"] {
        let members = entry(folder, &[("desc", DESCRIPTION)]);
        assert_eq!(judge(&members), Err(Code::DatabaseNamesDiffer), "{folder}");
    }
}

#[test]
pub(crate) fn rules_hold_for_every_package_in_a_database() {
    let mut members = described(DESCRIPTION);
    members.extend(other("another", "4-5"));
    let allowed = [
        "name=trial",
        "name=an*",
        "architecture=any",
        "packager=T*l",
        "unpacked-bytes-max=10240",
    ];
    judge_by(&allowed, &members).unwrap();
    for (rule, code) in [
        ("name=trial", Code::RuleName),
        ("base=trial", Code::RuleBase),
        ("architecture=x86_64", Code::RuleArchitecture),
        ("packager=Nobody", Code::RulePackager),
        ("unpacked-bytes-max=10239", Code::RuleUnpacked),
    ] {
        assert_eq!(judge_by(&[rule], &members), Err(code));
    }
}

/// The place is that of the entry, so that an operator finds the package.
#[test]
pub(crate) fn what_is_wrong_in_a_database_has_its_place() {
    let mut members = described(DESCRIPTION);
    members.extend(other("another", "4-5"));
    let packed = gzip(&archive(&members));
    let rules = ["name=trial"];
    let found = look(ArtifactKind::PacmanDatabase, &rules, packed.as_slice());
    assert_eq!(found.unwrap_err().position, 4 * 512);
}

/// What a rule refuses is told with the identity, so that has its length, too.
#[test]
pub(crate) fn texts_of_a_verdict_have_a_length() {
    for (length, expected) in [(128, Err(Code::RuleName)), (129, Err(Code::DatabaseForm))] {
        let packager = format!("%PACKAGER%\n{}", "p".repeat(length));
        let text = DESCRIPTION.replacen("%PACKAGER%\nTrial", &packager, 1);
        assert_eq!(judge_by(&["name=other"], &described(&text)), expected);
    }
}
