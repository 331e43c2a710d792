//! pacman itself, which opens packages and databases with every format of libarchive, and reads all files
//! of a database with one parser. Each attack first works on it; then the inspector refuses it.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use signstar_inspector::{ArtifactKind, Code};
use tempfile::TempDir;

use crate::mutants::Random;
use crate::support::{Member, archive, gzip, look};

/// A machine with one repository, whose database is not verified: what is in it is what is asked.
struct Pacman(TempDir);

impl Pacman {
    fn new() -> Self {
        let place = tempfile::tempdir().unwrap();
        fs::create_dir_all(place.path().join("db/sync")).unwrap();
        let configuration = "[options]\nSigLevel = Never\nLocalFileSigLevel = Never\n\
            Architecture = any x86_64\n[repo]\nServer = file:///mirror\n";
        fs::write(place.path().join("pacman.conf"), configuration).unwrap();
        Self(place)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn say(&self, arguments: &[&str]) -> String {
        let output = Command::new("pacman")
            .arg("--config")
            .arg(self.path("pacman.conf"))
            .arg("--dbpath")
            .arg(self.path("db"))
            .args(arguments)
            .env("LC_ALL", "C")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// What it says of the only package in a database: name, architecture, packager, where it is.
    fn of_database(&self, bytes: &[u8]) -> [String; 4] {
        fs::write(self.path("db/sync/repo.db"), bytes).unwrap();
        let said = self.say(&["-Si"]);
        let name = value(&said, "Name");
        let url = self.say(&["-Sddp", &format!("repo/{name}")]);
        let file = url.trim().rsplit('/').next().unwrap_or("").to_owned();
        [
            name,
            value(&said, "Architecture"),
            value(&said, "Packager"),
            file,
        ]
    }

    /// The name of a package file.
    fn of_package(&self, bytes: &[u8]) -> String {
        let file = self.path("file.pkg.tar.zst");
        fs::write(&file, bytes).unwrap();
        value(&self.say(&["-Qip", file.to_str().unwrap()]), "Name")
    }
}

/// What stands behind the colon of a line.
fn value(said: &str, key: &str) -> String {
    let mut lines = said.lines().filter_map(|line| line.split_once(':'));
    let found = lines.find(|(name, _)| name.trim() == key);
    found.map_or(String::new(), |(_, value)| value.trim().to_owned())
}

const DESCRIPTION: &str = "%FILENAME%\nfoo-1-1-x86_64.pkg.tar.zst\n\n%NAME%\nfoo\n\n%VERSION%\n1-1\n\n\
    %CSIZE%\n10\n\n%ISIZE%\n10\n\n%URL%\nhttps://example.org\n\n%ARCH%\nx86_64\n\n\
    %BUILDDATE%\n1700000000\n\n%PACKAGER%\nGood <good@example.org>\n\n%DESC%\na tool\n\n";

const EVIL: &str =
    "%FILENAME%\nevil-6-6-any.pkg.tar.zst\n%PACKAGER%\nEvil <evil@example.net>\n%ARCH%\nany\n";

fn database(files: &[(&str, &str)]) -> Vec<u8> {
    let file =
        |(name, text): &(&str, &str)| Member::file(&format!("foo-1-1/{name}"), text.as_bytes());
    let mut members = vec![Member::folder("foo-1-1")];
    members.extend(files.iter().map(file));
    gzip(&archive(&members))
}

fn judge_database(bytes: &[u8]) -> Result<(), Code> {
    let rules = ["packager=*<good@example.org>", "architecture=x86_64"];
    let found = look(ArtifactKind::PacmanDatabase, &rules, bytes);
    found.map(drop).map_err(|finding| finding.code)
}

/// What pacman says of a database that the rules allow.
fn good() -> [String; 4] {
    [
        "foo",
        "x86_64",
        "Good <good@example.org>",
        "foo-1-1-x86_64.pkg.tar.zst",
    ]
    .map(str::to_owned)
}

#[test]
fn sections_that_pacman_reads_elsewhere_are_refused() {
    let pacman = Pacman::new();
    let plain = database(&[("desc", DESCRIPTION)]);
    assert_eq!(judge_database(&plain), Ok(()));
    assert_eq!(pacman.of_database(&plain), good());
    let spaced = EVIL.replace("\n%", "\n\n%");
    let in_desc = DESCRIPTION.replace("a tool\n", &format!("a tool\n{EVIL}"));
    let in_url = DESCRIPTION.replace(
        "example.org\n\n%ARCH%\nx86_64",
        &format!("example.org\n{EVIL}\n%ARCH%\nx86_64"),
    );
    let last = in_url.replacen("%ARCH%\nx86_64\n\n", "", 1) + "%ARCH%\nx86_64\n\n";
    for (number, files) in [
        vec![("desc", in_desc.as_str())],
        vec![("desc", DESCRIPTION), ("depends", &spaced)],
        vec![("desc", DESCRIPTION), ("files", &spaced)],
        vec![("desc", last.as_str())],
    ]
    .iter()
    .enumerate()
    {
        let bytes = database(files);
        assert_ne!(pacman.of_database(&bytes), good(), "case {number}");
        assert_eq!(
            judge_database(&bytes),
            Err(Code::DatabaseForm),
            "case {number}"
        );
    }
}

/// Lines of a description in any order, doubled and lost: where one is taken, pacman reads the same.
#[test]
fn descriptions_that_are_taken_pacman_reads_the_same() {
    let pacman = Pacman::new();
    let mut random = Random(0x5eed_0004);
    let mut taken = 0;
    for _ in 0..2000 {
        let mut sections: Vec<String> = DESCRIPTION
            .split_inclusive("\n\n")
            .map(str::to_owned)
            .collect();
        let mut depends = "%DEPENDS%\nbash\n\n".to_owned();
        for _ in 0..1 + random.below(3) {
            let (at, other) = (random.below(sections.len()), random.below(sections.len()));
            match random.below(6) {
                0 => sections.swap(at, other),
                1 => {
                    let moved = sections[other].replace("\n\n", "\n");
                    sections[at] = sections[at].replace("\n\n", &format!("\n{moved}\n"));
                }
                2 => {
                    let line =
                        random.pick(&["any", "x", "Evil", "%ARCH%", "%PACKAGER%", "%", "%%"]);
                    sections[at] = sections[at].replacen("%\n", &format!("%\n{line}\n"), 1);
                }
                3 => {
                    depends +=
                        random.pick(&["%ARCH%\nany\n\n", "%CONFLICTS%\nx\n\n", "%DESC%\nx\n"])
                }
                4 => sections[at] = sections[at].replace("\n\n", "\n"),
                _ => sections.push(
                    random
                        .pick(&["%LICENSE%\nMIT\nx\n\n", "%GROUPS%\nbase\n\n", "\n"])
                        .to_owned(),
                ),
            }
        }
        let text = sections.concat();
        let bytes = database(&[("desc", text.as_str()), ("depends", depends.as_str())]);
        if judge_database(&bytes).is_ok() {
            taken += 1;
            if taken % 8 == 0 {
                assert_eq!(pacman.of_database(&bytes), good(), "{text}{depends}");
            }
        }
    }
    assert!(taken > 100, "{taken}");
}

/// An image of a folder, with Rock Ridge and Joliet or without.
fn image(files: &[(&str, &str)], options: &[&str]) -> Vec<u8> {
    let place = tempfile::tempdir().unwrap();
    let (tree, file) = (place.path().join("tree"), place.path().join("file.iso"));
    fs::create_dir(&tree).unwrap();
    for (name, text) in files {
        let path = tree.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let status = Command::new("xorriso")
        .args(["-as", "mkisofs", "-quiet", "-V", "TRIAL"])
        .args(options)
        .arg("-o")
        .args([&file, &tree])
        .stderr(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
    fs::read(file).unwrap()
}

fn judge_image(bytes: &[u8]) -> Result<(), Code> {
    let found = look(ArtifactKind::Iso, &[], bytes);
    found.map(drop).map_err(|finding| finding.code)
}

const INFO: &str = "pkgname = evil\npkgver = 6-6\npkgdesc = x\nbuilddate = 1\npackager = Evil\n\
    size = 1\narch = any\n";

#[test]
fn an_image_that_pacman_takes_for_its_own_is_refused() {
    let pacman = Pacman::new();
    let description = DESCRIPTION.replace("foo", "linux").replace("1-1", "9-1");
    for options in [&["-R"][..], &["-J"], &["-R", "-J"]] {
        let package = image(&[(".PKGINFO", INFO), ("usr/bin/evil", "x")], options);
        assert_eq!(pacman.of_package(&package), "evil", "{options:?}");
        assert_eq!(
            judge_image(&package),
            Err(Code::ImagePackage),
            "{options:?}"
        );
        for name in ["linux-9-1/desc", "linux-9-1/below/desc"] {
            let database = image(&[(name, &description)], options);
            assert_eq!(pacman.of_database(&database)[0], "linux", "{options:?}");
            assert_eq!(
                judge_image(&database),
                Err(Code::ImagePackage),
                "{options:?}"
            );
        }
        let sound = image(&[("boot/loader", "x"), ("linux-9-1/README", "x")], options);
        assert_eq!(pacman.of_package(&sound), "");
        assert_eq!(judge_image(&sound), Ok(()));
    }
}

#[test]
fn a_system_area_that_pacman_takes_for_a_package_is_refused() {
    let pacman = Pacman::new();
    let sound = image(&[("boot/loader", "x")], &["-R"]);
    let tar = archive(&[
        Member::file(".PKGINFO", INFO.as_bytes()),
        Member::file("evil", b"x"),
    ]);
    let mut old = Member::file(".PKGINFO", INFO.as_bytes());
    old.header[257..265].fill(0);
    old.seal();
    let old = archive(&[old, Member::file("evil", b"x")]);
    let mut frame = Command::new("zstd")
        .args(["-q", "-c"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut frame.stdin.take().unwrap(), &tar).unwrap();
    let mut frame = frame.wait_with_output().unwrap().stdout;
    let rest = u32::try_from(sound.len() - frame.len() - 8).unwrap();
    frame.extend([&b"\x50\x2a\x4d\x18"[..], &rest.to_le_bytes()].concat());
    for begin in [&tar, &old, &frame, &gzip(&tar)] {
        let mut bytes = sound.clone();
        bytes[..begin.len()].copy_from_slice(begin);
        assert_eq!(pacman.of_package(&bytes), "evil");
        assert_eq!(judge_image(&bytes), Err(Code::ImageSystemArea));
    }
}

/// Folders that are damaged: what is taken libarchive takes for an image, and finds nothing there that
/// is pacman's.
#[test]
fn in_an_image_that_is_taken_libarchive_finds_nothing_of_pacmans() {
    let near = [
        (".PKGINFN", "x"),
        ("a-1-1/desb", "x"),
        ("a-1-1/b/filet", "x"),
        ("c/dependr", "x"),
    ];
    let sound = image(&near, &["-R", "-J", "-no-pad"]);
    let mut random = Random(0x5eed_0005);
    let (mut taken, mut found) = (0, 0);
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("file.iso");
    // Descriptors and folders, but not what is in files.
    let places: Vec<usize> = (16 * 2048..sound.len())
        .filter(|&at| sound[at] != 0)
        .collect();
    for round in 0..2000 {
        let mut bytes = sound.clone();
        for _ in 0..1 + random.below(2) {
            let at = places[random.below(places.len())];
            match random.below(3) {
                // The next letter, so that names become others.
                0 => bytes[at] = bytes[at].wrapping_add(1),
                1 => bytes[at] ^= 1 << random.below(8),
                _ => bytes[at] = random.pick(&["/", ";", ".", "\0", "\x01"]).as_bytes()[0],
            }
        }
        let judged = judge_image(&bytes);
        taken += usize::from(judged.is_ok());
        found += usize::from(judged == Err(Code::ImagePackage));
        if judged.is_err() || round % 4 != 0 {
            continue;
        }
        fs::write(&file, &bytes).unwrap();
        let output = Command::new("bsdtar")
            .arg("-tvf")
            .arg(&file)
            .output()
            .unwrap();
        let list = String::from_utf8_lossy(&output.stdout).into_owned();
        // It may stop where damage is none of ours, a file's place say; an image it is to it.
        let first = list.lines().next().unwrap_or("");
        assert!(first.starts_with('d') && first.ends_with(" ."), "{list}");
        for line in list.lines().filter(|line| !line.starts_with('d')) {
            let path = line.rsplit(' ').next().unwrap();
            let folder = path.split('/').next().unwrap();
            let name = path.rsplit('/').next().unwrap();
            let database = folder != path
                && folder.matches('-').count() >= 2
                && ["desc", "files", "depends"].contains(&name);
            assert!(path != ".PKGINFO" && !database, "{list}");
        }
    }
    assert!(taken > 200 && found > 1, "{taken} {found}");
}
