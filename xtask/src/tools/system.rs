//! Programs of the system, installed with its package manager where we may.

use crate::failure::{Failure, Result};
use crate::program::{Program, find};

/// A program that tests start, and the packages that bring it.
pub(crate) struct Needed {
    program: &'static str,
    debian: &'static str,
    arch: &'static str,
}

const fn needed(program: &'static str, debian: &'static str, arch: &'static str) -> Needed {
    Needed {
        program,
        debian,
        arch,
    }
}

/// Where Debian has it; Arch has it in the package of rsyslogd.
const TLS_OF_RSYSLOG: &str = "/usr/lib/x86_64-linux-gnu/rsyslog/lmnsd_gtls.so";

/// What `cargo xtask test` needs.
pub(crate) const TESTS: [Needed; 64] = [
    // The transport, and what a caller may try through it.
    needed("sshd", "openssh-server", "openssh"),
    needed("ssh", "openssh-client", "openssh"),
    needed("sftp", "openssh-client", "openssh"),
    needed("scp", "openssh-client", "openssh"),
    needed("rsync", "rsync", "rsync"),
    needed("git", "git", "git"),
    // Real artifacts: databases, packages, images.
    needed("pacman", "pacman-package-manager", "pacman"),
    needed("repo-add", "pacman-package-manager", "pacman"),
    needed("makepkg", "makepkg", "pacman"),
    needed("bsdtar", "libarchive-tools", "libarchive"),
    needed("fakeroot", "fakeroot", "fakeroot"),
    needed("zstd", "zstd", "zstd"),
    needed("xz", "xz-utils", "xz"),
    needed("xorriso", "xorriso", "libisoburn"),
    // Independent verifiers.
    needed("gpg", "gnupg", "gnupg"),
    needed("gpgv", "gpgv", "gnupg"),
    needed("sq", "sq", "sequoia-sq"),
    needed("sqop", "sqop", "sequoia-sop"),
    // Cards: pcscd, virtual readers, its library (with a program that is not needed), another
    // program that uses cards, and what a virtual card is built with.
    needed("pcscd", "pcscd", "pcsclite"),
    needed("vpcd-config", "vsmartcard-vpcd", "virtualsmartcard"),
    needed("pcsc-spy", "libpcsclite-dev", "pcsclite"),
    needed("pkg-config", "pkg-config", "pkgconf"),
    needed("opensc-tool", "opensc", "opensc"),
    needed("clang", "clang", "clang"),
    needed("ip", "iproute2", "iproute2"),
    // Shells that complete.
    needed("bash", "bash", "bash"),
    needed("fish", "fish", "fish"),
    needed("zsh", "zsh", "zsh"),
    // Trying the sandbox, and watching it.
    needed("strace", "strace", "strace"),
    needed("unshare", "util-linux", "util-linux"),
    needed("mount", "mount", "util-linux"),
    needed("openssl", "openssl", "openssl"),
    // What writes PKCS#12 files.
    needed("certtool", "gnutls-bin", "gnutls"),
    needed("pk12util", "libnss3-tools", "nss"),
    needed("perl", "perl", "perl"),
    needed("setpriv", "util-linux", "util-linux"),
    needed("strip", "binutils", "binutils"),
    // A TPM in software, and the library to reach any, which is too large to be locked in memory
    // without a capability.
    needed("setcap", "libcap2-bin", "libcap"),
    needed("swtpm", "swtpm", "swtpm"),
    needed("/usr/include/tss2/tss2_esys.h", "libtss2-dev", "tpm2-tss"),
    // PKCS#11: a token in software, what makes its keys, and what kryoptic and a module of the
    // tests' own are built with.
    needed("softhsm2-util", "softhsm2", "softhsm"),
    needed("pkcs11-tool", "opensc", "opensc"),
    needed("cc", "gcc", "gcc"),
    needed("make", "make", "make"),
    // What is packaged, read by the programs that it is for; polkitd has Duktape inside.
    needed("systemd-analyze", "systemd", "systemd"),
    needed("systemd-sysusers", "systemd", "systemd"),
    needed("systemd-tmpfiles", "systemd", "systemd"),
    needed("udevadm", "udev", "systemd"),
    needed("duk", "duktape", "duktape"),
    // Logs that records go to, and how one of them reaches another machine.
    needed("journalctl", "systemd", "systemd"),
    needed("/lib/systemd/systemd-journald", "systemd", "systemd"),
    needed("rsyslogd", "rsyslog", "rsyslog"),
    needed(TLS_OF_RSYSLOG, "rsyslog-gnutls", "rsyslog"),
    // What the vendor's tools for NetHSM are installed with.
    needed("virtualenv", "virtualenv", "python-virtualenv"),
    // A judge of what nethsm-cli says in JSON; the tests use the Python module.
    needed("jsonschema", "python3-jsonschema", "python-jsonschema"),
    needed("systemd-socket-activate", "systemd", "systemd"),
    needed("nft", "nftables", "nftables"),
    needed("apparmor_parser", "apparmor", "apparmor"),
    needed("usermod", "passwd", "shadow"),
    needed("pkill", "procps", "procps-ng"),
    // Packages are built and installed, and logs rotated.
    needed("dpkg-buildpackage", "dpkg-dev", "dpkg"),
    needed("dpkg", "dpkg", "dpkg"),
    needed("logrotate", "logrotate", "logrotate"),
    // Manual pages.
    needed("mandoc", "mandoc", "mandoc"),
];

/// What `cargo xtask bench` needs beside that.
pub(crate) const BENCH: [Needed; 2] = [
    needed("hyperfine", "hyperfine", "hyperfine"),
    needed("time", "time", "time"),
];

/// A package manager that is known here.
struct Manager {
    program: &'static str,
    refresh: &'static [&'static str],
    install: &'static [&'static str],
    package: fn(&Needed) -> &'static str,
}

const MANAGERS: [Manager; 2] = [
    Manager {
        program: "apt-get",
        refresh: &["--quiet", "update"],
        install: &[
            "--quiet",
            "install",
            "--yes",
            "--no-install-recommends",
            "-o",
            "DPkg::Lock::Timeout=120",
        ],
        package: |needed| needed.debian,
    },
    Manager {
        program: "pacman",
        refresh: &[],
        install: &["-S", "--needed", "--noconfirm"],
        package: |needed| needed.arch,
    },
];

/// Makes sure that every program of `list` is there.
pub(crate) fn ensure(list: &[Needed]) -> Result<()> {
    let missing: Vec<&Needed> = list
        .iter()
        .filter(|needed| find(needed.program).is_none())
        .collect();
    if missing.is_empty() {
        println!("all {} programs of the system are there", list.len());
        return Ok(());
    }
    let names: Vec<&str> = missing.iter().map(|needed| needed.program).collect();
    println!("missing: {}", names.join(", "));
    // Debian has a package of pacman too: apt-get comes first.
    let Some(manager) = MANAGERS
        .iter()
        .find(|manager| find(manager.program).is_some())
    else {
        return Err(Failure::new(format!(
            "install {} with your system's package manager",
            names.join(", ")
        )));
    };
    let mut packages: Vec<&str> = missing.into_iter().map(manager.package).collect();
    packages.sort_unstable();
    packages.dedup();
    if !may_install() {
        return Err(Failure::new(format!(
            "run: sudo {} {} {}",
            manager.program,
            manager.install.join(" "),
            packages.join(" ")
        )));
    }
    manager.run(&packages)
}

impl Manager {
    fn run(&self, packages: &[&str]) -> Result<()> {
        if !self.refresh.is_empty() {
            // Old lists may still do: what counts is whether the installation works.
            let refreshed = Program::new(self.program).args(self.refresh).run();
            if let Err(error) = refreshed {
                println!("{error}");
            }
        }
        Program::new(self.program)
            .args(self.install)
            .args(packages)
            .env("DEBIAN_FRONTEND", "noninteractive")
            .run()
    }
}

/// Only root may.
fn may_install() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}
