//! What the processes of a session open, start and connect to, by strace.

use std::os::unix::process::CommandExt as _;

use crate::support::world::SIGNER;
use crate::support::World;

/// A path, and what was done with it: `r`, `w`, `x`.
#[derive(Debug)]
pub(crate) struct Access {
    pub(crate) path: String,
    pub(crate) rights: String,
}

const TRACE: &str = "/run/trace";

/// Has `input` signed, which must succeed. Of the paths that have no number of their own, the number of
/// the process is 7.
pub(crate) fn accesses(world: &World, input: &[u8]) -> Vec<Access> {
    let script = "exec -a signstar /usr/bin/signstar -c /usr/bin/signstar";
    let arguments = [
        "-ff",
        "-qq",
        "-s4096",
        "-e",
        "trace=open,openat,creat,execve,connect",
        "-u",
        SIGNER.name,
        "-o",
        TRACE,
        "--",
        "/bin/bash",
        "-c",
        script,
    ];
    let arguments: Vec<_> = arguments.iter().map(AsRef::as_ref).collect();
    let mut shell = world.shell().through("/usr/bin/strace", &arguments);
    // Who traces a process that is not dumpable must be root; the tracer gives the account itself.
    shell.command().uid(0).gid(0);
    let outcome = shell.run(input);
    assert_eq!((outcome.code(), outcome.stderr.as_str()), (0, ""));
    // A file for each process, so that no line is interrupted by another's.
    let mut found = Vec::new();
    for entry in std::fs::read_dir(world.path("/run")).unwrap() {
        let entry = entry.unwrap();
        if !entry.file_name().to_string_lossy().starts_with("trace.") {
            continue;
        }
        let text = std::fs::read_to_string(entry.path()).unwrap();
        // Before the login shell there is the shell that starts it.
        let start = text.find("execve(\"/usr/bin/signstar\"");
        let skipped = usize::from(start.is_some());
        let lines = text[start.unwrap_or(0)..].lines().skip(skipped);
        found.extend(lines.filter_map(access));
    }
    found
}

/// A line of strace's. What failed is none, nor is what was opened as a place only (O_PATH).
fn access(line: &str) -> Option<Access> {
    let (call, answer) = line.rsplit_once(" = ")?;
    if answer.starts_with('-') || call.contains("O_PATH") {
        return None;
    }
    let path = call.split('"').nth(1)?;
    let (name, _) = call.split_once('(')?;
    let rights = match name {
        "execve" => "x",
        "connect" => "w",
        _ if call.contains("O_WRONLY") => "w",
        _ if call.contains("O_RDWR") => "rw",
        _ => "r",
    };
    let mut path = path.replace("/proc/self/", "/proc/7/");
    if call.contains("O_DIRECTORY") && !path.ends_with('/') {
        path.push('/');
    }
    Some(Access {
        path,
        rights: rights.to_owned(),
    })
}
