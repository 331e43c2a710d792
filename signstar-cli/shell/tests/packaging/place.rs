//! A root folder with files of `packaging/` in it, and programs that look at it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// The folder `packaging` of the tree.
pub(crate) fn packaging() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packaging")
}

/// The text of one of its files.
pub(crate) fn text(name: &str) -> String {
    fs::read_to_string(packaging().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// A root folder with the accounts of sysusers.d in it.
pub(crate) struct Place {
    folder: TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        let place = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        fs::create_dir(place.path("etc")).unwrap();
        place.put(
            "usr/lib/sysusers.d/signstar.conf",
            &text("sysusers.d/signstar.conf"),
        );
        run(place.program("systemd-sysusers").arg("signstar.conf"));
        place
    }

    /// Its place.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A path in it.
    pub(crate) fn path(&self, inside: &str) -> PathBuf {
        self.folder.path().join(inside)
    }

    /// Writes a file.
    pub(crate) fn put(&self, inside: &str, text: &str) {
        let path = self.path(inside);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// A program of systemd's that works in this root folder.
    pub(crate) fn program(&self, name: &str) -> Command {
        let mut command = Command::new(name);
        command.arg(format!("--root={}", self.folder.path().display()));
        command
    }

    /// The number of an account or a group, which are in the same field of both files.
    pub(crate) fn number(&self, file: &str, name: &str) -> u32 {
        let text = fs::read_to_string(self.path(file)).unwrap();
        let line = text
            .lines()
            .find(|line| line.split(':').next() == Some(name));
        let line = line.unwrap_or_else(|| panic!("{file}: no {name}"));
        line.split(':').nth(2).unwrap().parse().unwrap()
    }

    /// Runs a script in a mount namespace of its own, with this folder as `$1`.
    pub(crate) fn script(&self, script: &str) -> String {
        let mut command = Command::new("unshare");
        command.args([
            "--mount",
            "--propagation",
            "private",
            "--",
            "sh",
            "-eu",
            "-c",
        ]);
        run(command.arg(script).arg("sh").arg(self.folder.path()))
    }
}

/// Runs a program, which must succeed; what it writes to both streams.
#[track_caller]
pub(crate) fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| {
        panic!(
            "{:?} is needed for this test: {error}",
            command.get_program()
        )
    });
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(output.status.success(), "{command:?}: {said}");
    said
}
