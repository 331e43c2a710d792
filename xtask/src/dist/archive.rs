//! Archives and checksums, and copies of the tree.

use std::path::Path;

use super::epoch;
use crate::failure::{Because, Result};
use crate::program::Program;
use crate::stage::make_folder;

/// What is not part of the sources: what tools leave behind.
const LEFT_BEHIND: [&str; 3] = ["target", ".git", "corpus"];

/// Packs the folder `name` in `folder`: sorted, of one time, root's. Returns the file's name.
pub(super) fn pack(folder: &Path, name: &str) -> Result<String> {
    let file = format!("{name}.tar.xz");
    Program::new("tar")
        .folder(folder)
        .args(["--create", "--sort=name", "--format=gnu", "--numeric-owner"])
        .args(["--owner=0", "--group=0"])
        .arg(format!("--mtime=@{}", epoch()?))
        .args(["--xz", "--file", &file, name])
        // The number of threads decides about the bytes.
        .env("XZ_OPT", "-T1")
        .run()?;
    Ok(file)
}

/// Writes `SHA256SUMS` over the files `names`, as `sha256sum --check` reads it.
pub(super) fn checksums(folder: &Path, names: &[String]) -> Result<()> {
    let mut names = names.to_vec();
    names.sort();
    let sums = Program::new("sha256sum")
        .folder(folder)
        .args(&names)
        .output()?;
    let file = folder.join("SHA256SUMS");
    std::fs::write(&file, sums).because(format_args!("cannot write {}", file.display()))
}

/// Copies the sources of a tree.
pub(super) fn copy_tree(from: &Path, to: &Path) -> Result<()> {
    make_folder(to)?;
    let attempt = || format!("cannot copy {}", from.display());
    for entry in std::fs::read_dir(from).because(attempt())? {
        let entry = entry.because(attempt())?;
        let kind = entry.file_type().because(attempt())?;
        let place = to.join(entry.file_name());
        if LEFT_BEHIND.iter().any(|name| entry.file_name() == *name) {
            continue;
        }
        if kind.is_dir() {
            copy_tree(&entry.path(), &place)?;
        } else if kind.is_file() {
            std::fs::copy(entry.path(), &place).because(attempt())?;
        }
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by a panic")]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;
    use std::process::Command;

    use super::{checksums, pack};

    /// The same files, made in another order, by another umask's owner, at another time.
    fn make(folder: &Path, names: [&str; 2], time: &str) {
        let root = folder.join("a/usr");
        fs::create_dir_all(&root).unwrap();
        for name in names {
            let file = root.join(name);
            fs::write(&file, name).unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
            let touched = Command::new("touch").args(["-d", time]).arg(&file).status();
            assert!(touched.unwrap().success());
        }
        pack(folder, "a").unwrap();
    }

    #[test]
    fn the_same_files_give_the_same_archive() {
        let [first, second] = [(); 2].map(|()| tempfile::tempdir().unwrap());
        make(first.path(), ["x", "y"], "2020-01-01");
        make(second.path(), ["y", "x"], "2021-01-01");
        let [first_bytes, second_bytes] =
            [&first, &second].map(|folder| fs::read(folder.path().join("a.tar.xz")).unwrap());
        assert_eq!(first_bytes, second_bytes);
        checksums(first.path(), &["a.tar.xz".to_owned()]).unwrap();
        let check = |folder: &Path| {
            let mut check = Command::new("sha256sum");
            check
                .args(["--check", "--status", "SHA256SUMS"])
                .current_dir(folder);
            check.status().unwrap().success()
        };
        assert!(check(first.path()));
        fs::write(first.path().join("a.tar.xz"), "another").unwrap();
        assert!(!check(first.path()));
    }
}
