//! The programs that worlds are furnished with: those of the staged tree where SIGNSTAR_STAGE names one, else
//! those that were built last, which must not be older than their sources.

use std::fs;
use std::path::{Path, PathBuf};

/// The release builds of the login shell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Build {
    /// Static, with musl: the back ends without system libraries.
    Static,
    /// With glibc and the libraries of devices.
    Devices,
}

/// The inspector's place inside.
pub(crate) const INSPECTOR: &str = "/usr/lib/signstar/signstar-inspector";

/// A program: what it is called, and where it comes from.
struct Program<'a> {
    name: &'a str,
    /// Its folder in the staged tree.
    staged: &'a str,
    /// Its folder in the build folder.
    built: &'a str,
    /// Folders of its sources.
    sources: &'a [&'a str],
    /// How it is built.
    build: &'a str,
}

impl Program<'_> {
    fn find(&self) -> Option<PathBuf> {
        if let Some(stage) = std::env::var_os("SIGNSTAR_STAGE") {
            let staged = PathBuf::from(stage).join(self.staged).join(self.name);
            return staged.is_file().then_some(staged);
        }
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("..");
        let built = target.join(self.built).join(self.name);
        if !built.is_file() {
            return None;
        }
        assert_newer(&built, self.name, self.sources);
        Some(built)
    }

    fn found(&self) -> PathBuf {
        self.find().unwrap_or_else(|| {
            let Self { name, build, .. } = self;
            panic!("there is no {name}: run `{build}`, or `cargo xtask test --part stage`")
        })
    }
}

/// The release binary.
pub(crate) fn release(build: Build) -> PathBuf {
    let (staged, built, build) = match build {
        Build::Static => (
            "usr/bin",
            "x86_64-unknown-linux-musl/release",
            "cargo build --release --target x86_64-unknown-linux-musl -p signstar \
             --no-default-features --features software,pkcs11,nethsm",
        ),
        Build::Devices => (
            "devices/usr/bin",
            "x86_64-unknown-linux-gnu/release",
            "cargo build --release --target x86_64-unknown-linux-gnu -p signstar \
             --no-default-features --features smartcard,software,tpm",
        ),
    };
    let shell = Program {
        name: "signstar",
        staged,
        built,
        sources: &SHELL,
        build,
    };
    shell.found()
}

/// The worker. Only tests of PKCS#11 need it.
pub(crate) fn worker() -> Option<PathBuf> {
    let worker = Program {
        name: "signstar-pkcs11-worker",
        staged: "usr/lib/signstar",
        built: "debug",
        sources: &WORKER,
        build: "cargo build -p signstar-pkcs11-worker",
    };
    worker.find()
}

/// The program that makes keys on tokens.
pub(crate) fn provisioner() -> PathBuf {
    let provisioner = Program {
        name: "signstar-pkcs11-provisioner",
        staged: "usr/lib/signstar",
        built: "debug",
        sources: &["signstar-cli/pkcs11-provisioner/src"],
        build: "cargo build -p signstar-pkcs11-provisioner",
    };
    provisioner.found()
}

/// The inspector. Only tests of inspected keys need it.
pub(crate) fn inspector() -> Option<PathBuf> {
    let inspector = Program {
        name: "signstar-inspector",
        staged: "usr/lib/signstar",
        built: "x86_64-unknown-linux-musl/release",
        sources: &INSPECTOR_SOURCES,
        build: "cargo build --release --target x86_64-unknown-linux-musl -p signstar-inspector",
    };
    inspector.find()
}

/// The operators' tool. Only tests that look at what it says of a machine need it.
pub(crate) fn admin(build: Build) -> PathBuf {
    let admin = Program {
        name: "signstar-admin",
        staged: match build {
            Build::Static => "usr/bin",
            Build::Devices => "devices/usr/bin",
        },
        built: "debug",
        sources: &["signstar-core/src", "signstar-cli/admin/src"],
        build: "cargo build -p signstar-admin --features smartcard,tpm",
    };
    admin.found()
}

/// The tool for NetHSMs, likewise.
pub(crate) fn nethsm_cli() -> PathBuf {
    let tool = Program {
        name: "nethsm-cli",
        staged: "usr/bin",
        built: "debug",
        sources: &["signstar-core/src", "nethsm-cli/src"],
        build: "cargo build -p nethsm-cli",
    };
    tool.found()
}

/// Sources of the login shell, of the worker, and of the inspector.
const SHELL: [&str; 8] = [
    "signstar-core/src",
    "signstar-backends/nethsm/src",
    "signstar-backends/pkcs11/src",
    "signstar-backends/smartcard/src",
    "signstar-backends/software/src",
    "signstar-backends/tpm/src",
    "signstar-cli/confine/src",
    "signstar-cli/shell/src",
];
const INSPECTOR_SOURCES: [&str; 3] = [
    "signstar-core/src",
    "signstar-cli/confine/src",
    "signstar-cli/inspector/src",
];
const WORKER: [&str; 4] = [
    "signstar-core/src",
    "signstar-backends/pkcs11/src",
    "signstar-cli/confine/src",
    "signstar-cli/pkcs11-worker/src",
];

fn assert_newer(built: &Path, what: &str, folders: &[&str]) {
    let age = |path: &Path| fs::metadata(path).and_then(|file| file.modified()).ok();
    let newer = sources(folders)
        .into_iter()
        .find(|source| age(source) > age(built));
    assert_eq!(
        newer, None,
        "the {what} is older than this source: build it again"
    );
}

/// The sources in `folders` of the tree.
fn sources(folders: &[&str]) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut folders: Vec<PathBuf> = folders.iter().map(|folder| root.join(folder)).collect();
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder of sources") {
            let path = entry.expect("an entry").path();
            match path.is_dir() {
                true => folders.push(path),
                false => files.push(path),
            }
        }
    }
    // Tests are not part of the binary.
    let of_tests = |path: &PathBuf| {
        let inside = |folder: &std::ffi::OsStr| folder == "tests" || folder == "tests.rs";
        path.strip_prefix(&root).unwrap_or(path).iter().any(inside)
    };
    files.retain(|path| !of_tests(path));
    files
}
