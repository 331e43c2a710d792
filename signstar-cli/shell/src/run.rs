//! The straight line from start to signature.

use std::io::{stderr, Write};
use std::os::fd::AsFd;
use std::path::Path;
use std::process::ExitCode;

use nix::poll::{poll, PollFd, PollFlags, PollTimeout};
use signstar_confine::{harden, Limits};
use signstar_core::{Failure, Refusal, RequestId};

use crate::back_ends::COMPILED;
use crate::config::{self, Config};
use crate::confined::message;
use crate::enclave::Enclave;
use crate::invocation::{Invocation, Question};

/// Until the configuration says less; see docs/configuration.md.
const LIMITS: Limits = Limits {
    open_files: 32,
    address_space_bytes: 1 << 30,
};

/// Does what the process was started for.
pub fn run(invocation: Invocation) -> ExitCode {
    std::panic::set_hook(Box::new(|_| end_after_panic()));
    if let Some(question) = invocation.question() {
        return answer(question);
    }
    let mut random = [0; 48];
    let drawn = getrandom::fill(&mut random).map_err(|_| Failure::from(Refusal::Internal));
    let (id, salt) = split(random);
    match drawn.and_then(|()| sign(&invocation, id, salt)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            tell(&message(failure.refusal, &id));
            ExitCode::from(failure.refusal.exit_status())
        }
    }
}

fn sign(invocation: &Invocation, id: RequestId, salt: [u8; 32]) -> Result<(), Failure> {
    harden(&LIMITS).map_err(|error| Failure::new(Refusal::Confinement, error))?;
    let config = Config::load(Path::new(config::PATH))
        .map_err(|error| Failure::new(Refusal::Configuration, error))?;
    let enclave = Enclave::open(&config, invocation, id, salt)?;
    let mut confined = enclave.confine()?;
    let intake = confined.read()?; // the first byte that the caller chose
    let intake = confined.inspect(intake)?;
    let approval = confined.approve(intake)?;
    if let Some(what) = confined.waits_for() {
        tell(&format!("signstar: {what}\n"));
    }
    let signature = confined.sign(approval)?;
    confined.deliver(&signature)
}

/// The default would print the panic's message, in which the caller's bytes may stand. The intent,
/// if there is one, stays without an outcome.
fn end_after_panic() {
    let refusal = Refusal::Internal;
    tell(&message(refusal, &"unknown"));
    std::process::exit(refusal.exit_status().into());
}

/// Says one sentence to the caller. One who does not read it gets the exit status all the same: a
/// full standard error is left alone, since a write would wait for as long as the caller likes.
fn tell(sentence: &str) {
    let mut stream = stderr();
    let mut polled = [PollFd::new(stream.as_fd(), PollFlags::POLLOUT)];
    if poll(&mut polled, PollTimeout::ZERO).is_ok_and(|ready| ready > 0) {
        let _ = stream.write_all(sentence.as_bytes());
    }
}

fn split(random: [u8; 48]) -> (RequestId, [u8; 32]) {
    let (mut id, mut salt) = ([0; 16], [0; 32]);
    let (first, rest) = random.split_at(id.len());
    id.copy_from_slice(first);
    salt.copy_from_slice(rest);
    (RequestId::from_bytes(id), salt)
}

fn answer(question: Question) -> ExitCode {
    match question {
        Question::Help => println!(
            "signstar signs what it reads, as the login shell of an account:\n\n    \
             ssh signer@signstar.example.org < FILE > FILE.sig\n\n\
             It has no options but --help and --version; see signstar(1)."
        ),
        Question::Version => {
            let names: Vec<&str> = COMPILED.iter().map(|back_end| back_end.name).collect();
            println!(
                "signstar {}\nback ends: {}",
                env!("CARGO_PKG_VERSION"),
                names.join(", ")
            );
        }
    }
    ExitCode::SUCCESS
}
