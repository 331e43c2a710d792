//! Patterns in rules: `*` stands for any text, everything else for itself.
//!
//! Absent: everything else that patterns elsewhere can do. Matching takes at most the product of both
//! lengths, whatever the pattern.

/// Whether `text` is what `pattern` says.
pub fn matches_pattern(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or("");
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let Some(last) = parts.next_back() else {
        return rest.is_empty();
    };
    for part in parts {
        let Some((_, behind)) = rest.split_once(part) else {
            return false;
        };
        rest = behind;
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::matches_pattern;

    #[test]
    fn a_pattern_matches_what_it_says_and_nothing_else() {
        for (pattern, text, expected) in [
            ("linux", "linux", true),
            ("linux", "linux-lts", false),
            ("linux*", "linux", true),
            ("linux*", "linux-lts", true),
            ("linux*", "util-linux", false),
            ("*linux", "util-linux", true),
            ("a*b*c", "a-b-c", true),
            ("a*b*c", "a-c", false),
            ("a*b*c", "abbc", true),
            ("a*a", "a", false),
            ("*", "", true),
            ("", "", true),
            ("", "a", false),
            ("x*yz*z", "xyz", false),
            // The first place where a part stands leaves most for the others.
            ("*a*b*", "aba", true),
            ("*linux", "linux-lts", false),
            ("a*c", "a-c-d", false),
        ] {
            assert_eq!(matches_pattern(pattern, text), expected, "{pattern} {text}");
        }
    }
}
