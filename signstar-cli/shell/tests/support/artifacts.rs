//! What a distribution has signed: made by the programs that really make it, as an ordinary user.

use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

use super::world::CONTROL;
use super::World;

/// The build user's folder, inside.
const FOLDER: &str = "/home/control";

const RECIPE: &str = "\
pkgname=signstar-trial
pkgver=1
pkgrel=1
pkgdesc='A package of one file'
arch=(any)
url=https://example.org/
license=(MIT)
package() {
    mkdir -p \"$pkgdir/usr/share/signstar-trial\"
    echo hello > \"$pkgdir/usr/share/signstar-trial/greeting\"
}
";

/// A package from `makepkg`; its path outside.
pub(crate) fn package(world: &World) -> PathBuf {
    let owner = (CONTROL.id, CONTROL.group);
    world.write("/home/control/PKGBUILD", RECIPE, owner, 0o644);
    builder(world, "makepkg", &["--nodeps", "--force", "--noconfirm"]);
    world.path(&format!("{FOLDER}/signstar-trial-1-1-any.pkg.tar.zst"))
}

/// A database of packages that lie in the build user's folder, from `repo-add`; its path outside.
pub(crate) fn database(world: &World, package: &str) -> PathBuf {
    let name = "trial.db.tar.gz";
    builder(world, "repo-add", &["--nocolor", name, package]);
    world.path(&format!("{FOLDER}/{name}"))
}

/// An image with a file of the build user's folder, from `xorriso`; its path outside.
pub(crate) fn image(world: &World, file: &str) -> PathBuf {
    let name = "trial.iso";
    let options = ["-as", "mkisofs", "-quiet", "-V", "TRIAL", "-o", name, file];
    builder(world, "xorriso", &options);
    world.path(&format!("{FOLDER}/{name}"))
}

/// Runs `program` as the build user in the build user's folder.
fn builder(world: &World, program: &str, arguments: &[&str]) {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env_clear()
        .env("PATH", "/usr/bin:/bin:/usr/sbin:/sbin")
        .env("HOME", FOLDER)
        .env("LC_ALL", "C")
        .env("PACKAGER", "Trial <trial@example.org>")
        .env("PKGEXT", ".pkg.tar.zst")
        .current_dir(FOLDER)
        .gid(CONTROL.group)
        .uid(CONTROL.id);
    let outcome = world.run(&mut command);
    let said = String::from_utf8_lossy(&outcome.stdout);
    assert!(
        outcome.status.success(),
        "{program}: {said}{}",
        outcome.stderr
    );
}
