//! `cargo xtask stage DIR`: a release tree, laid out as it is installed.

mod packaging;

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::failure::{Because, Result};
use crate::pages;
use crate::program::{Program, find};
use crate::release;
use crate::workspace::Workspace;

/// Build the release and lay it out as it is installed
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Where to; what is there already is replaced file by file
    folder: PathBuf,
    /// Build login shell and operators' tool for cards and TPMs, too, into the folder `devices` there
    #[arg(long)]
    devices: bool,
}

/// Folders that are there even when nothing is in them.
const FOLDERS: [&str; 3] = ["usr/bin", HELPERS, "etc/signstar"];

/// Where the operators' tool is installed.
const ADMIN: &str = "usr/bin/signstar-admin";

/// Where the tool for NetHSMs is installed.
const NETHSM: &str = "usr/bin/nethsm-cli";

/// Where helpers are installed.
const HELPERS: &str = "usr/lib/signstar";

/// A tree of its own below, for machines that have things signed.
const CLIENT: &str = "client";

/// Does what the command line says.
pub(crate) fn run(options: &Options) -> Result<()> {
    let folder = std::path::absolute(&options.folder)
        .because(format_args!("cannot find {}", options.folder.display()))?;
    everything(&folder)?;
    if options.devices {
        let devices = folder.join("devices");
        shell_for_devices(&devices)?;
        put(&release::admin_for_devices()?, &devices.join(ADMIN), 0o755)?;
    }
    println!("staged in {}", folder.display());
    Ok(())
}

/// Where the tests look for the staged release.
pub(crate) fn for_tests() -> Result<PathBuf> {
    Ok(Workspace::get()?.target_directory.join("stage"))
}

/// Programs, manual pages, completions, licences, and what a machine needs beside them.
pub(crate) fn everything(root: &Path) -> Result<()> {
    shell(root)?;
    let worker = root.join(HELPERS).join(release::WORKER);
    put(&release::worker()?, &worker, 0o755)?;
    let provisioner = root.join(HELPERS).join(release::PROVISIONER);
    put(&release::provisioner()?, &provisioner, 0o755)?;
    put(&release::admin()?, &root.join(ADMIN), 0o755)?;
    put(&release::nethsm_cli()?, &root.join(NETHSM), 0o755)?;
    packaging::for_clients(&root.join(CLIENT))?;
    documents(root, None)
}

/// The same with the operators' tools and what loads PKCS#11 modules of a debug build, which spares four
/// release builds.
pub(crate) fn with_debug_programs(root: &Path, debug: &Path) -> Result<()> {
    shell(root)?;
    for name in [release::WORKER, release::PROVISIONER] {
        put(&debug.join(name), &root.join(HELPERS).join(name), 0o755)?;
    }
    put(&debug.join("signstar-admin"), &root.join(ADMIN), 0o755)?;
    put(&debug.join("nethsm-cli"), &root.join(NETHSM), 0o755)?;
    packaging::for_clients(&root.join(CLIENT))?;
    documents(root, Some(debug))
}

/// What is installed beside the programs.
pub(crate) fn beside_programs(root: &Path) -> Result<()> {
    documents(root, None)
}

fn documents(root: &Path, built: Option<&Path>) -> Result<()> {
    pages::manuals(&root.join("usr/share/man/man1"), None, built)?;
    pages::completions_installed(&root.join("usr/share"), built)?;
    packaging::lay_out(root)
}

/// Only the login shell and what looks at its artifacts, as `bench` needs them.
pub(crate) fn shell(root: &Path) -> Result<()> {
    for folder in FOLDERS {
        make_folder(&root.join(folder))?;
    }
    let inspector = root.join(HELPERS).join(release::INSPECTOR);
    put_stripped(&release::inspector()?, &inspector)?;
    put_stripped(&release::shell()?, &root.join("usr/bin/signstar"))
}

/// Only the login shell for devices with C libraries.
pub(crate) fn shell_for_devices(root: &Path) -> Result<()> {
    make_folder(&root.join("usr/bin"))?;
    put_stripped(
        &release::shell_for_devices()?,
        &root.join("usr/bin/signstar"),
    )
}

/// That, and the operators' tool of a debug build, which knows the same devices.
pub(crate) fn programs_for_devices(root: &Path, debug: &Path) -> Result<()> {
    shell_for_devices(root)?;
    put(&debug.join("signstar-admin"), &root.join(ADMIN), 0o755)
}

/// Copies a file to its place in one step, so that nobody ever starts half of it.
pub(crate) fn put(from: &Path, to: &Path, mode: u32) -> Result<()> {
    make_folder(to.parent().unwrap_or(to))?;
    let new = beside(to);
    std::fs::copy(from, &new).because(format_args!("cannot write {}", new.display()))?;
    settle(&new, to, mode)
}

/// As [`put`], without the symbol table.
fn put_stripped(from: &Path, to: &Path) -> Result<()> {
    if find("strip").is_none() {
        println!("no `strip` here: {} keeps its symbol table", to.display());
        return put(from, to, 0o755);
    }
    let new = beside(to);
    Program::new("strip")
        .arg("--strip-all")
        .arg("-o")
        .arg(&new)
        .arg(from)
        .run()?;
    settle(&new, to, 0o755)
}

fn settle(new: &Path, to: &Path, mode: u32) -> Result<()> {
    let attempt = || format!("cannot put {} in place", to.display());
    std::fs::set_permissions(new, Permissions::from_mode(mode)).because(attempt())?;
    std::fs::rename(new, to).because(attempt())
}

/// A name that only this process uses.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".new-{}", std::process::id()));
    path.with_file_name(name)
}

/// A folder that everybody may read and only its owner may change, whatever the umask.
pub(crate) fn make_folder(path: &Path) -> Result<()> {
    let attempt = || format!("cannot make {}", path.display());
    if path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        make_folder(parent)?;
    }
    std::fs::create_dir(path).because(attempt())?;
    std::fs::set_permissions(path, Permissions::from_mode(0o755)).because(attempt())
}
