//! Rules become a seccomp program, and the program is loaded.
//!
//! One program each, default action `KILL_PROCESS` for our own code and an errno for a vendor's, the
//! architecture checked first. Calls of the x32 ABI carry bit 30 in their number and equal no number
//! in the table, so they are treated like any other unlisted call.

use std::collections::BTreeMap;

pub use seccompiler::sock_filter as Instruction;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch,
};

use crate::{Arch, Condition, ConfineError, Rule};

/// ENOSYS, the same number on both architectures.
const NO_SUCH_CALL: u32 = 38;

/// Compiles rules into a program for `arch`, without loading it.
///
/// # Errors
/// [`ConfineError::ForeignRule`], [`ConfineError::Shadowed`], [`ConfineError::Compile`].
pub fn program(rules: &[Rule], arch: Arch) -> Result<Vec<Instruction>, ConfineError> {
    compile(rules, arch, SeccompAction::KillProcess)
}

/// As [`program`], but a call that is not in the table fails with ENOSYS: libraries take that for an
/// old kernel and go another way.
///
/// # Errors
/// Those of [`program`].
pub fn refusing_program(rules: &[Rule], arch: Arch) -> Result<Vec<Instruction>, ConfineError> {
    compile(rules, arch, SeccompAction::Errno(NO_SUCH_CALL))
}

fn compile(
    rules: &[Rule],
    arch: Arch,
    otherwise: SeccompAction,
) -> Result<Vec<Instruction>, ConfineError> {
    // A map from number to alternatives, filled by hand: collecting pairs into it would keep only
    // the last rule of each system call.
    let mut table: BTreeMap<i64, Vec<SeccompRule>> = BTreeMap::new();
    for rule in rules {
        let syscall = rule.syscall;
        if !syscall.belongs_to(arch) {
            return Err(ConfineError::ForeignRule {
                name: syscall.name,
                arch,
            });
        }
        let known = table.contains_key(&syscall.number);
        let alternatives = table.entry(syscall.number).or_default();
        // No alternatives means "allowed whatever the arguments".
        if known && (rule.conditions.is_empty() || alternatives.is_empty()) {
            return Err(ConfineError::Shadowed(syscall.name));
        }
        if !rule.conditions.is_empty() {
            let conditions = rule.conditions.iter().map(|&condition| compiled(condition));
            alternatives.push(SeccompRule::new(conditions.collect::<Result<_, _>>()?)?);
        }
    }
    let target = match arch {
        Arch::X86_64 => TargetArch::x86_64,
        Arch::Aarch64 => TargetArch::aarch64,
    };
    let filter = SeccompFilter::new(table, otherwise, SeccompAction::Allow, target)?;
    Ok(BpfProgram::try_from(filter)?)
}

/// Loads the filter on all threads. From here on an unlisted system call kills the process.
///
/// The last step of lock-down: Landlock must be in force before, because this takes away the calls
/// that it is set up with. Whether it is in force cannot be asked any more without allowing the
/// question for ever; the kernel's answer to the load itself is what is checked, for every thread.
///
/// # Errors
/// Those of [`program`], and [`ConfineError::Load`] (`seccomp(2)`, `SECCOMP_FILTER_FLAG_TSYNC`,
/// Linux 4.14 for `KILL_PROCESS`).
pub fn load_filter(rules: &[Rule]) -> Result<(), ConfineError> {
    let program = program(rules, Arch::NATIVE)?;
    Ok(seccompiler::apply_filter_all_threads(&program)?)
}

/// Loads the filter of [`refusing_program`] on all threads, those of a module among them.
///
/// # Errors
/// Those of [`load_filter`].
pub fn load_refusing_filter(rules: &[Rule]) -> Result<(), ConfineError> {
    let program = refusing_program(rules, Arch::NATIVE)?;
    Ok(seccompiler::apply_filter_all_threads(&program)?)
}

fn compiled(condition: Condition) -> Result<SeccompCondition, seccompiler::BackendError> {
    let (operator, width, value) = match condition {
        Condition::Equals { value, .. } => (SeccompCmpOp::Eq, SeccompCmpArgLen::Dword, value),
        Condition::MaskedEquals { mask, value, .. } => (
            SeccompCmpOp::MaskedEq(mask.into()),
            SeccompCmpArgLen::Dword,
            value,
        ),
        Condition::AtMost { value, .. } => (SeccompCmpOp::Le, SeccompCmpArgLen::Dword, value),
        Condition::Zero { .. } => (SeccompCmpOp::Eq, SeccompCmpArgLen::Qword, 0),
    };
    SeccompCondition::new(condition.argument(), width, operator, value.into())
}
