//! Rules as data: a system call, the arguments it may have, and why it is needed.

use crate::{Arch, ConfineError, Syscall};

/// A system call that is allowed, when all its conditions hold.
///
/// Several rules for one system call are alternatives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// What is allowed.
    pub syscall: Syscall,
    /// What its arguments must be. None means: whatever they are.
    pub conditions: Vec<Condition>,
    /// Why the process needs it.
    pub reason: &'static str,
    /// The scenario of the trace tests in which the release binary makes this call.
    pub scenario: &'static str,
}

impl Rule {
    /// Whether a call with these arguments is what this rule allows.
    pub fn allows(&self, arguments: &[u64; 6]) -> bool {
        self.conditions
            .iter()
            .all(|condition| condition.holds(arguments))
    }

    /// The same rule, seen in another scenario than `sign`.
    #[must_use]
    pub fn in_scenario(mut self, scenario: &'static str) -> Self {
        self.scenario = scenario;
        self
    }

    /// The same rule with one more condition.
    #[must_use]
    pub fn when(mut self, condition: Condition) -> Self {
        self.conditions.push(condition);
        self
    }
}

/// What one argument of a system call must be. Arguments count from 0.
///
/// All but [`Condition::Zero`] look at the lower 32 bits, because that is what the kernel looks at:
/// file descriptors, operations and flags are `int` in its prototypes, and it ignores or refuses
/// the upper half where a prototype says `long` (protections and flags of mappings).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Exactly this value.
    Equals {
        /// Which argument.
        arg: u8,
        /// The value of its lower 32 bits.
        value: u32,
    },
    /// These bits have these values, the others are free.
    MaskedEquals {
        /// Which argument.
        arg: u8,
        /// The bits that are looked at.
        mask: u32,
        /// What they must be.
        value: u32,
    },
    /// Unsigned, not more than this.
    AtMost {
        /// Which argument.
        arg: u8,
        /// The greatest value of its lower 32 bits.
        value: u32,
    },
    /// All 64 bits are zero: a pointer that must be null.
    Zero {
        /// Which argument.
        arg: u8,
    },
}

impl Condition {
    /// No bits but these.
    #[must_use]
    pub const fn within(arg: u8, bits: u32) -> Self {
        Self::MaskedEquals {
            arg,
            mask: !bits,
            value: 0,
        }
    }

    /// Which argument is looked at.
    pub const fn argument(self) -> u8 {
        match self {
            Self::Equals { arg, .. }
            | Self::MaskedEquals { arg, .. }
            | Self::AtMost { arg, .. }
            | Self::Zero { arg } => arg,
        }
    }

    /// Whether it holds for these arguments. An argument beyond the sixth never does.
    pub fn holds(self, arguments: &[u64; 6]) -> bool {
        let Some(&all) = arguments.get(usize::from(self.argument())) else {
            return false;
        };
        let Ok(lower) = u32::try_from(all & u64::from(u32::MAX)) else {
            return false;
        };
        match self {
            Self::Equals { value, .. } => lower == value,
            Self::MaskedEquals { mask, value, .. } => lower & mask == value & mask,
            Self::AtMost { value, .. } => lower <= value,
            Self::Zero { .. } => all == 0,
        }
    }
}

/// A rule for the architecture compiled for: how the needs of a back end enter the table.
///
/// `equals` holds pairs of argument and value, `rule("sendto", &[(0, 5)], "APDUs to the card")` is
/// `sendto` on file descriptor 5. It belongs to the scenario `sign` until [`Rule::in_scenario`]
/// says otherwise.
///
/// # Errors
/// [`ConfineError::UnknownSyscall`].
pub fn rule(name: &str, equals: &[(u8, u32)], reason: &'static str) -> Result<Rule, ConfineError> {
    rule_for(Arch::NATIVE, name, equals, reason)
}

/// [`rule`] for a chosen architecture.
pub(crate) fn rule_for(
    arch: Arch,
    name: &str,
    equals: &[(u8, u32)],
    reason: &'static str,
) -> Result<Rule, ConfineError> {
    Ok(Rule {
        syscall: Syscall::named(name, arch)?,
        conditions: equals
            .iter()
            .map(|&(arg, value)| Condition::Equals { arg, value })
            .collect(),
        reason,
        scenario: "sign",
    })
}
