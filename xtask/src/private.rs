//! A private mount namespace: a release tree lies over this system for one process and its
//! children, and nobody else sees it.
//!
//! The login shell reads fixed paths and has no switch to change them. So what tries it out
//! starts itself again inside such a namespace and lays `ROOT/etc` over `/etc` and `ROOT/usr`
//! over `/usr`, and an empty folder over `/run`.

use std::path::Path;
use std::process::Command;

use crate::failure::{Because, Failure, Result};
use crate::program::{Program, find, own};

/// Fails at once, with what to do, where such a namespace cannot be had.
pub(crate) fn possible() -> Result<()> {
    if find("unshare").is_none() || find("mount").is_none() {
        return Err(Failure::new(
            "install util-linux: `unshare` and `mount` are needed",
        ));
    }
    if Program::new("unshare")
        .args(options())
        .args(["--", "true"])
        .succeeds()
    {
        return Ok(());
    }
    Err(Failure::new(if is_root() {
        "the kernel allows no private mount namespace here: give the container CAP_SYS_ADMIN"
    } else {
        "the kernel allows no user namespace here: run this as root, or allow them (sysctl \
         kernel.unprivileged_userns_clone=1 or kernel.apparmor_restrict_unprivileged_userns=0)"
    }))
}

fn options() -> &'static [&'static str] {
    if is_root() {
        &["--mount", "--propagation", "private"]
    } else {
        &[
            "--user",
            "--map-root-user",
            "--mount",
            "--propagation",
            "private",
        ]
    }
}

/// Starts this program again inside, with the same arguments and `--within ROOT`.
pub(crate) fn again(root: &Path) -> Result<()> {
    let status = Command::new("unshare")
        .args(options())
        .arg("--")
        .arg(own()?)
        .args(std::env::args_os().skip(1))
        .arg("--within")
        .arg(root)
        .status()
        .because("cannot start `unshare`")?;
    // What went wrong inside has been said there.
    if status.success() {
        Ok(())
    } else {
        Err(Failure::new("see the line above"))
    }
}

/// Inside: lays `root` over this system. Only the enclave's own configuration stays writable, for
/// the operator that the trial plays.
pub(crate) fn lay_over(root: &Path) -> Result<()> {
    for folder in ["etc", "usr"] {
        let lower = format!("lowerdir={}:/{folder}", root.join(folder).display());
        mount(&[
            "-t",
            "overlay",
            "-o",
            &lower,
            "overlay",
            &format!("/{folder}"),
        ])?;
    }
    let configuration = root.join("etc/signstar");
    mount(&["--bind", &configuration.to_string_lossy(), "/etc/signstar"])?;
    mount(&["-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run"])
}

fn mount(arguments: &[&str]) -> Result<()> {
    Program::new("mount").args(arguments).output().map(|_| ())
}

/// Whether this process is root, in this or in its own user namespace.
pub(crate) fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}
