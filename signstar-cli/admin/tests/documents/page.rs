//! A page of the documentation: its sections, and the commands in them.

use std::fs;
use std::path::{Path, PathBuf};

/// A section: its title, and what stands in its blocks of commands, one after the other.
pub(crate) struct Section {
    pub(crate) title: String,
    pub(crate) script: String,
}

/// The top of the tree.
pub(crate) fn tree() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The text of a file of the tree.
pub(crate) fn text(name: &str) -> String {
    fs::read_to_string(tree().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The sections with commands, in their order. Blocks of commands begin with "```sh".
pub(crate) fn sections(text: &str) -> Vec<Section> {
    let mut sections = vec![Section {
        title: String::new(),
        script: String::new(),
    }];
    let mut block: Option<bool> = None;
    for line in text.lines() {
        let section = sections.last_mut().unwrap();
        match (block, line.strip_prefix("```")) {
            (None, Some(language)) => {
                assert_ne!(language, "", "{}: say what the block is", section.title);
                block = Some(language == "sh");
            }
            (Some(_), Some(_)) => block = None,
            (Some(true), None) => section.script += &format!("{line}\n"),
            (Some(false), None) => {}
            (None, None) => {
                let title = line.strip_prefix("## ").or(line.strip_prefix("### "));
                sections.extend(title.map(|title| Section {
                    title: title.to_owned(),
                    script: String::new(),
                }));
            }
        }
    }
    assert_eq!(block, None, "a block without its end");
    sections.retain(|section| !section.script.is_empty());
    sections
}
