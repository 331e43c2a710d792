//! The commands of the pages about records and monitoring do what they say.

use std::fs;

use crate::place::Place;
use crate::written::Written;

const PAGES: [&str; 2] = [
    include_str!("../../../../docs/audit.md"),
    include_str!("../../../../docs/monitoring.md"),
];

#[test]
fn the_commands_for_records_and_monitoring_work() {
    let place = Place::new();
    place.equip();
    fs::create_dir_all(place.path("lib")).unwrap();
    place.write("audit.log", &Written::new(3).text());
    let log = place.path("audit.log");
    let text = fs::read_to_string(place.path("signstar.toml")).unwrap();
    let file = format!("sink = \"file\"\n[audit.file]\npath = {log:?}\n");
    place.write("signstar.toml", &text.replace("sink = \"stderr\"\n", &file));
    if nix::unistd::geteuid().is_root() {
        std::os::unix::fs::chown(&log, None, Some(place.group())).unwrap();
    }
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o660);
    fs::set_permissions(&log, mode).unwrap();
    let lines = PAGES.iter().flat_map(|page| page.lines());
    let commands: Vec<&str> = lines
        .filter_map(|line| line.strip_prefix("signstar-admin "))
        .collect();
    assert_eq!(commands.len(), 9);
    for command in commands {
        let command = command
            .replace("/var/log/signstar/audit.log", log.to_str().unwrap())
            .replace(
                "/var/lib/prometheus/node-exporter",
                place.folder().to_str().unwrap(),
            );
        let words: Vec<&str> = command.split(' ').collect();
        place.admin(&words).done();
    }
    assert!(place.path("signstar.prom").is_file());
}
