//! `cargo xtask bench`: how fast and how large the finished login shell is, next to what people
//! use today. Everything is measured in one run, A B A B, and compared pair by pair: absolute
//! numbers drift with the machine, ratios hardly do.

mod contest;
mod devices;
mod enter;
mod inspection;
mod keys;
mod listing;
mod memory;
mod rivals;
mod small;
mod ssh;
mod sshd;
mod stream;
mod table;

use std::path::{Path, PathBuf};

use clap::Args;

use crate::failure::{Because, Result};
use crate::scene::{Account, Scene};
use crate::tools::pinned::RSOP;
use crate::tools::system;
use crate::workspace::Workspace;
use crate::{private, scene, stage};
use table::Table;

/// Measure speed and memory next to gpg, sqop, rsop, openssl and sha256sum
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Print JSON instead of Markdown
    #[arg(long)]
    json: bool,
    /// Only this part (may be given several times)
    #[arg(long, value_name = "NAME")]
    part: Vec<Part>,
    /// Repetitions, in percent of what is usual
    #[arg(long, value_name = "PERCENT", default_value_t = 100)]
    effort: u32,
    /// Open a shell in the throwaway enclave instead, to repeat the measurements by hand
    #[arg(long, conflicts_with_all = ["json", "part"])]
    enter: bool,
    /// The throwaway enclave (set by ourselves)
    #[arg(long, hide = true)]
    within: Option<PathBuf>,
}

/// What can be measured alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    /// 1 KiB from a pipe, whole process
    Small,
    /// 2 GiB through a pipe
    Stream,
    /// Peak memory
    Memory,
    /// Through sshd
    Ssh,
    /// With a token, a card and a TPM, beside their libraries
    Devices,
    /// The inspector alone, beside what unpacks and hashes
    Inspection,
    /// A thousand keys of a NetHSM listed, beside the vendor's tool
    Listing,
}

/// Measures, with an effort in percent.
type Measure = fn(u32) -> Result<Vec<Table>>;

/// Parts without the login shell, and what measures them.
const ALONE: [(Part, Measure); 2] = [
    (Part::Inspection, inspection::run),
    (Part::Listing, listing::run),
];

/// Where the measurements of devices wait for the other parts, in the enclave's folder.
const DEVICES: &str = "devices";

/// The accounts that are measured, one for each kind of key and hash.
pub(crate) const ED25519: Account = Account {
    name: "ed25519",
    hash: "sha512",
};
pub(crate) const ED25519_SHA256: Account = Account {
    name: "ed25519-sha256",
    hash: "sha256",
};
pub(crate) const P256: Account = Account {
    name: "p256",
    hash: "sha512",
};
pub(crate) const RSA4096: Account = Account {
    name: "rsa4096",
    hash: "sha512",
};
const ACCOUNTS: [Account; 4] = [ED25519, ED25519_SHA256, P256, RSA4096];

/// Does it.
pub(crate) fn run(options: &Options) -> Result<()> {
    match &options.within {
        None => outside(options),
        Some(root) => inside(options, root),
    }
}

impl Options {
    fn wants(&self, part: Part) -> bool {
        self.part.is_empty() || self.part.contains(&part)
    }
}

fn outside(options: &Options) -> Result<()> {
    private::possible()?;
    // Their tables come first, by themselves: they need no enclave.
    for (part, run) in ALONE {
        if options.wants(part) && !options.enter {
            print(options, &run(options.effort)?)?;
        }
    }
    let alone = |part: &Part| ALONE.iter().any(|(known, _)| known == part);
    if !options.part.is_empty() && options.part.iter().all(alone) {
        return Ok(());
    }
    let mut measured = None;
    if options.wants(Part::Devices) && !options.enter {
        let lines = devices::run(options.effort)?;
        if options.part.iter().all(|part| *part == Part::Devices) && !options.part.is_empty() {
            return print(options, &devices::tables(&lines)?);
        }
        measured = Some(lines);
    }
    system::ensure(&system::BENCH)?;
    rivals_from_registry()?;
    let scene = Scene::new(&ACCOUNTS)?;
    stage::shell(scene.root())?;
    ssh::add_accounts(&scene)?;
    keys::make(&scene)?;
    if let Some(lines) = measured {
        scene.write(DEVICES, &lines, 0o644)?;
    }
    private::again(scene.root())
}

/// rsop as its users have it: the tests' own build is hardly optimised.
fn rivals_from_registry() -> Result<()> {
    let folder = rivals::folder()?;
    if folder.join("bin/rsop").is_file() {
        return Ok(());
    }
    RSOP.install("target/tools/bench", &folder, "3")?;
    let _ = std::fs::remove_dir_all(folder.join("build"));
    Ok(())
}

fn inside(options: &Options, root: &Path) -> Result<()> {
    private::lay_over(root)?;
    scene::settle(&ACCOUNTS)?;
    scene::hand_over_keys(&ACCOUNTS)?;
    let gpg = rivals::Gpg::start(root)?;
    if options.enter {
        return enter::shell(root, &gpg);
    }
    let wanted = |part: Part| options.wants(part);
    let mut tables: Vec<Table> = Vec::new();
    if wanted(Part::Small) {
        tables.extend(small::measure(root, &gpg, options.effort)?);
    }
    if wanted(Part::Stream) {
        tables.extend(stream::measure(root, &gpg, options.effort)?);
    }
    if wanted(Part::Memory) {
        tables.push(memory::measure(root, &gpg)?);
    }
    if wanted(Part::Ssh) {
        tables.extend(ssh::measure(root, &gpg, options.effort)?);
    }
    if wanted(Part::Devices) {
        let lines = std::fs::read_to_string(root.join(DEVICES));
        let lines = lines.because("cannot read the measurements of devices")?;
        tables.extend(devices::tables(&lines)?);
    }
    print(options, &tables)
}

fn print(options: &Options, tables: &[Table]) -> Result<()> {
    if options.json {
        table::print_json(tables)
    } else {
        table::print_markdown(tables)
    }
}

/// A part of the usual number of repetitions.
fn repetitions(usual: u32, effort: u32) -> u32 {
    (usual.saturating_mul(effort) / 100).max(3)
}

/// Where rivals from the registry are kept.
fn tools() -> Result<PathBuf> {
    Ok(Workspace::get()?.target_directory.join("tools"))
}
