//! The inspector's reader, and others: the `tar` crate here, libarchive and Python's tarfile in a
//! process beside.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use flate2::read::GzDecoder;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use signstar_inspector::{Code, list};

/// What a reader finds: path, kind, size, target, SHA-256; or why it does not.
pub(crate) type Found = Value;

/// What the inspector finds.
pub(crate) fn ours(packed: &[u8]) -> Result<Found, Code> {
    let listed = list(packed).map_err(|found| found.code)?;
    let entries = listed.into_iter().map(|entry| {
        json!([
            entry.path,
            entry.kind,
            entry.size,
            entry.target,
            hex(&entry.sha256)
        ])
    });
    Ok(entries.collect())
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The `tar` crate.
pub(crate) fn of_crate(packed: &[u8]) -> Found {
    let mut archive = tar::Archive::new(GzDecoder::new(packed));
    let read = |archive: &mut tar::Archive<GzDecoder<&[u8]>>| -> std::io::Result<Vec<Value>> {
        let mut found = Vec::new();
        for entry in archive.entries()? {
            let mut entry = entry?;
            let kind = match entry.header().entry_type() {
                tar::EntryType::Regular => "file",
                tar::EntryType::Directory => "folder",
                tar::EntryType::Symlink => "symbolic link",
                tar::EntryType::Link => "hard link",
                _ => "other",
            };
            let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            let path = if kind == "folder" {
                path.trim_end_matches('/').to_owned()
            } else {
                path
            };
            let target = match kind.ends_with("link") {
                true => String::from_utf8_lossy(&entry.link_name_bytes().unwrap_or_default())
                    .into_owned(),
                false => String::new(),
            };
            let size = entry.size();
            let mut content = Vec::new();
            entry.read_to_end(&mut content)?;
            found.push(json!([
                path,
                kind,
                size,
                target,
                hex(&Sha256::digest(&content))
            ]));
        }
        Ok(found)
    };
    match read(&mut archive) {
        Ok(found) => Value::from(found),
        Err(error) => Value::from(error.to_string()),
    }
}

/// Contents of all files, as the `tar` crate reads them: hard links have none.
pub(crate) fn contents(packed: &[u8]) -> Vec<u8> {
    let mut archive = tar::Archive::new(GzDecoder::new(packed));
    let mut all = Vec::new();
    for entry in archive.entries().into_iter().flatten().flatten() {
        let mut entry = entry;
        if entry.header().entry_type().is_file() {
            let _ = entry.read_to_end(&mut all);
        }
    }
    all
}

/// The readers that run beside.
pub(crate) struct Python {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl Python {
    pub(crate) fn start() -> Self {
        let mut child = Command::new("python3")
            .args(["-I", "-c", include_str!("readers.py")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (stdin, stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Self {
            child,
            stdin,
            stdout: BufReader::new(stdout),
        }
    }

    /// What both find in each of these archives, as objects with their names.
    pub(crate) fn read(&mut self, archives: &[&[u8]]) -> Vec<Value> {
        let (stdin, stdout) = (&mut self.stdin, &mut self.stdout);
        std::thread::scope(|scope| {
            scope.spawn(move || {
                for packed in archives {
                    let length = u32::try_from(packed.len()).unwrap().to_be_bytes();
                    stdin.write_all(&length).unwrap();
                    stdin.write_all(packed).unwrap();
                }
                stdin.flush().unwrap();
            });
            let answer = |_| {
                let mut line = String::new();
                stdout.read_line(&mut line).unwrap();
                serde_json::from_str(&line).unwrap()
            };
            archives.iter().map(answer).collect()
        })
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
