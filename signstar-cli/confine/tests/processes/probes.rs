//! What the children do: confine themselves, then try something.

use std::env;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::num::NonZeroU32;
use std::os::fd::AsFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::panic;
use std::process::{self, ExitCode};
use std::thread;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::prctl;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use signstar_confine::selftest::{Defence, Escape};
use signstar_confine::{
    ConfineError, Limits, OpenFds, allow_file_size, arm_deadline, harden, inspector_rules,
    limit_file_size, limit_memory, load_filter, lock_memory, require_streams,
    restrict_files_and_network, rule, shell_rules,
};

use crate::outer;

/// The exit code of a probe that could not be confined.
pub(crate) const UNCONFINED: i32 = 3;

/// Limits that the probes, which are debug builds, live well with.
pub(crate) const LIMITS: Limits = Limits {
    open_files: 16,
    address_space_bytes: 512 * 1024 * 1024,
};

/// The longest a probe may take. Never reached.
const DEADLINE_SECONDS: NonZeroU32 = NonZeroU32::new(20).unwrap();
const ONE_SECOND: NonZeroU32 = NonZeroU32::MIN;

/// Runs the probe of this name.
pub(crate) fn run(arguments: &[String]) -> ExitCode {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["under", syscall, rest @ ..] => return outer::exec_under(syscall, rest),
        ["escape", name, defence] => return escape(name, defence),
        ["harden"] => hardened(),
        ["harden-with-thread"] => harden_with_thread(),
        ["deadline"] => deadline(),
        ["confined-deadline"] => confined_deadline(),
        ["file-size"] => limit_file_size(0),
        ["limit-memory"] => limit_twice(),
        ["append", path, cap, bytes] => append(path, cap, bytes),
        ["lock-memory"] => lock(),
        ["lock-memory-within", bytes] => lock_within(bytes),
        ["landlock"] => restrict_files_and_network(&[]).map(drop),
        ["landlock-port"] => restrict_files_and_network(&[9]).map(drop),
        ["landlock-with-thread"] => landlock_with_thread(),
        ["reach"] => reach(),
        ["filter"] => filter(),
        ["confined"] => confined(),
        ["allocate"] => allocate(),
        ["exit"] => filter().map(|()| process::exit(7)),
        ["panic"] => filter().map(|()| panic!("seen by the caller")),
        ["panic-with-hook"] => panic_with_hook(),
        ["abort"] => filter().map(|()| process::abort()),
        ["overflow"] => filter().map(|()| println!("{}", overflow(1))),
        ["wait"] => wait(),
        _ => panic!("no probe {words:?}"),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(u8::try_from(UNCONFINED).unwrap())
        }
    }
}

fn escape(name: &str, defence: &str) -> ExitCode {
    let mut rules = shell_rules(&OpenFds::default()).unwrap();
    let of_inspector = inspector_rules().unwrap();
    let defence = match defence.split_once('+') {
        Some((defence, hole)) => {
            rules.push(rule(hole, &[], "a hole").unwrap());
            defence
        }
        None => defence,
    };
    Escape::named(name).unwrap().attempt(match defence {
        "none" => Defence::None,
        "landlock" => Defence::Landlock,
        "filter" => Defence::Filter(&rules),
        "inspector" => Defence::Filter(&of_inspector),
        _ => panic!("no defence {defence}"),
    })
}

/// Says how the process looks after phase 0.
fn hardened() -> Result<(), ConfineError> {
    harden(&LIMITS)?;
    require_streams()?;
    let mut descriptors: Vec<String> = fs::read_dir("/proc/self/fd")
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    descriptors.sort();
    println!("descriptors: {}", descriptors.join(" "));
    println!("directory: {}", env::current_dir().unwrap().display());
    println!("dumpable: {}", prctl::get_dumpable().unwrap());
    print!("{}", fs::read_to_string("/proc/self/status").unwrap());
    print!("{}", fs::read_to_string("/proc/self/limits").unwrap());
    Ok(())
}

/// Another thread that lives as long as the process.
fn keep_a_thread() {
    thread::spawn(|| {
        loop {
            thread::park();
        }
    });
}

fn harden_with_thread() -> Result<(), ConfineError> {
    keep_a_thread();
    harden(&LIMITS)
}

fn landlock_with_thread() -> Result<(), ConfineError> {
    keep_a_thread();
    restrict_files_and_network(&[]).map(drop)
}

fn deadline() -> Result<(), ConfineError> {
    arm_deadline(ONE_SECOND)?;
    drain();
    Ok(())
}

fn confined_deadline() -> Result<(), ConfineError> {
    harden(&LIMITS)?;
    arm_deadline(ONE_SECOND)?;
    restrict_files_and_network(&[])?;
    filter()?;
    println!("confined");
    drain();
    Ok(())
}

/// Appends to a file; `cap` is `unset` or the limit that is set after the file is known.
fn append(path: &str, cap: &str, bytes: &str) -> Result<(), ConfineError> {
    harden(&LIMITS)?;
    if cap != "unset" {
        allow_file_size(cap.parse().unwrap())?;
        limit_file_size(cap.parse().unwrap())?;
    }
    let mut file = OpenOptions::new().append(true).open(path).unwrap();
    file.write_all(&vec![b'x'; bytes.parse().unwrap()]).unwrap();
    Ok(())
}

fn limit_twice() -> Result<(), ConfineError> {
    harden(&LIMITS)?;
    limit_memory(128 * 1024 * 1024)?;
    limit_memory(256 * 1024 * 1024)?;
    let (soft, hard) = getrlimit(Resource::RLIMIT_AS).unwrap();
    println!("{soft} {hard}");
    Ok(())
}

fn lock() -> Result<(), ConfineError> {
    let outcome = lock_memory();
    print!("{}", fs::read_to_string("/proc/self/status").unwrap());
    outcome
}

fn lock_within(bytes: &str) -> Result<(), ConfineError> {
    let bytes = bytes.parse().unwrap();
    setrlimit(Resource::RLIMIT_MEMLOCK, bytes, bytes).unwrap();
    assert_eq!(getrlimit(Resource::RLIMIT_MEMLOCK).unwrap(), (bytes, bytes));
    lock()
}

/// What can be reached before and after Landlock.
fn reach() -> Result<(), ConfineError> {
    let allowed = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let allowed = TcpListener::bind(allowed).unwrap();
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let name = format!("signstar-confine-{}", process::id());
    let name = SocketAddr::from_abstract_name(name).unwrap();
    let local = UnixListener::bind_addr(&name).unwrap();
    let mut open = File::open("/proc/self/cmdline").unwrap();
    let mut say = |when: &str| {
        let tell = |what: &str, outcome: Option<io::Error>| {
            println!(
                "{when} {what}: {}",
                outcome.map_or("ok".into(), |e| e.kind().to_string())
            );
        };
        tell("open", File::open("/etc/passwd").err());
        tell(
            "write",
            OpenOptions::new().write(true).open("/dev/null").err(),
        );
        tell("list", fs::read_dir("/").err());
        tell(
            "allowed port",
            TcpStream::connect(allowed.local_addr().unwrap()).err(),
        );
        tell(
            "other port",
            TcpStream::connect(other.local_addr().unwrap()).err(),
        );
        tell("bind", TcpListener::bind("127.0.0.1:0").err());
        tell("abstract socket", UnixStream::connect_addr(&name).err());
        tell("open file", open.read_exact(&mut [0]).err());
    };
    say("before");
    let restriction = restrict_files_and_network(&[allowed.local_addr().unwrap().port()])?;
    say("after");
    println!("abi: {}", restriction.abi);
    drop(local);
    Ok(())
}

fn filter() -> Result<(), ConfineError> {
    load_filter(&shell_rules(&OpenFds::default())?)
}

/// The whole order of lock-down, as the login shell does it, then echo.
fn confined() -> Result<(), ConfineError> {
    harden(&LIMITS)?;
    arm_deadline(DEADLINE_SECONDS)?;
    limit_file_size(0)?;
    restrict_files_and_network(&[])?;
    filter()?;
    println!("confined");
    println!("read {} bytes", drain());
    Ok(())
}

/// Takes large buffers and gives them back. Each is larger than the one before: the allocator of
/// glibc would take a smaller one from its heap, which cannot grow any more.
fn allocate() -> Result<(), ConfineError> {
    filter()?;
    let mut bytes = 0;
    for step in 1..50_usize {
        let buffer = vec![1_u8; step * 300_000];
        bytes += buffer.len();
    }
    println!("{bytes}");
    Ok(())
}

fn panic_with_hook() -> Result<(), ConfineError> {
    panic::set_hook(Box::new(|_| {
        let _ = nix::unistd::write(io::stderr(), b"it failed\n");
        process::exit(70);
    }));
    filter()?;
    panic!("never seen");
}

/// Uses the stack up.
#[expect(unconditional_recursion, reason = "that is the point")]
fn overflow(depth: u64) -> u64 {
    let frame = std::hint::black_box([depth; 512]);
    overflow(depth + 1) + frame[usize::try_from(depth % 512).unwrap()]
}

/// Waits for input with a time limit, so that being stopped meanwhile must not matter.
fn wait() -> Result<(), ConfineError> {
    filter()?;
    println!("waiting");
    let stdin = io::stdin();
    let mut watched = [PollFd::new(stdin.as_fd(), PollFlags::POLLIN)];
    println!("{:?}", poll(&mut watched, PollTimeout::from(20_000_u16)));
    Ok(())
}

/// Reads standard input to its end with nothing but read(2).
fn drain() -> usize {
    let stdin = io::stdin();
    let mut total = 0;
    let mut buffer = [0; 4096];
    loop {
        match nix::unistd::read(&stdin, &mut buffer) {
            Ok(0) => return total,
            Ok(bytes) => total += bytes,
            Err(error) => panic!("read standard input: {error}"),
        }
    }
}
