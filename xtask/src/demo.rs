//! `cargo xtask demo [FILE]`: the main job, on a machine with nothing but Rust.
//!
//! Outside: builds the release and prepares a throwaway enclave. Inside a private mount
//! namespace: makes a key as an operator does, signs as a caller does, verifies as anybody does.

mod artifact;
mod show;
mod verifiers;

use std::path::{Path, PathBuf};

use clap::Args;

use crate::caller::Caller;
use crate::failure::{Because, Failure, Result};
use crate::program::Program;
use crate::scene::{AUDIT_FILE, Account, Scene};
use crate::stage::{make_folder, put};
use crate::workspace::Workspace;
use crate::{private, release, scene, stage};

/// Sign a file through the confined login shell, with a throwaway key, and verify the signature
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// What to sign; without it, a small pacman database is made
    file: Option<PathBuf>,
    /// Take the programs around the login shell from here instead of building their release
    #[arg(long, hide = true)]
    built: Option<PathBuf>,
    /// The throwaway enclave (set by ourselves)
    #[arg(long, hide = true)]
    within: Option<PathBuf>,
}

/// The only account of the throwaway enclave.
const SIGNER: Account = Account {
    name: "signer",
    hash: "sha512",
};

/// Where the verifier is put in the enclave's folder.
const VERIFIER: &str = "xtask-verify";

/// Does it.
pub(crate) fn run(options: &Options) -> Result<()> {
    match &options.within {
        None => outside(options),
        Some(root) => inside(options, root),
    }
}

fn outside(options: &Options) -> Result<()> {
    private::possible()?;
    if let Some(file) = &options.file {
        let found = file.canonicalize().because(file.display())?;
        if !found.is_file() {
            return Err(Failure::new(format!("{}: is not a file", file.display())));
        }
        // The enclave has a /run of its own.
        if found.starts_with("/run") {
            return Err(Failure::new(format!(
                "{}: copy it out of /run",
                file.display()
            )));
        }
    }
    let scene = Scene::new(&[SIGNER])?;
    stage::shell(scene.root())?;
    let [admin, verifier] = match &options.built {
        Some(built) => ["signstar-admin", VERIFIER].map(|name| built.join(name)),
        None => release::admin_and_verifier()?,
    };
    put(&admin, &scene.path("usr/bin/signstar-admin"), 0o755)?;
    put(&verifier, &scene.path(VERIFIER), 0o755)?;
    private::again(scene.root())
}

fn inside(options: &Options, root: &Path) -> Result<()> {
    private::lay_over(root)?;
    scene::settle(&[SIGNER])?;
    operate()?;

    let results = results()?;
    let artifact = match &options.file {
        Some(file) => file.clone(),
        None => artifact::database(&results)?,
    };
    println!(
        "\nAs a caller: {} is sent to the confined login shell",
        artifact.display()
    );
    let caller = Caller::new(&SIGNER)?;
    let answer = caller.sign(&artifact)?;

    let name = artifact
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let signature = results.join(format!("{name}.sig"));
    std::fs::write(&signature, &answer.signature)
        .because(format_args!("cannot write {}", signature.display()))?;
    let certificate = results.join("signer.pgp");
    put(Path::new("/etc/signstar/signer.pgp"), &certificate, 0o644)?;

    show::signature(&signature, &answer.signature);
    show::audit(AUDIT_FILE)?;
    let milliseconds = answer.took.as_secs_f64() * 1e3;
    println!(
        "\nTime\n  {milliseconds:.1} ms: start, lock-down, hash, two records, signature, check"
    );
    verifiers::all(&certificate, &signature, &artifact, &root.join(VERIFIER))?;
    println!(
        "\nThe key is gone; certificate and signature are in {}",
        results.display()
    );
    Ok(())
}

/// What an operator does before the first signature.
fn operate() -> Result<()> {
    println!("\nAs an operator: a key, and a certificate for it");
    let admin = |arguments: &[&str]| Program::new("signstar-admin").args(arguments).run();
    admin(&["key", "generate", "--key", SIGNER.name])?;
    admin(&[
        "cert",
        "create",
        "--key",
        SIGNER.name,
        "--user-id",
        "Signstar demo",
    ])?;
    admin(&["config", "check"])
}

/// Where what remains is put.
fn results() -> Result<PathBuf> {
    let folder = Workspace::get()?.target_directory.join("demo");
    if folder.is_dir() {
        std::fs::remove_dir_all(&folder)
            .because(format_args!("cannot remove {}", folder.display()))?;
    }
    make_folder(&folder)?;
    Ok(folder)
}
