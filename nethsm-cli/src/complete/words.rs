//! Words of a line as shells split it, up to where it is written.

/// Splits at spaces that are not quoted. The last word is the one that is being written, empty after a space.
pub(super) fn split(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quote = None;
    let mut chars = line.chars();
    while let Some(char) = chars.next() {
        match (quote, char) {
            (Some(open), char) if char == open => quote = None,
            (None, '\'' | '"') => quote = Some(char),
            (None | Some('"'), '\\') => push(&mut words, chars.next().unwrap_or('\\')),
            (None, ' ' | '\t' | '\n') => {
                if words.last().is_some_and(|last| !last.is_empty()) {
                    words.push(String::new());
                }
            }
            (_, char) => push(&mut words, char),
        }
    }
    words
}

fn push(words: &mut [String], char: char) {
    if let Some(last) = words.last_mut() {
        last.push(char);
    }
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn words_are_those_of_a_shell() {
        for (line, words) in [
            ("a b", &["a", "b"][..]),
            ("a  b ", &["a", "b", ""]),
            (r"a 'b c' d\ e", &["a", "b c", "d e"]),
            (r#"a "b\"c"#, &["a", "b\"c"]),
            ("", &[""]),
        ] {
            assert_eq!(split(line), words, "{line}");
        }
    }
}
