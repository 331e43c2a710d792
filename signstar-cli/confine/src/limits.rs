//! Resource limits: what the kernel would refuse even to a call that the filter allows.

use nix::sys::resource::{Resource, getrlimit, rlim_t, setrlimit};

use crate::ConfineError;

/// The limits that differ between programs. All others are fixed: no core dump, no file written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Highest number of open file descriptors, counting the three standard streams.
    pub open_files: u64,
    /// Size of the address space, in bytes. Counts reserved memory and mapped libraries.
    pub address_space_bytes: u64,
}

/// Lowers the limits that hold from the start.
///
/// The file size limit is zero here, but not yet for ever: see [`limit_file_size`].
pub(crate) fn apply(limits: &Limits) -> Result<(), ConfineError> {
    lower(Resource::RLIMIT_CORE, 0, "limit core dumps")?;
    lower(
        Resource::RLIMIT_NOFILE,
        limits.open_files,
        "limit open files",
    )?;
    lower(
        Resource::RLIMIT_AS,
        limits.address_space_bytes,
        "limit address space",
    )?;
    let step = "limit file size";
    let resource = Resource::RLIMIT_FSIZE;
    let (_, hard) = get(resource, step)?;
    set(resource, 0, hard, step)
}

/// Lets files grow to so many bytes and no further: zero unless there is a file to append to.
///
/// Called when the configuration is known. Without this call the limit is zero: that is what
/// [`harden`](crate::harden) sets. A write beyond it ends the process with SIGXFSZ. Pipes and
/// sockets are not files in this sense; standard error redirected to a file is.
///
/// The process itself could still raise the limit again, and a helper that it starts does:
/// [`limit_file_size`] must follow before lock-down ends.
///
/// # Errors
/// [`ConfineError::LimitTooLow`] when the process was started under a lower limit: a file that may
/// grow to `bytes` would end it in the middle. [`ConfineError::Refused`],
/// [`ConfineError::NotInForce`].
pub fn allow_file_size(bytes: u64) -> Result<(), ConfineError> {
    let step = "limit file size";
    let resource = Resource::RLIMIT_FSIZE;
    let (_, inherited) = get(resource, step)?;
    if inherited < bytes {
        return Err(ConfineError::LimitTooLow { step, inherited });
    }
    set(resource, bytes, inherited, step)
}

/// Makes the limit of [`allow_file_size`] one that cannot be raised.
///
/// # Errors
/// [`ConfineError::Refused`], [`ConfineError::NotInForce`].
pub fn limit_file_size(bytes: u64) -> Result<(), ConfineError> {
    lower(Resource::RLIMIT_FSIZE, bytes, "limit file size")
}

/// Lets the process use so many seconds of processor time; then it ends with SIGXCPU.
///
/// # Errors
/// [`ConfineError::Refused`], [`ConfineError::NotInForce`].
pub fn limit_processor(seconds: u64) -> Result<(), ConfineError> {
    lower(Resource::RLIMIT_CPU, seconds, "limit processor time")
}

/// Lowers the address space limit that [`harden`](crate::harden) has set, once the configuration
/// is known.
///
/// # Errors
/// [`ConfineError::Refused`], [`ConfineError::NotInForce`].
pub fn limit_memory(bytes: u64) -> Result<(), ConfineError> {
    lower(Resource::RLIMIT_AS, bytes, "limit address space")
}

/// Sets soft and hard limit to `wanted`, or to the hard limit where that is lower already.
fn lower(resource: Resource, wanted: rlim_t, step: &'static str) -> Result<(), ConfineError> {
    let (_, hard) = get(resource, step)?;
    let limit = wanted.min(hard);
    set(resource, limit, limit, step)
}

fn get(resource: Resource, step: &'static str) -> Result<(rlim_t, rlim_t), ConfineError> {
    getrlimit(resource).map_err(|source| ConfineError::Refused { step, source })
}

fn set(
    resource: Resource,
    soft: rlim_t,
    hard: rlim_t,
    step: &'static str,
) -> Result<(), ConfineError> {
    setrlimit(resource, soft, hard).map_err(|source| ConfineError::Refused { step, source })?;
    if get(resource, step)? == (soft, hard) {
        Ok(())
    } else {
        Err(ConfineError::NotInForce { step })
    }
}
