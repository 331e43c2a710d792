//! What a process with a vendor's PKCS#11 module in it is made of: its confinement, loading the module, finding
//! token and key. `signstar-pkcs11-worker` signs one digest with them. The process that makes keys is another
//! program (`signstar-pkcs11-provisioner`), so that nothing which changes a token is in the one that signs.
//!
//! # What is deliberately absent
//! Making, importing and deleting keys, a log, and any text of the module's: what goes wrong is a number.

pub mod channel;
pub mod confinement;
pub mod fault;
pub mod key;
pub mod module;
pub mod public;
pub mod token;
