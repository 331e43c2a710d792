//! The rules for udev, read by udevadm.

use crate::place::{text, Place};

const RULES: &str = "etc/udev/rules.d/70-signstar.rules";

/// Nothing but the rules in `$1` is read; the device is one that every machine has and that has no
/// file in /dev.
const READ: &str = r#"
for folder in /run /usr/lib/udev/rules.d; do mount -t tmpfs tmpfs $folder; done
mount --bind "$1/etc/udev/rules.d" /etc/udev/rules.d
mount --bind "$1/etc/group" /etc/group
udevadm test --action=add /sys/class/net/lo 2>&1
"#;

/// What udevadm says about the rules.
fn complaints(rules: &str) -> Vec<String> {
    let place = Place::new();
    place.put(RULES, rules);
    let said = place.script(READ);
    assert!(
        said.contains(&format!("Reading rules file: /{RULES}")),
        "{said}"
    );
    let of_rules = |line: &&str| line.starts_with(&format!("/{RULES}:"));
    said.lines().filter(of_rules).map(str::to_owned).collect()
}

#[test]
fn udev_takes_every_rule() {
    let rules = text("udev/70-signstar.rules");
    assert_eq!(complaints(&rules), [""; 0]);
}

#[test]
fn udev_complains_about_mistakes() {
    let rules = text("udev/70-signstar.rules");
    for (right, wrong) in [
        ("MODE=", "MOOD="),
        ("\"signstar\"", "\"nobodys\""),
        ("KERNEL==", "KERNEL="),
    ] {
        let changed = rules.replacen(right, wrong, 1);
        assert_ne!(rules, changed);
        assert_eq!(complaints(&changed).len(), 1, "{wrong}");
    }
}

#[test]
fn the_group_gets_the_tpm_with_the_resource_manager_and_no_other() {
    let rules = text("udev/70-signstar.rules");
    let rules: Vec<&str> = rules
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .collect();
    let given: Vec<&&str> = rules
        .iter()
        .filter(|line| line.contains("GROUP=\"signstar\""))
        .collect();
    let [tpm] = given.as_slice() else {
        panic!("{given:?}");
    };
    assert!(
        tpm.contains("KERNEL==\"tpmrm[0-9]*\"") && tpm.contains("MODE=\"0660\""),
        "{tpm}"
    );
    assert!(rules.iter().all(|line| !line.contains("0666")));
}
