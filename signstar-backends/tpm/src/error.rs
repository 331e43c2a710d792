//! What the system's TPM library reports, in the words of the seam. No text carries a code or a
//! byte of the device's own.

use signstar_core::SignerError;
use tss_esapi::Error;
use tss_esapi::constants::response_code::{Tss2ResponseCode, Tss2ResponseCodeKind as Kind};

/// Where a code comes from when not from the TPM: the way to the device (`TSS2_TCTI_RC_LAYER`).
const TCTI: u32 = 0x000a_0000;
/// The other layers of the library: ESYS, SYS, marshalling, and the kernel's resource manager.
const LIBRARY: [u32; 5] = [
    0x0007_0000,
    0x0008_0000,
    0x0009_0000,
    0x000b_0000,
    0x000c_0000,
];

/// `TSS2_SYS_RC_INSUFFICIENT_CONTEXT` and `TSS2_SYS_RC_INSUFFICIENT_RESPONSE`: an answer without a
/// sensible length. tpm2-tss 3.2 says so too where a device hangs up: it then reads no header, and
/// takes as the length what was there.
const NO_ANSWER: [u32; 2] = [0x0008_0012, 0x0008_0013];

/// The library found that the answer was not authenticated as it must be, or made no sense.
pub(crate) fn nonsense() -> SignerError {
    SignerError::Failed(
        "the TPM's answer makes no sense or was changed on its way: look at what is between"
            .to_owned(),
    )
}

/// The error of what was attempted: `doing` is a phrase such as `signing`.
pub(crate) fn failure(doing: &str, error: Error) -> SignerError {
    let Error::Tss2Error(code) = error else {
        return nonsense();
    };
    if is_of(TCTI, code) {
        return SignerError::Unavailable(format!(
            "{doing}: the TPM does not answer: check the device and who may use it"
        ));
    }
    if NO_ANSWER
        .iter()
        .any(|known| Tss2ResponseCode::from(*known) == code)
    {
        return SignerError::Unavailable(format!(
            "{doing}: the TPM has gone, or its answer has a length that cannot be"
        ));
    }
    if LIBRARY.iter().any(|layer| is_of(*layer, code)) {
        return nonsense();
    }
    match code.kind() {
        Some(Kind::AuthFail | Kind::BadAuth) => SignerError::Credential(format!(
            "{doing}: the auth value is wrong, and the TPM may have counted the attempt"
        )),
        Some(Kind::Lockout) => SignerError::Credential(format!(
            "{doing}: the TPM takes no auth value after too many wrong ones: wait, or have its \
             owner reset the lockout"
        )),
        Some(
            Kind::PolicyFail
            | Kind::PcrChanged
            | Kind::AuthType
            | Kind::AuthUnavailable
            | Kind::PolicyCc
            | Kind::Expired,
        ) => SignerError::Credential(format!(
            "{doing}: the key's policy does not hold: the registers have other values, or the \
             configuration names others than the policy"
        )),
        Some(
            Kind::Retry
            | Kind::Yielded
            | Kind::Testing
            | Kind::Canceled
            | Kind::Memory
            | Kind::ObjectMemory
            | Kind::SessionMemory
            | Kind::ObjectHandles
            | Kind::SessionHandles
            | Kind::ContextGap
            | Kind::NvRate
            | Kind::NvUnavailable,
        ) => SignerError::Busy(format!("{doing}: the TPM has no room or no time")),
        Some(Kind::Handle) => {
            SignerError::Failed(format!("{doing}: there is nothing at the handle"))
        }
        Some(Kind::Integrity | Kind::Parent | Kind::Sensitive) => SignerError::Failed(format!(
            "{doing}: the files are damaged or belong to another TPM"
        )),
        Some(Kind::Scheme | Kind::Key | Kind::Attributes | Kind::Hash | Kind::Size) => {
            SignerError::Failed(format!("{doing}: the key cannot do this"))
        }
        Some(Kind::Initialize | Kind::Failure | Kind::Upgrade | Kind::Reboot) => {
            SignerError::Unavailable(format!("{doing}: the TPM is in a state of failure"))
        }
        _ => SignerError::Failed(format!("{doing}: the TPM refuses")),
    }
}

/// Whether the TPM itself has said this, so that it listens to more.
pub(crate) fn is_said_by_tpm(error: Error) -> bool {
    match error {
        Error::WrapperError(_) => false,
        Error::Tss2Error(code) => {
            !is_of(TCTI, code) && !LIBRARY.iter().any(|layer| is_of(*layer, code))
        }
    }
}

/// Whether a code comes from this layer.
fn is_of(layer: u32, code: Tss2ResponseCode) -> bool {
    (0..=0xffff).any(|base| Tss2ResponseCode::from(layer | base) == code)
}
