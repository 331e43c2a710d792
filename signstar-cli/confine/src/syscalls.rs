//! System calls by name, for the architecture compiled for and for the other one.
//!
//! Both tables are data, so that the filter of either architecture can be compiled, interpreted and
//! compared anywhere. Deliberately absent: the x32 and 32-bit tables. Their calls are never
//! allowed: i386 and arm calls carry another architecture, x32 calls a bit in their number.

mod aarch64;
mod check;
mod common;
mod x86_64;

use std::fmt;

use crate::ConfineError;

/// An architecture with a table and a filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arch {
    /// 64-bit x86.
    X86_64,
    /// 64-bit Arm. Built and checked by interpretation, not run.
    Aarch64,
}

impl Arch {
    /// The architecture compiled for. Others do not compile.
    #[cfg(target_arch = "x86_64")]
    pub const NATIVE: Self = Self::X86_64;
    /// The architecture compiled for. Others do not compile.
    #[cfg(target_arch = "aarch64")]
    pub const NATIVE: Self = Self::Aarch64;

    /// Every system call of this architecture, sorted by number.
    pub fn syscalls(self) -> impl Iterator<Item = Syscall> {
        self.own()
            .iter()
            .chain(common::COMMON)
            .map(|&(name, number)| Syscall { name, number })
    }

    /// Those below the common ones.
    const fn own(self) -> &'static [(&'static str, i64)] {
        match self {
            Self::X86_64 => x86_64::X86_64,
            Self::Aarch64 => aarch64::AARCH64,
        }
    }
}

impl fmt::Display for Arch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::X86_64 => "x86_64",
            Self::Aarch64 => "aarch64",
        })
    }
}

/// A system call of one architecture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Syscall {
    /// Its name in the kernel's table, such as `read`.
    pub name: &'static str,
    /// Its number on the architecture it was looked up for.
    pub number: i64,
}

impl Syscall {
    /// Looks a system call up by name.
    ///
    /// # Errors
    /// [`ConfineError::UnknownSyscall`] when the architecture has none of this name.
    pub fn named(name: &str, arch: Arch) -> Result<Self, ConfineError> {
        arch.syscalls()
            .find(|syscall| syscall.name == name)
            .ok_or_else(|| ConfineError::UnknownSyscall {
                name: name.to_owned(),
                arch,
            })
    }

    /// Whether this is a system call of `arch`, name and number.
    pub(crate) fn belongs_to(self, arch: Arch) -> bool {
        arch.syscalls().any(|syscall| syscall == self)
    }
}
