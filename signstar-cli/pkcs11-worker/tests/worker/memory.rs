//! Where the PIN is while the worker waits for the digest.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::fs::FileExt;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use signstar_core::{FRAME_BYTES, WorkerAnswer, WorkerRequest};
use signstar_testkit::token::{PIN, Software, Token};
use zeroize::Zeroizing;

use crate::worker;

/// A mapping of a process.
struct Mapping {
    start: u64,
    end: u64,
    name: String,
    readable: bool,
    locked: bool,
}

/// What /proc/PID/smaps says.
fn mappings(process: u32) -> Vec<Mapping> {
    let text = fs::read_to_string(format!("/proc/{process}/smaps")).unwrap();
    let mut all: Vec<Mapping> = Vec::new();
    for line in text.lines() {
        if let Some(flags) = line.strip_prefix("VmFlags:") {
            all.last_mut().unwrap().locked = flags.split(' ').any(|flag| flag == "lo");
            continue;
        }
        let fields: Vec<&str> = line.split_ascii_whitespace().collect();
        let Some((start, end)) = fields[0].split_once('-') else {
            continue;
        };
        let number = |text: &str| u64::from_str_radix(text, 16).unwrap();
        all.push(Mapping {
            start: number(start),
            end: number(end),
            name: fields.get(5).copied().unwrap_or_default().to_owned(),
            readable: fields[1].starts_with('r'),
            locked: false,
        });
    }
    all
}

/// The mappings in which `needle` is.
fn holders(process: u32, needle: &[u8]) -> Vec<Mapping> {
    let memory = File::open(format!("/proc/{process}/mem")).unwrap();
    let mut all = mappings(process);
    all.retain(|mapping| {
        let length = usize::try_from(mapping.end - mapping.start).unwrap();
        // Reserved address space is not worth reading.
        if !mapping.readable || length > 64 << 20 {
            return false;
        }
        let mut bytes = vec![0; length];
        let read = memory.read_at(&mut bytes, mapping.start).unwrap_or(0);
        bytes[..read]
            .windows(needle.len())
            .any(|part| part == needle)
    });
    all
}

#[test]
fn the_pin_is_in_locked_memory_and_nowhere_else_until_the_digest_comes() {
    for software in [Software::SoftHsm, Software::Kryoptic] {
        let token = Token::with(software, "p256");
        let worker = worker(&token);
        let helper = worker.start();
        let mut socket = UnixStream::from(helper.socket);
        let mut send = |request: WorkerRequest| {
            socket.write_all(&request.to_frame().unwrap()).unwrap();
            socket.try_clone().unwrap()
        };
        let mut answers = send(WorkerRequest::Open(worker.settings.clone()));
        let mut frame = vec![0; FRAME_BYTES];
        answers.read_exact(&mut frame).unwrap();
        assert!(matches!(
            WorkerAnswer::from_frame(&frame),
            Ok(WorkerAnswer::Ready(_))
        ));
        assert!(holders(helper.process, PIN.as_bytes()).is_empty());
        send(WorkerRequest::Pin(Zeroizing::new(PIN.as_bytes().to_vec())));
        let deadline = Instant::now() + Duration::from_secs(60);
        let found = loop {
            let found = holders(helper.process, PIN.as_bytes());
            if !found.is_empty() {
                break found;
            }
            assert!(Instant::now() < deadline, "the PIN never comes");
        };
        for mapping in found {
            assert!(mapping.locked, "{:x} {}", mapping.start, mapping.name);
        }
        // What others may see of the process has its settings and no PIN.
        let folder = format!("/proc/{}", helper.process);
        let seen = |file: &str| fs::read(format!("{folder}/{file}")).unwrap();
        let (variable, value) = &worker.environment[0];
        let pair = format!("{variable}={value}\0");
        assert_eq!(seen("environ"), pair.as_bytes());
        for file in ["cmdline", "comm", "status"] {
            let text = seen(file);
            let mut parts = text.windows(PIN.len());
            assert!(
                !text.is_empty() && parts.all(|part| part != PIN.as_bytes()),
                "{file}"
            );
        }
        // The module's memory is not: not everything is said to be locked.
        let module = fs::canonicalize(software.module()).unwrap();
        let all = mappings(helper.process);
        let mut of_module = all
            .iter()
            .filter(|mapping| module.to_str() == Some(&mapping.name));
        assert!(of_module.any(|mapping| !mapping.locked));
        let status = fs::read_to_string(format!("/proc/{}/status", helper.process)).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmLck:"));
        let locked: u64 = line
            .unwrap()
            .trim()
            .trim_end_matches(" kB")
            .parse()
            .unwrap();
        // What accounts may lock.
        assert!((1..=8 << 10).contains(&locked), "{locked} KiB");
        println!("{software:?}: {locked} KiB locked, the PIN in them only");
    }
}
