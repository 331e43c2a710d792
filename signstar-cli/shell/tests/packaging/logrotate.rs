//! The recipe for the audit file, carried out by logrotate.

use std::fs;
use std::os::unix::fs::MetadataExt;

use crate::place::{text, Place};

const RECIPE: &str = "logrotate/signstar";

/// Rotates twice, with a session that has the file open the whole time: it writes before, between, and
/// after. What other sessions write goes by the file's name. Where the file system can, the file may only
/// be appended to.
const ROTATE: &str = r#"
mount --bind "$1/etc/group" /etc/group
log=$1/log/audit.log
install -D -m 0660 -o root -g signer /dev/null "$log"
chmod 0755 "$1/log"
chattr +a "$log" 2> /dev/null && echo appends
exec 9>> "$log"
echo one >&9
logrotate --force --state "$1/state" "$1/recipe"
echo two >&9
echo three >> "$log"
lsattr "$log" 2> /dev/null | cut -c 6
for old in "$1"/log/*; do chattr -a "$old" 2> /dev/null || true; done
"#;

#[test]
fn no_record_is_lost_and_the_new_file_is_as_the_old_one_was() {
    let place = Place::new();
    let recipe = text(RECIPE).replace(
        "/var/log/signstar",
        &place.path("log").display().to_string(),
    );
    place.put("recipe", &recipe);
    let said = place.script(ROTATE);
    // What can only grow is that again.
    assert!(said == "appends\na\n" || said.is_empty(), "{said}");
    let new = place.path("log/audit.log");
    assert_eq!(fs::read_to_string(&new).unwrap(), "three\n");
    let found = fs::metadata(&new).unwrap();
    let signers = place.number("etc/group", "signer");
    assert_eq!(
        (found.uid(), found.gid(), found.mode() & 0o7777),
        (0, signers, 0o660)
    );
    let mut old = fs::read_dir(place.path("log"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| *path != new);
    let (one, none) = (old.next().unwrap(), old.next());
    assert_eq!(none, None);
    // Not packed yet: somebody was still writing to it.
    assert_eq!(fs::read_to_string(one).unwrap(), "one\ntwo\n");
}

#[test]
fn nothing_is_cut_off_in_place() {
    let recipe = text(RECIPE);
    let settings: Vec<&str> = recipe
        .lines()
        .map(str::trim)
        .filter(|line| !line.starts_with('#'))
        .collect();
    assert!(!settings.contains(&"copytruncate"));
    for needed in ["rotate -1", "delaycompress", "create 0660 root signer"] {
        assert!(settings.contains(&needed), "{needed}");
    }
}
