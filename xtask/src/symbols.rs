//! What must not be in the login shell, looked for in its release build.
//!
//! Link-time optimisation leaves only what can be reached: a name that is still there stands for
//! code that a taken-over process could call. Names are looked for in the symbol table and in
//! the strings alike.

use std::path::Path;

use crate::failure::{Because, Failure, Result, none_of};

/// Names of code that makes, imports, exports or deletes keys, and of code that only tests use.
const FORBIDDEN: [&str; 30] = [
    // Making certificates and keys, in Sequoia and its arithmetic.
    "CertBuilder",
    "KeyBuilder",
    "generate_ecc",
    "generate_rsa",
    "generate_dsa",
    // Devices: making, importing, deleting keys, resetting the device.
    "keys_generate_post",
    "keys_post",
    "key_id_delete",
    "factory_reset",
    "provision_post",
    "keys_key_id_put",
    "key_id_move",
    "cert_put",
    "users_user_id",
    "namespaces_",
    "unlock_post",
    "system_backup",
    "system_restore",
    "system_update",
    "cluster_",
    "config_tls_",
    "Esys_Create",
    "Esys_Import",
    "Esys_EvictControl",
    "Esys_Clear",
    "Esys_HierarchyChangeAuth",
    // Ours: what operators and tests have. Modules, as symbols name them: messages may speak of them.
    "9provision",
    "8selftest",
    "signstar_certificate",
    "env_logger",
];

/// Without this name there is no symbol table, and finding nothing would mean nothing.
const PLANTED: &str = "sequoia_openpgp";

/// The program header type of a request for a dynamic linker (ELF specification, `PT_INTERP`).
const PT_INTERP: u32 = 3;

/// How a program is linked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Linked {
    /// No variable and no file has a say in what is loaded.
    Statically,
    /// With the system's libraries.
    Dynamically,
}

/// Judges one program.
pub(crate) fn check(program: &Path, linked: Linked) -> Result<()> {
    let bytes =
        std::fs::read(program).because(format_args!("cannot read {}", program.display()))?;
    if !contains(&bytes, PLANTED.as_bytes()) {
        return Err(Failure::new(format!(
            "{}: has no symbol table",
            program.display()
        )));
    }
    let mut problems: Vec<String> = FORBIDDEN
        .iter()
        .filter(|name| contains(&bytes, name.as_bytes()))
        .map(|name| format!("{name} is in the login shell"))
        .collect();
    match asks_for_linker(&bytes) {
        Some(asks) if asks == (linked == Linked::Dynamically) => {}
        Some(_) => problems.push(format!("the login shell is not linked {linked:?}")),
        None => problems.push("the login shell is not a 64-bit ELF program".to_owned()),
    }
    println!(
        "{} names looked for in {}",
        FORBIDDEN.len(),
        program.display()
    );
    none_of(&problems, "find what reaches it: it must not be linked")
}

/// Whether `needle` occurs in `haystack`.
fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack
        .windows(needle.len())
        .any(|window| window == needle)
}

/// Whether the program wants a dynamic linker; `None` when it is no 64-bit ELF file.
fn asks_for_linker(elf: &[u8]) -> Option<bool> {
    if !elf.starts_with(b"\x7fELF\x02\x01") {
        return None;
    }
    let table = usize::try_from(u64::from_le_bytes(at(elf, 32)?)).ok()?;
    let size = usize::from(u16::from_le_bytes(at(elf, 54)?));
    let count = usize::from(u16::from_le_bytes(at(elf, 56)?));
    for index in 0..count {
        if u32::from_le_bytes(at(elf, table + index * size)?) == PT_INTERP {
            return Some(true);
        }
    }
    Some(false)
}

fn at<const N: usize>(bytes: &[u8], offset: usize) -> Option<[u8; N]> {
    bytes.get(offset..offset.checked_add(N)?)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::{asks_for_linker, contains};

    #[test]
    fn finds_a_planted_name() {
        assert!(contains(b"..11CertBuilder3new..", b"CertBuilder"));
        assert!(!contains(b"..11CertBuilde", b"CertBuilder"));
    }

    #[test]
    fn a_dynamic_program_asks_for_a_linker() {
        let own = std::fs::read("/proc/self/exe").unwrap();
        assert_eq!(asks_for_linker(&own), Some(cfg!(target_env = "gnu")));
        assert_eq!(asks_for_linker(b"#!/bin/sh"), None);
    }
}
