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
            let known = match name {
                "built-from" | "built-to" => "build-age-days-max",
                _ => name,
            };
            // The configuration has no such rule for this kind: it would never refuse anything.
            if !kind.rules().contains(&known) {
                return Err(OrderError);
            }
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
            &["pacman-package", "--", "built-from=x"],
            &["pacman-package", "--", "built-to=x"],
            &["pacman-package", "--", "build-age-days-max=1"],
            &["iso", "--", "unpacked-bytes-max=1x"],
            &["iso", "--", "unpacked-bytes-max="],
        ] {
            assert_eq!(order(arguments), Err(OrderError), "{arguments:?}");
        }
    }

    #[test]
    fn a_rule_that_the_kind_does_not_have_is_no_order() {
        let packages = ["pacman-package", "pacman-database"].as_slice();
        for (rule, kinds) in [
            ("name=x", packages),
            ("base=x", packages),
            ("architecture=x", packages),
            ("packager=x", packages),
            ("build-tool=x", &packages[..1]),
            ("built-from=1", &packages[..1]),
            ("built-to=1", &packages[..1]),
            ("volume=x", &["iso"]),
            (
                "unpacked-bytes-max=1",
                &["pacman-package", "pacman-database", "iso"],
            ),
        ] {
            for kind in ArtifactKind::ALL {
                let taken = order(&[kind.name(), "--", rule]).is_ok();
                assert_eq!(taken, kinds.contains(&kind.name()), "{kind:?} {rule}");
            }
        }
    }
}
