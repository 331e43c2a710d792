//! What the inspector is to look for, as its arguments: the kind and the rules.

use crate::{ArtifactKind, Rules};

/// A kind and the rules for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Order {
    /// What the artifact must be.
    pub kind: ArtifactKind,
    /// What it may say of itself.
    pub rules: Rules,
}

/// The arguments are not an order. A fault of whoever starts the inspector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not of the form KIND [RULE=PATTERN]...")]
pub struct OrderError;

impl Order {
    /// The arguments that say this order.
    pub fn arguments(&self) -> Vec<String> {
        let mut arguments = vec![self.kind.name().to_owned()];
        for (name, patterns) in self.rules.named() {
            arguments.extend(patterns.iter().map(|pattern| format!("{name}={pattern}")));
        }
        arguments
    }

    /// Reads what [`Order::arguments`] wrote.
    ///
    /// # Errors
    /// Anything else.
    pub fn from_arguments(arguments: impl Iterator<Item = String>) -> Result<Self, OrderError> {
        let mut arguments = arguments;
        let name = arguments.next().ok_or(OrderError)?;
        let mut kinds = ArtifactKind::ALL.into_iter();
        let kind = kinds.find(|kind| kind.name() == name).ok_or(OrderError)?;
        let mut rules = Rules::default();
        for argument in arguments {
            let (name, pattern) = argument.split_once('=').ok_or(OrderError)?;
            let patterns = rules.named_mut(name).ok_or(OrderError)?;
            patterns.push(pattern.to_owned());
        }
        Ok(Self { kind, rules })
    }
}
