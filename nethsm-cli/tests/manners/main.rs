//! How the program behaves where things go wrong, at a terminal, and in a shell: files under attack,
//! passphrases that must be nowhere, prompts, progress, tables, completions. What commands say otherwise is in
//! the transcripts.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

mod completions;
mod files;
mod killed;
mod prompts;
mod screen;
mod secrets;
#[path = "../transcripts/stage.rs"]
#[allow(dead_code, reason = "each test program uses a part of it")]
mod stage;
mod terminal;
mod variables;

use stage::Stage;

/// An operational device that has a key and a passphrase for its backups.
fn with_backups() -> Stage {
    with_backups_of(Stage::operational())
}

fn with_backups_of(stage: Stage) -> Stage {
    for line in [
        "config set backup-passphrase --new-passphrase-from file:backups.txt",
        "key generate EC_P256 --id packages",
    ] {
        let (status, said) = stage.cli(line);
        assert_eq!(status, 0, "{line}: {said}");
    }
    stage
}
