//! Resource limits and locked memory.

use std::fs;

use nix::sys::resource::{Resource, getrlimit};

use crate::child::{End, end_of, probe, probe_after};
use crate::probes::LIMITS;
use crate::runner::{Claim, claim};

pub(crate) fn claims() -> Vec<Claim> {
    vec![
        claim(limits_are_what_was_asked_for),
        claim(memory_can_be_limited_further_but_not_again_more),
        claim(no_file_can_be_written_unless_a_limit_is_set),
        claim(file_grows_to_its_limit_and_no_further),
        claim(a_lower_limit_that_is_inherited_is_an_error),
        claim(memory_is_locked_where_it_fits),
        claim(memory_that_does_not_fit_is_an_error),
    ]
}

fn limits_are_what_was_asked_for() {
    let end = end_of(&mut probe(&["harden"])).expect_success();
    let limit = |name: &str| -> Vec<String> {
        let line = end
            .stdout
            .lines()
            .find(|line| line.starts_with(name))
            .unwrap();
        line[name.len()..]
            .split_whitespace()
            .map(str::to_owned)
            .collect()
    };
    let files = LIMITS.open_files.to_string();
    let memory = LIMITS.address_space_bytes.to_string();
    assert_eq!(limit("Max core file size")[..2], ["0", "0"]);
    assert_eq!(limit("Max open files")[..2], [files.clone(), files]);
    assert_eq!(limit("Max address space")[..2], [memory.clone(), memory]);
    assert_eq!(limit("Max file size")[0], "0");
}

fn memory_can_be_limited_further_but_not_again_more() {
    let end = end_of(&mut probe(&["limit-memory"])).expect_success();
    assert_eq!(end.stdout, "134217728 134217728\n");
}

fn no_file_can_be_written_unless_a_limit_is_set() {
    assert_eq!(append("unset", 1).0.signal(), Some(libc::SIGXFSZ));
    assert_eq!(append("0", 1).0.signal(), Some(libc::SIGXFSZ));
}

fn file_grows_to_its_limit_and_no_further() {
    let (end, size) = append("100", 100);
    end.expect_success();
    assert_eq!(size, 100);
    let (end, size) = append("100", 101);
    assert_eq!((end.signal(), size), (Some(libc::SIGXFSZ), 100));
}

fn a_lower_limit_that_is_inherited_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    fs::write(&path, "").unwrap();
    // A unit of sh is 512 bytes.
    let append = |cap| {
        let words = ["append", path.to_str().unwrap(), cap, "1"];
        end_of(&mut probe_after("ulimit -f 1", &words))
    };
    append("512").expect_success();
    append("513").expect_error("limit file size: the limit that was inherited, 512,");
}

/// Appends to an empty file under a limit; tells how that ended and how large the file is.
fn append(cap: &str, bytes: u32) -> (End, u64) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    fs::write(&path, "").unwrap();
    let end = end_of(&mut probe(&[
        "append",
        path.to_str().unwrap(),
        cap,
        &bytes.to_string(),
    ]));
    (end, fs::metadata(&path).unwrap().len())
}

fn memory_is_locked_where_it_fits() {
    let end = end_of(&mut probe(&["lock-memory"]));
    let kib = |name: &str| -> u64 {
        let line = end
            .stdout
            .lines()
            .find_map(|line| line.strip_prefix(name))
            .unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    };
    // Debug builds are large: without the privilege to lock more they may exceed the limit.
    let (limit, _) = getrlimit(Resource::RLIMIT_MEMLOCK).unwrap();
    if nix::unistd::geteuid().is_root() || kib("VmSize:") * 1024 <= limit {
        assert!(end.status.success() && kib("VmLck:") > 0, "{end:?}");
    } else {
        end.expect_error("lock memory: ENOMEM");
    }
}

fn memory_that_does_not_fit_is_an_error() {
    // The privilege to lock without limit is taken away, if there is one.
    let mut command = probe(&["lock-memory-within", "65536"]);
    if nix::unistd::geteuid().is_root() {
        let program = command.get_program().to_owned();
        let arguments: Vec<_> = command.get_args().map(ToOwned::to_owned).collect();
        command = std::process::Command::new("setpriv");
        command
            .args(["--bounding-set", "-ipc_lock"])
            .arg(program)
            .args(arguments);
        command
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped());
    }
    end_of(&mut command).expect_error("lock memory: ENOMEM");
}
