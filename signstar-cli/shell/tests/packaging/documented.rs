//! The README of `packaging/` knows every file.

use crate::place::{packaging, text};

/// Every file is somewhere in the table of the README, and the other way round.
#[test]
fn the_table_of_the_documentation_is_complete() {
    let page = text("README.md");
    let mut files = Vec::new();
    let mut folders = vec![packaging()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => {
                    let path = path.strip_prefix(packaging()).unwrap();
                    files.push(path.display().to_string());
                }
            }
        }
    }
    let rows: Vec<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `"))
        .filter_map(|line| line.split('`').next())
        .collect();
    for file in &files {
        let is_named = rows.iter().any(|row| match row.split_once("NAME") {
            Some((start, end)) => file.starts_with(start) && file.ends_with(end),
            None => *row == file || row.ends_with('/') && file.starts_with(row),
        });
        assert!(is_named || file == "README.md", "{file}");
    }
    for row in rows {
        let start = row.split("NAME").next().unwrap();
        assert!(files.iter().any(|file| file.starts_with(start)), "{row}");
    }
}
