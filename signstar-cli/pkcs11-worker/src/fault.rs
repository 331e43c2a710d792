//! What a module's return value means to the operator.

use cryptoki::error::{Error, RvError};
use signstar_core::WorkerFault as Fault;

/// The fault behind `error`; `otherwise` where it says nothing that an operator could use.
pub fn of(error: &Error, otherwise: Fault) -> Fault {
    let Error::Pkcs11(value, _) = error else {
        return otherwise;
    };
    match value {
        RvError::PinIncorrect | RvError::PinInvalid | RvError::PinLenRange => Fault::PinWrong,
        RvError::PinLocked => Fault::PinLocked,
        RvError::PinExpired | RvError::UserPinNotInitialized => Fault::PinUnusable,
        RvError::TokenNotPresent
        | RvError::TokenNotRecognized
        | RvError::DeviceRemoved
        | RvError::SessionHandleInvalid
        | RvError::SessionClosed
        | RvError::SlotIdInvalid => Fault::TokenGone,
        RvError::SessionCount => Fault::TokenBusy,
        _ => otherwise,
    }
}
