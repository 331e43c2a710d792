//! Something to sign: a pacman database with one small package in it.

use std::path::{Path, PathBuf};

use crate::failure::{Because, Result};
use crate::program::{Program, find};

/// Folder and file of the package's entry in the database.
const ENTRY: &str = "demo-1.0-1";

/// What the package says of itself.
const PKGINFO: &str = "pkgname = demo\npkgbase = demo\nxdata = pkgtype=pkg\npkgver = 1.0-1\n\
                       pkgdesc = Nothing, to try out a signature\nurl = https://example.org\n\
                       builddate = 1700000000\npackager = Nobody\nsize = 6\narch = any\n";

/// What repo-add would write of it.
const DESC: &str = "%FILENAME%\ndemo-1.0-1-any.pkg.tar.gz\n\n%NAME%\ndemo\n\n\
                    %VERSION%\n1.0-1\n\n%ARCH%\nany\n";

/// Makes a database in `folder`: with repo-add where it is installed.
pub(crate) fn database(folder: &Path) -> Result<PathBuf> {
    let database = folder.join("demo.db.tar.gz");
    let work = tempfile::tempdir_in(folder).because("cannot make a temporary folder")?;
    if find("repo-add").is_some() && find("bsdtar").is_some() {
        write(&work.path().join(".PKGINFO"), PKGINFO)?;
        write(&work.path().join("demo"), "hello\n")?;
        let package = folder.join("demo-1.0-1-any.pkg.tar.gz");
        tar(&package, work.path(), &[".PKGINFO", "demo"])?;
        Program::new("repo-add")
            .arg("--quiet")
            .arg(&database)
            .arg(&package)
            .output()?;
    } else {
        let entry = work.path().join(ENTRY);
        std::fs::create_dir(&entry).because("cannot make the database")?;
        write(&entry.join("desc"), DESC)?;
        tar(&database, work.path(), &[ENTRY])?;
    }
    Ok(database)
}

fn tar(archive: &Path, folder: &Path, names: &[&str]) -> Result<()> {
    Program::new("tar")
        .args(["--create", "--gzip", "--owner=0", "--group=0", "--file"])
        .arg(archive)
        .arg("--directory")
        .arg(folder)
        .args(names)
        .output()
        .map(|_| ())
}

fn write(path: &Path, text: &str) -> Result<()> {
    std::fs::write(path, text).because(format_args!("cannot write {}", path.display()))
}
