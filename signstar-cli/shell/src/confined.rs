//! What happens after lock-down: the first byte of the caller's, and everything behind it.

use std::io::stdout;
use std::os::fd::AsFd;
use std::time::{Duration, SystemTime};

use nix::poll::{poll, PollFd, PollFlags, PollTimeout};
use signstar_core::{Approval, DetachedSignature, Failure, Intake, Ledger, Refusal, Session};

use crate::enclave::Enclave;
use crate::intake;

/// How long standard output may take a signature of some hundred bytes.
pub(crate) const OUTPUT_PATIENCE: Duration = Duration::from_secs(10);

/// A confined enclave. That one exists proves that lock-down has succeeded.
pub struct Confined {
    enclave: Enclave,
}

impl Confined {
    pub(crate) fn new(enclave: Enclave) -> Self {
        Self { enclave }
    }

    /// Reads the artifact to its end.
    ///
    /// # Errors
    /// The input is not what it must be; the refusal is recorded.
    pub fn read(&mut self) -> Result<Intake, Failure> {
        let open = &self.enclave.open;
        let (bounds, started, salt) = (open.bounds, open.started, open.salt);
        let declaration = open.declaration.clone();
        let mut intake = self.session().intake(declaration, &salt);
        let inspector = self.enclave.open.inspector.as_ref();
        match intake::read(&mut intake, inspector, &bounds, started) {
            Ok(()) => Ok(intake),
            Err(failure) => Err(self.session().ledger.refuse(failure)),
        }
    }

    /// Hears what the inspector says of what was read, if the key's artifacts are inspected.
    ///
    /// # Errors
    /// The inspector gives no verdict; the refusal is recorded.
    pub fn inspect(&mut self, mut intake: Intake) -> Result<Intake, Failure> {
        let Some(inspector) = self.enclave.open.inspector.take() else {
            return Ok(intake);
        };
        match inspector.conclude() {
            Ok(verdict) => {
                intake.note_verdict(verdict);
                Ok(intake)
            }
            Err(failure) => Err(self.session().refuse(intake, failure)),
        }
    }

    /// Has the policy judge what was read, and records the intent.
    ///
    /// # Errors
    /// The policy refuses, or the sink does.
    pub fn approve(&mut self, intake: Intake) -> Result<Approval, Failure> {
        self.session().approve(intake)
    }

    /// What the device will wait for while it signs, if somebody must do it.
    #[must_use]
    pub fn waits_for(&self) -> Option<&'static str> {
        self.enclave.open.device.signer.waits_for()
    }

    /// Has the device sign, and the signature verified; then records its release.
    ///
    /// # Errors
    /// The device or the sink fails, the signature does not verify, or nobody waits for it.
    pub fn sign(&mut self, approval: Approval) -> Result<DetachedSignature, Failure> {
        let mut session = self.session();
        let signed = session.sign(approval)?;
        if let Err(gone) = intake::check_connection() {
            let failure = Failure::new(Refusal::Output, gone.detail);
            return Err(session.withhold(signed, failure));
        }
        session.release(signed)
    }

    /// Writes the signature by one write(2).
    ///
    /// # Errors
    /// Standard output does not take it; that is recorded.
    pub fn deliver(&mut self, signature: &DetachedSignature) -> Result<(), Failure> {
        write_once(signature.as_bytes())
            .map_err(|detail| self.session().undelivered(signature, &detail))
    }

    fn session(&mut self) -> Session<'_> {
        let Enclave {
            sink,
            subject,
            open,
            ..
        } = &mut self.enclave;
        Session {
            key: &open.key,
            profile: open.profile.clone(),
            policy: open.policy.clone(),
            signer: open.device.signer.as_mut(),
            ledger: Ledger {
                subject: subject.clone(),
                sink,
                clock: SystemTime::now,
            },
        }
    }
}

fn write_once(bytes: &[u8]) -> Result<(), String> {
    let stdout = stdout();
    let mut polled = [PollFd::new(stdout.as_fd(), PollFlags::POLLOUT)];
    let timeout = PollTimeout::try_from(OUTPUT_PATIENCE).unwrap_or(PollTimeout::MAX);
    match poll(&mut polled, timeout) {
        Ok(1..) => {}
        Ok(_) => return Err("standard output is full".to_owned()),
        Err(error) => return Err(error.desc().to_lowercase()),
    }
    match nix::unistd::write(stdout, bytes) {
        Ok(count) if count == bytes.len() => Ok(()),
        Ok(count) => Err(format!(
            "standard output took {count} of {} bytes",
            bytes.len()
        )),
        Err(error) => Err(error.desc().to_lowercase()),
    }
}

/// What the caller is told about `failure`.
pub fn message(refusal: Refusal, id: &dyn std::fmt::Display) -> String {
    if let Refusal::Artifact(code) = refusal {
        return format!(
            "signstar: refused {}: {} (request {id})\n",
            code.number(),
            code.sentence()
        );
    }
    format!(
        "signstar: {} (code {}, request {id})\n",
        refusal.sentence(),
        refusal.code()
    )
}
