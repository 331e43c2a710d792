//! `--dry-run` changes nothing, whatever the command.

use std::collections::BTreeMap;

use nethsm_cli::operations::OPERATIONS;

use crate::folder;
use crate::stage::Stage;
use crate::steps::words;

/// Operations with the method of a change that change nothing.
const HARMLESS: [&str; 4] = [
    "config_tls_csr_pem_post",
    "keys_key_id_csr_pem_post",
    "random_post",
    // The doctor begins one.
    "system_backup_post",
];

/// Whether a device is another one after this operation.
fn changes(operation: &str) -> bool {
    !operation.ends_with("_get") && !HARMLESS.contains(&operation)
}

#[test]
fn a_rehearsal_of_every_command_of_the_transcripts_changes_nothing() {
    let stage = Stage::operational();
    let profile = || std::fs::read(stage.folder.path().join("config.toml")).unwrap();
    let (before, asked) = (profile(), stage.device.all_requests());
    assert!(
        OPERATIONS
            .iter()
            .any(|(operation, _)| asked.contains_key(*operation))
    );
    let mut rehearsed = 0;
    let mut files: Vec<_> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    for path in files {
        let text = std::fs::read_to_string(path).unwrap();
        for line in text
            .lines()
            .filter_map(|line| line.strip_prefix("$ nethsm-cli "))
        {
            // They go on by themselves.
            if ["wait", "--watch", "--listen"]
                .iter()
                .any(|word| line.contains(word))
            {
                continue;
            }
            let mut words = words(line);
            // Before what belongs to another program.
            words.splice(0..0, ["--dry-run".to_owned(), "--yes".to_owned()]);
            let (_, said) = stage.run(env!("CARGO_BIN_EXE_nethsm-cli"), &words);
            let said = String::from_utf8_lossy(&said);
            rehearsed += usize::from(said.contains("nothing was done") || said.contains("dry run"));
        }
    }
    let count = |asked: &BTreeMap<String, u64>| -> BTreeMap<String, u64> {
        let found = asked.iter().filter(|(operation, _)| changes(operation));
        found
            .map(|(operation, count)| (operation.clone(), *count))
            .collect()
    };
    assert_eq!(count(&stage.device.all_requests()), count(&asked));
    assert_eq!(profile(), before);
    assert!(rehearsed > 100, "only {rehearsed} were rehearsals");
}
