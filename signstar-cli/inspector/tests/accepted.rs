//! What the programs that make packages, databases and images really make is taken.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a test fails by a panic"
)]

use std::fs::{self, File};
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::Command;

use signstar_inspector::{ArtifactKind, Finding, Identity, Order, Verdict, inspect};
use tempfile::TempDir;

/// makepkg refuses to run as root: this is nobody.
const BUILDER: u32 = 65_534;

/// A build folder, and who may write it.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        if nix::unistd::geteuid().is_root() {
            chown(place.0.path(), Some(BUILDER), Some(BUILDER)).unwrap();
        }
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Runs a shell script in the folder, as somebody who is not root.
    fn run(&self, script: &str, variables: &[(&str, &str)]) {
        let mut command = match nix::unistd::geteuid().is_root() {
            true => {
                let mut command = Command::new("setpriv");
                let id = BUILDER.to_string();
                command.args(["--reuid", &id, "--regid", &id, "--clear-groups", "bash"]);
                command
            }
            false => Command::new("bash"),
        };
        command
            .args(["-euc", script])
            .env_clear()
            .env("PATH", "/usr/bin:/bin:/usr/sbin:/sbin")
            .env("HOME", self.0.path())
            .env("LC_ALL", "C.UTF-8")
            .env("PACKAGER", "Trial <trial@example.org>")
            .envs(variables.iter().copied())
            .current_dir(self.0.path());
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        let complained = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{script}\n{said}{complained}");
    }

    fn files(&self, suffix: &str) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.0.path()).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        let mut files: Vec<PathBuf> = paths
            .filter(|path| path.to_string_lossy().ends_with(suffix))
            .collect();
        files.sort();
        files
    }
}

fn look(kind: ArtifactKind, path: &Path) -> Result<Identity, Finding> {
    let order = Order {
        kind,
        ..Order::default()
    };
    match inspect(&order, File::open(path).unwrap()) {
        Verdict::Accepted(identity) => Ok(identity),
        Verdict::Refused { finding, .. } => Err(finding),
    }
}

/// What the packages of one recipe contain, by their number.
const CONTENTS: [&str; 24] = [
    ":",
    "mkdir -p usr/share/empty/folder/below",
    "mkdir usr; : > usr/nothing",
    "mkdir usr; echo hello > usr/greeting",
    "mkdir usr; head -c 1 /dev/zero > usr/one; head -c 511 /dev/zero > usr/511; head -c 512 /dev/zero > usr/512; head -c 513 /dev/zero > usr/513",
    "mkdir usr; head -c 3000000 /dev/urandom > usr/random",
    "mkdir -p usr/bin; echo '#!/bin/sh' > usr/bin/program; chmod 755 usr/bin/program",
    "mkdir -p usr/bin; echo x > usr/bin/su; chmod 4755 usr/bin/su; echo x > usr/bin/wall; chmod 2755 usr/bin/wall",
    "mkdir -p var/spool; chmod 1777 var/spool; mkdir -p var/secret; chmod 700 var/secret",
    "mkdir usr; echo x > usr/a; ln -s a usr/relative; ln -s /usr/a usr/absolute; ln -s nothing usr/dangling; ln -s ../usr usr/folder",
    "mkdir usr; echo content > usr/first; ln usr/first usr/second; ln usr/first usr/third",
    "mkdir -p usr/lib; echo x > usr/lib/a; ln usr/lib/a usr/b; ln -s lib/a usr/c",
    "mkdir usr; echo x > \"usr/with space\"; echo x > 'usr/#hash'; echo x > 'usr/equals=sign'; echo x > 'usr/back\\slash'; echo x > \"usr/quo'te\\\"s\"; echo x > 'usr/star*?[x]'",
    "mkdir usr; echo x > usr/$(printf 'n%.0s' {1..99}); echo x > usr/$(printf 'm%.0s' {1..100}); echo x > usr/$(printf 'o%.0s' {1..255})",
    "mkdir usr; echo x > usr/öäü-日本語-🔑; mkdir usr/папка; echo x > usr/папка/файл; ln -s папка/файл usr/лінк",
    "p=usr; for i in {1..30}; do p=$p/folder-number-$i; done; mkdir -p $p; echo x > $p/deep; ln -s deep $p/link",
    "p=usr/$(printf 'a%.0s' {1..80})/$(printf 'b%.0s' {1..80}); mkdir -p $p; echo x > $p/$(printf 'c%.0s' {1..90}); echo x > $p/$(printf 'd%.0s' {1..120})",
    "mkdir -p usr/$(printf 'é%.0s' {1..100}); ln -s $(printf 't%.0s' {1..150}) usr/long-target; ln -s ü usr/unicode-target",
    "mkdir usr; for i in {1..2000}; do : > usr/file-$i; done",
    "mkdir -p etc; echo key=value > etc/trial.conf; chmod 600 etc/trial.conf",
    "mkdir usr; echo old > usr/old; touch -d 1990-01-01 usr/old; echo new > usr/new; touch -d 2037-01-01 usr/new",
    "mkdir usr; echo x > usr/...; echo x > usr/-dash; echo x > usr/~; mkdir usr/.hidden; echo x > usr/.hidden/file",
    "mkdir usr; head -c 700000 /dev/zero > usr/zeros; yes text | head -c 700000 > usr/text",
    "mkdir usr; echo a > usr/A; echo b > usr/a; echo c > 'usr/a b  c'; echo d > usr/%41; echo e > 'usr/\\101'",
];

/// A recipe of split packages, one for each of [`CONTENTS`].
fn recipe(number: usize, architecture: &str) -> String {
    let names: Vec<String> = (0..CONTENTS.len())
        .map(|index| format!("trial{number}-{index}"))
        .collect();
    let epoch = ["", "epoch=1", "epoch=20240101"][number % 3];
    let mut recipe = format!(
        "pkgbase=trial{number}\npkgname=({})\npkgver=1.{number}.r2+g3~rc_4\npkgrel=1{}\n{epoch}\n\
         pkgdesc='A trial: ünïcode, quotes \"and\" = signs'\nurl=https://example.org/?a=b\n\
         arch=({architecture})\nlicense=(MIT 'custom:Other Words')\noptions=(!strip !debug)\n",
        names.join(" "),
        [".2", ""][number % 2],
    );
    for (index, (name, content)) in names.iter().zip(CONTENTS).enumerate() {
        let extra = match index % 4 {
            0 => "depends=('glibc>=2' bash); optdepends=('vim: to edit: things'); groups=(base)",
            1 => "install=trial.install; backup=(etc/trial.conf)",
            2 => "provides=(other=1); conflicts=(other); replaces=(other)",
            _ => "changelog=ChangeLog; pkgdesc=",
        };
        recipe += &format!("package_{name}() {{\n{extra}\ncd \"$pkgdir\"\n{content}\n}}\n");
    }
    recipe
}

/// Architectures of recipes, which also take turns in how they are compressed.
const ARCHITECTURES: [&str; 9] = [
    "any",
    "x86_64",
    "aarch64",
    "riscv64",
    "i686",
    "armv7h",
    "loong64",
    "powerpc64le",
    "pentium4",
];

const EXTENSIONS: [&str; 3] = [".pkg.tar.zst", ".pkg.tar.gz", ".pkg.tar.xz"];

/// Makes the packages of one recipe, looks at each, and tells how many there were.
fn make_and_look(number: usize, architecture: &str) -> usize {
    let extension = EXTENSIONS[number % 3];
    let place = Place::new();
    fs::write(place.path("PKGBUILD"), recipe(number, architecture)).unwrap();
    fs::write(place.path("ChangeLog"), "a change\n").unwrap();
    fs::write(place.path("trial.install"), "post_install() { :; }\n").unwrap();
    place.run(
        "makepkg --nodeps --force --noconfirm",
        &[("PKGEXT", extension), ("CARCH", architecture)],
    );
    let packages = place.files(extension);
    assert_eq!(packages.len(), CONTENTS.len());
    for package in &packages {
        let identity = look(ArtifactKind::PacmanPackage, package)
            .unwrap_or_else(|found| panic!("{}: {found}", package.display()));
        let name = package.file_name().unwrap().to_string_lossy().into_owned();
        let (own, version) = (identity.name, identity.version);
        let architecture = identity.architecture;
        assert_eq!(name, format!("{own}-{version}-{architecture}{extension}"));
    }
    // And the databases of all of them, in each compression.
    if number < 3 {
        let database = format!("trial.db.tar{}", [".zst", ".gz", ".xz"][number]);
        let script = format!("repo-add --quiet --nocolor {database} *{extension}");
        place.run(&script, &[]);
        for file in [&database, &database.replace(".db.", ".files.")] {
            let identity = look(ArtifactKind::PacmanDatabase, &place.path(file))
                .unwrap_or_else(|found| panic!("{file}: {found}"));
            assert_eq!(identity.entries, CONTENTS.len() as u64);
        }
    }
    packages.len()
}

#[test]
fn what_makepkg_makes_is_taken() {
    let taken: usize = std::thread::scope(|scope| {
        let halves = [0, 1].map(|half| {
            let recipes = ARCHITECTURES.iter().enumerate().skip(half).step_by(2);
            scope.spawn(move || {
                recipes
                    .map(|(number, name)| make_and_look(number, name))
                    .sum::<usize>()
            })
        });
        halves.into_iter().map(|half| half.join().unwrap()).sum()
    });
    assert!(taken >= 200, "{taken}");
}

#[test]
fn a_package_with_debug_symbols_and_its_debug_package_are_taken() {
    let place = Place::new();
    let recipe = "pkgname=trial\npkgver=1\npkgrel=1\npkgdesc=x\narch=(x86_64)\n\
        options=(debug strip)\nbuild() {\nprintf 'int main(void) { return 0; }' > a.c\n\
        cc $CFLAGS -g a.c -o trial\n}\npackage() {\ninstall -D trial \"$pkgdir/usr/bin/trial\"\n}\n";
    fs::write(place.path("PKGBUILD"), recipe).unwrap();
    place.run(
        "makepkg --nodeps --noconfirm",
        &[("PKGEXT", ".pkg.tar.zst"), ("CARCH", "x86_64")],
    );
    let packages = place.files(".pkg.tar.zst");
    assert_eq!(packages.len(), 2, "{packages:?}");
    for package in packages {
        look(ArtifactKind::PacmanPackage, &package).unwrap();
    }
}

#[test]
fn a_package_of_over_a_gibibyte_is_taken() {
    let place = Place::new();
    let recipe = "pkgname=large\npkgver=1\npkgrel=1\npkgdesc=x\narch=(any)\npackage() {\n\
        mkdir \"$pkgdir/usr\"\nhead -c 65536 /dev/urandom > part\ncp part whole\n\
        for i in {1..14}; do cat whole whole > twice; mv twice whole; done\n\
        cat whole part > \"$pkgdir/usr/large\"\n}\n";
    fs::write(place.path("PKGBUILD"), recipe).unwrap();
    place.run(
        "makepkg --nodeps --noconfirm",
        &[("PKGEXT", ".pkg.tar.zst"), ("COMPRESSZST", "zstd -1")],
    );
    let package = place.files(".pkg.tar.zst").pop().unwrap();
    let identity = look(ArtifactKind::PacmanPackage, &package).unwrap();
    assert!(identity.unpacked_bytes > 1 << 30);
}

#[test]
fn databases_of_none_to_ten_thousand_packages_are_taken() {
    let place = Place::new();
    place.run("repo-add --quiet --nocolor none.db.tar.gz", &[]);
    let identity = look(ArtifactKind::PacmanDatabase, &place.path("none.db.tar.gz")).unwrap();
    assert_eq!(identity.entries, 0);
    // repo-add takes minutes for so many; what it leaves is folders that bsdtar packs, as here.
    for number in 0..10_000 {
        let folder = place.path(&format!("tree/package{number}-1-1"));
        fs::create_dir_all(&folder).unwrap();
        let sum = "0".repeat(64);
        let text = format!(
            "%FILENAME%\npackage{number}-1-1-any.pkg.tar.zst\n\n%NAME%\npackage{number}\n\n\
             %BASE%\npackage\n\n%VERSION%\n1-1\n\n%DESC%\nx\n\n%CSIZE%\n1\n\n%ISIZE%\n1\n\n\
             %SHA256SUM%\n{sum}\n\n%ARCH%\nany\n\n%BUILDDATE%\n1\n\n%PACKAGER%\nTrial\n\n"
        );
        fs::write(folder.join("desc"), text).unwrap();
    }
    for count in [1, 2, 100, 999, 10_000] {
        let name = format!("{count}.db.tar.gz");
        let script = format!("cd tree; all=(*); bsdtar -czf ../{name} \"${{all[@]:0:{count}}}\"");
        place.run(&script, &[]);
        let identity = look(ArtifactKind::PacmanDatabase, &place.path(&name)).unwrap();
        assert_eq!(identity.entries, count);
    }
}

#[test]
fn images_of_every_shape_are_taken() {
    let place = Place::new();
    place.run(
        "mkdir -p tree/boot; head -c 100000 /dev/urandom > tree/a-file-with-a-long-name; \
         head -c 2048 /dev/zero > tree/boot/loader; head -c 1474560 /dev/zero > efi.img; \
         head -c 432 /dev/zero > mbr; ln -s a-file-with-a-long-name tree/link",
        &[],
    );
    let loader = "-b boot/loader -no-emul-boot -boot-load-size 4";
    let hybrid = "-append_partition 2 0xef efi.img";
    let shapes = [
        String::new(),
        "-R".to_owned(),
        "-J".to_owned(),
        "-R -J -joliet-long".to_owned(),
        loader.to_owned(),
        format!("-R -J {loader} -c boot/catalogue"),
        format!("-R {loader} -isohybrid-mbr mbr"),
        format!("-R {loader} {hybrid}"),
        format!("-R {loader} {hybrid} -appended_part_as_gpt"),
        format!(
            "-R {loader} {hybrid} -eltorito-alt-boot -e --interval:appended_partition_2:all:: -no-emul-boot"
        ),
        "-R -iso-level 3".to_owned(),
        "-R -no-pad".to_owned(),
    ];
    for (number, shape) in shapes.iter().enumerate() {
        let name = format!("image{number}.iso");
        let script = format!("xorriso -as mkisofs -quiet -V TRIAL_1 -o {name} {shape} tree");
        place.run(&script, &[]);
        let identity = look(ArtifactKind::Iso, &place.path(&name))
            .unwrap_or_else(|found| panic!("{shape}: {found}"));
        assert_eq!(identity.name, "TRIAL_1");
    }
}
