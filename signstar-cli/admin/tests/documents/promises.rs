//! Pages agree with each other: links lead somewhere, the README knows every page, and the limits that
//! docs/sizing.md repeats are those of docs/configuration.md and of the units.

use std::fs;

use crate::page;

/// The text without blocks of commands.
fn prose(text: &str) -> String {
    text.split("```").step_by(2).collect()
}

/// As in links to sections: lower case, without marks, `-` for spaces.
fn anchor(title: &str) -> String {
    let kept = title.to_lowercase();
    let kept = kept
        .chars()
        .filter(|char| char.is_alphanumeric() || " -_".contains(*char));
    kept.map(|char| if char == ' ' { '-' } else { char })
        .collect()
}

fn names() -> Vec<String> {
    let entries = fs::read_dir(page::tree().join("docs")).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| name.ends_with(".md")).collect();
    names.sort();
    names
}

#[test]
fn every_link_leads_to_a_file_and_a_section_of_it() {
    let mut pages: Vec<String> = names().iter().map(|name| format!("docs/{name}")).collect();
    pages.extend(["README.md", "SECURITY.md", "packaging/README.md"].map(str::to_owned));
    let mut count = 0;
    for name in pages {
        let folder = page::tree().join(&name).parent().unwrap().to_owned();
        let text = prose(&page::text(&name));
        for link in text.split("](").skip(1) {
            let link = link.split(')').next().unwrap();
            if link.contains("://") {
                continue;
            }
            let (file, section) = link.split_once('#').unwrap_or((link, ""));
            let target = match file {
                "" => page::tree().join(&name),
                file => folder.join(file),
            };
            assert!(target.exists(), "{name}: {link}");
            if !section.is_empty() {
                let target = prose(&fs::read_to_string(&target).unwrap());
                let mut titles = target.lines().filter(|line| line.starts_with('#'));
                let found =
                    titles.any(|title| anchor(title.trim_start_matches(['#', ' '])) == section);
                assert!(found, "{name}: {link}");
            }
            count += 1;
        }
    }
    assert!(count > 60, "{count}");
}

#[test]
fn the_readme_knows_every_page() {
    let readme = page::text("README.md");
    for name in names() {
        assert!(readme.contains(&format!("[docs/{name}]")), "{name}");
    }
}

/// The number in a text like `16 GiB` or `1 hour`, in bytes or seconds.
fn number(text: &str) -> u64 {
    let mut words = text.split(' ');
    let number: u64 = words.next().unwrap().parse().unwrap();
    number
        * match words.next() {
            Some("KiB") => 1 << 10,
            Some("MiB") => 1 << 20,
            Some("GiB") => 1 << 30,
            Some("TiB") => 1 << 40,
            Some("hour") => 3600,
            _ => 1,
        }
}

#[test]
fn limits_have_the_defaults_that_the_configuration_has() {
    let configuration = page::text("docs/configuration.md");
    let sizing = page::text("docs/sizing.md");
    for (row, key) in [
        ("| size of an artifact |", "input-bytes-max"),
        ("| from the beginning to the end", "deadline-seconds"),
        ("| pace of an upload |", "progress-bytes"),
        ("| sessions of an account |", "sessions-max"),
        ("| wait for a device |", "device-seconds"),
        ("| memory of a session |", "memory-bytes-max"),
        ("| size of the audit file |", "bytes-max"),
    ] {
        let row = sizing.lines().find(|line| line.starts_with(row)).unwrap();
        assert!(row.contains(&format!("`{key}`")), "{row}");
        let said = number(row.split(" | ").nth(1).unwrap().trim_start_matches("| "));
        let start = format!("| `{key}` |");
        let known = configuration.lines().find(|line| line.starts_with(&start));
        let known = known.unwrap().split(" | ").nth(2).unwrap();
        assert_eq!(said, known.parse::<u64>().unwrap(), "{key}");
    }
    let socket = page::text("packaging/systemd/signstar-sshd.socket");
    for (row, setting) in [
        ("| connections | 64, of", "\nMaxConnections=64\n"),
        ("of one address 16", "\nMaxConnectionsPerSource=16\n"),
    ] {
        assert!(sizing.contains(row) && socket.contains(setting), "{row}");
    }
}
