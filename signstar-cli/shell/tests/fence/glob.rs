//! Patterns of AppArmor's: `*` within a name, `**` across names, `?`, `[0-9]`, `{a,b}`.

/// Whether `pattern` means `path`.
pub(crate) fn matches(pattern: &str, path: &str) -> bool {
    alternatives(pattern)
        .iter()
        .any(|plain| plain_matches(plain.as_bytes(), path.as_bytes()))
}

/// The patterns that one with `{a,b}` stands for.
fn alternatives(pattern: &str) -> Vec<String> {
    let Some(open) = pattern.find('{') else {
        return vec![pattern.to_owned()];
    };
    let mut depth = 0;
    let mut parts = vec![String::new()];
    for (at, char) in pattern.char_indices().skip(open) {
        match char {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        match (depth, char) {
            (0, _) => {
                let (before, after) = (&pattern[..open], &pattern[at + 1..]);
                let whole = parts.iter().map(|part| format!("{before}{part}{after}"));
                return whole.flat_map(|whole| alternatives(&whole)).collect();
            }
            (1, '{') => {}
            (1, ',') => parts.push(String::new()),
            _ => parts.last_mut().unwrap().push(char),
        }
    }
    panic!("{pattern}: no end of a choice");
}

fn plain_matches(pattern: &[u8], path: &[u8]) -> bool {
    match pattern {
        [] => path.is_empty(),
        [b'*', b'*', rest @ ..] => {
            (0..=path.len()).any(|taken| plain_matches(rest, &path[taken..]))
        }
        [b'*', rest @ ..] => {
            let name = path.iter().take_while(|byte| **byte != b'/').count();
            (0..=name).any(|taken| plain_matches(rest, &path[taken..]))
        }
        [b'?', rest @ ..] => {
            path.first().is_some_and(|byte| *byte != b'/') && plain_matches(rest, &path[1..])
        }
        [b'[', rest @ ..] => {
            let end = rest.iter().position(|byte| *byte == b']').unwrap();
            let (set, rest) = (&rest[..end], &rest[end + 1..]);
            path.first().is_some_and(|byte| is_in(set, *byte)) && plain_matches(rest, &path[1..])
        }
        [byte, rest @ ..] => path.first() == Some(byte) && plain_matches(rest, &path[1..]),
    }
}

fn is_in(set: &[u8], byte: u8) -> bool {
    match set {
        [] => false,
        [first, b'-', last, rest @ ..] => (*first..=*last).contains(&byte) || is_in(rest, byte),
        [one, rest @ ..] => *one == byte || is_in(rest, byte),
    }
}

#[test]
fn patterns_mean_what_the_manual_says() {
    for (pattern, path, meant) in [
        ("/etc/*", "/etc/passwd", true),
        ("/etc/*", "/etc/ssh/sshd_config", false),
        ("/etc/**", "/etc/ssh/sshd_config", true),
        ("/proc/{[1-9],[1-9][0-9]}/fd/", "/proc/7/fd/", true),
        ("/proc/{[1-9],[1-9][0-9]}/fd/", "/proc/70/fd/", true),
        ("/proc/{[1-9],[1-9][0-9]}/fd/", "/proc/self/fd/", false),
        ("/{usr/,}lib{,32}/**.so*", "/usr/lib/a/b.so.1", true),
        ("/{usr/,}lib{,32}/**.so*", "/lib32/b.so", true),
        ("/a{b,c{d,e}}f", "/acef", true),
        ("/a{b,c{d,e}}f", "/acf", false),
        ("/dev/tpmrm[0-9]*", "/dev/tpmrm0", true),
        ("/dev/tpm?", "/dev/tpm", false),
    ] {
        assert_eq!(matches(pattern, path), meant, "{pattern} {path}");
    }
}
