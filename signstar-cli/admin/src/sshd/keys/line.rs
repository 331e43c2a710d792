//! One line of a file of keys or principals: sshd(8), "AUTHORIZED_KEYS FILE FORMAT".

use signstar::identity::parse_public_key;

use crate::finding::Weight;

/// What is wrong with a line, as weight, sentence and mending.
pub(super) type Found = (Weight, &'static str, &'static str);

/// Options that take back what `restrict` forbids.
const GRANTS: [&str; 7] = [
    "agent-forwarding",
    "permitlisten",
    "permitopen",
    "port-forwarding",
    "pty",
    "user-rc",
    "x11-forwarding",
];

/// Looks at a key with its options.
pub(super) fn check_key(line: &str) -> Vec<Found> {
    let (options, key) = split(line);
    if parse_public_key(key).is_err() {
        return vec![(Weight::Problem, "a line holds no key", "mend or remove it")];
    }
    let mut found = check_options(&options);
    let is_authority = options
        .iter()
        .any(|option| name(option) == "cert-authority");
    let names_principals = options.iter().any(|option| name(option) == "principals");
    if is_authority && !names_principals {
        found.push((
            Weight::Advice,
            "an authority among the keys names no principals",
            "add principals=\"…\"",
        ));
    }
    found
}

/// Looks at a principal with its options. From where its certificates may come, they say themselves.
pub(super) fn check_principal(line: &str) -> Vec<Found> {
    let (options, principal) = split(line);
    let mut found = check_options(&options);
    found.retain(|(weight, _, _)| *weight == Weight::Problem);
    if principal.contains('*') {
        found.push((
            Weight::Advice,
            "a principal looks like a pattern",
            "write its whole name, since sshd knows no patterns there",
        ));
    }
    found
}

fn check_options(options: &[&str]) -> Vec<Found> {
    let has = |wanted: &str| options.iter().any(|option| name(option) == wanted);
    let mut found = Vec::new();
    if !has("restrict") {
        found.push((Weight::Advice, "a key is not restricted", "add `restrict`"));
    }
    if !has("from") {
        found.push((
            Weight::Advice,
            "a key may be used from everywhere",
            "add from=\"…\"",
        ));
    }
    if GRANTS.into_iter().any(has) {
        found.push((
            Weight::Problem,
            "a key may do more than ask for signatures",
            "remove what takes back `restrict`",
        ));
    }
    if has("environment") {
        found.push((
            Weight::Problem,
            "a key sets variables",
            "remove environment=\"…\"",
        ));
    }
    if has("command") {
        found.push((
            Weight::Problem,
            "a key names a command of its own",
            "remove command=\"…\"",
        ));
    }
    found
}

/// The name of an option, without its value.
fn name(option: &str) -> String {
    let name = option.split('=').next().unwrap_or_default();
    name.to_ascii_lowercase()
}

/// The options in front, and the rest of the line. Options have no space outside of quotes.
fn split(line: &str) -> (Vec<&str>, &str) {
    if parse_public_key(line).is_ok() {
        return (Vec::new(), line);
    }
    let mut is_quoted = false;
    let mut escaped = false;
    let end = line.char_indices().find(|(_, char)| {
        let is_end = !is_quoted && [' ', '\t'].contains(char);
        if *char == '"' && !escaped {
            is_quoted = !is_quoted;
        }
        escaped = *char == '\\';
        is_end
    });
    let Some((end, _)) = end else {
        return (Vec::new(), line);
    };
    let (options, rest) = line.split_at(end);
    (commas(options), rest.trim_start())
}

/// Splits at commas outside of quotes.
fn commas(text: &str) -> Vec<&str> {
    let mut is_quoted = false;
    let mut parts = text.split(move |char: char| {
        if char == '"' {
            is_quoted = !is_quoted;
        }
        char == ',' && !is_quoted
    });
    let mut found: Vec<&str> = parts.by_ref().collect();
    found.retain(|part| !part.is_empty());
    found
}

#[cfg(test)]
mod tests {
    use super::{commas, split};

    const KEY: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAII0eY25oXSSqt9jbwGAzD5od2t80X7olNzbIK/50t6wC";

    #[test]
    fn options_are_what_stands_before_the_key() {
        assert_eq!(split(KEY), (vec![], KEY));
        let line = format!("restrict,from=\"a b,c\",command=\"say \\\" x\" {KEY}");
        let (options, key) = split(&line);
        assert_eq!(options.first(), Some(&"restrict"));
        assert_eq!(options.get(1), Some(&"from=\"a b,c\""));
        assert_eq!(key, KEY);
    }

    #[test]
    fn a_comma_between_quotes_is_part_of_a_value() {
        assert_eq!(commas("a,b=\"c,d\",e"), ["a", "b=\"c,d\"", "e"]);
    }
}
