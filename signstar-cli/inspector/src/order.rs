//! What the inspector is to look for, as its arguments: the kind and the rules.

use crate::{ArtifactKind, Rules};

/// A kind and the rules for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Order {
    /// What the artifact must be.
    pub kind: ArtifactKind,
    /// What it may say of itself: each of these sets must allow it.
    pub rules: Vec<Rules>,
}

/// The arguments are not an order. A fault of whoever starts the inspector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not of the form KIND [-- [RULE=VALUE]...]...")]
pub struct OrderError;

impl Order {
    /// Reads arguments: the kind, then each set of rules behind a `--`.
    ///
    /// # Errors
    /// Anything else.
    pub fn from_arguments(arguments: impl Iterator<Item = String>) -> Result<Self, OrderError> {
        let mut arguments = arguments;
        let name = arguments.next().ok_or(OrderError)?;
        let mut kinds = ArtifactKind::ALL.into_iter();
        let kind = kinds.find(|kind| kind.name() == name).ok_or(OrderError)?;
        let mut rules: Vec<Rules> = Vec::new();
        for argument in arguments {
            if argument == "--" {
                rules.push(Rules::default());
                continue;
            }
            let (name, value) = argument.split_once('=').ok_or(OrderError)?;
            let set = rules.last_mut().ok_or(OrderError)?;
            set.add(name, value).ok_or(OrderError)?;
        }
        Ok(Self { kind, rules })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(arguments: &[&str]) -> Result<Order, OrderError> {
        Order::from_arguments(arguments.iter().map(|text| (*text).to_owned()))
    }

    #[test]
    fn an_order_is_a_kind_and_sets_of_rules() {
        for kind in ArtifactKind::ALL {
            let rules = Vec::new();
            assert_eq!(order(&[kind.name()]), Ok(Order { kind, rules }));
        }
        let named = |name: &str| Rules {
            names: vec![name.to_owned()],
            ..Rules::default()
        };
        let kind = ArtifactKind::PacmanDatabase;
        let rules = vec![named("a=b"), Rules::default(), named("--x")];
        assert_eq!(
            order(&["pacman-database", "--", "name=a=b", "--", "--", "name=--x"]),
            Ok(Order { kind, rules })
        );
    }

    #[test]
    fn anything_else_is_no_order() {
        for arguments in [
            &[][..],
            &["--"],
            &["any"],
            &["isolinux"],
            &["is"],
            &["iso", "volume=x"],
            &["iso", "--", "volume"],
            &["iso", "--", "volumes=x"],
            &["iso", "--", "built-from=x"],
            &["iso", "--", "built-to=x"],
            &["iso", "--", "unpacked-bytes-max=1x"],
            &["iso", "--", "unpacked-bytes-max="],
        ] {
            assert_eq!(order(arguments), Err(OrderError), "{arguments:?}");
        }
    }
}
