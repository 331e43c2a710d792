//! Rust sources without what is not code: just enough of the language's lexical rules.

/// What happens to the contents of string literals.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Strings {
    /// They stay as they are.
    Kept,
    /// They become spaces, so that a word in a message is not taken for code.
    Blanked,
}

/// The code of a file: comments and test items are spaces, line breaks stay where they are.
pub(crate) fn code(text: &str, strings: Strings) -> String {
    let blanked = without_comments(text, Strings::Blanked);
    let mut chars: Vec<char> = match strings {
        Strings::Blanked => blanked.chars().collect(),
        Strings::Kept => without_comments(text, Strings::Kept).chars().collect(),
    };
    for (start, end) in test_items(&blanked) {
        for place in chars
            .iter_mut()
            .take(end)
            .skip(start)
            .filter(|c| **c != '\n')
        {
            *place = ' ';
        }
    }
    chars.into_iter().collect()
}

/// Both variants have one output character for each input character.
fn without_comments(text: &str, strings: Strings) -> String {
    let chars: Vec<char> = text.chars().collect();
    let at = |index: usize| chars.get(index).copied().unwrap_or('\0');
    let mut out = String::with_capacity(text.len());
    let mut index = 0;
    while index < chars.len() {
        let (length, keep) = match (at(index), at(index + 1)) {
            ('/', '/') => (line_length(&chars, index), false),
            ('/', '*') => (block_length(&chars, index), false),
            ('r', '"' | '#') if !is_word(&chars, index) => match raw_length(&chars, index) {
                Some(length) => (length, strings == Strings::Kept),
                None => (1, true),
            },
            ('"', _) => (string_length(&chars, index), strings == Strings::Kept),
            ('\'', '\\') => (escaped_length(&chars, index), true),
            ('\'', _) if at(index + 2) == '\'' => (3, strings == Strings::Kept),
            _ => (1, true),
        };
        for _ in 0..length {
            let char = at(index);
            out.push(if keep || char == '\n' { char } else { ' ' });
            index += 1;
        }
    }
    out
}

/// Whether the character before `index` makes this the middle of a word.
fn is_word(chars: &[char], index: usize) -> bool {
    index
        .checked_sub(1)
        .and_then(|before| chars.get(before))
        .is_some_and(|before| before.is_alphanumeric() || *before == '_')
}

fn line_length(chars: &[char], start: usize) -> usize {
    chars
        .iter()
        .skip(start)
        .take_while(|char| **char != '\n')
        .count()
}

fn block_length(chars: &[char], start: usize) -> usize {
    let mut depth = 0_usize;
    let mut index = start;
    while index < chars.len() {
        match (chars.get(index), chars.get(index + 1)) {
            (Some('/'), Some('*')) => (depth, index) = (depth + 1, index + 2),
            (Some('*'), Some('/')) => (depth, index) = (depth.saturating_sub(1), index + 2),
            _ => index += 1,
        }
        if depth == 0 {
            break;
        }
    }
    index.min(chars.len()) - start
}

fn string_length(chars: &[char], start: usize) -> usize {
    let mut index = start + 1;
    while let Some(char) = chars.get(index) {
        match char {
            '\\' => index += 2,
            '"' => return index + 1 - start,
            _ => index += 1,
        }
    }
    chars.len() - start
}

/// `'\n'` and the like: from the quote to the one that closes it.
fn escaped_length(chars: &[char], start: usize) -> usize {
    let rest = chars.iter().skip(start + 3);
    rest.take_while(|char| **char != '\'').count().min(10) + 4
}

fn raw_length(chars: &[char], start: usize) -> Option<usize> {
    let hashes = chars
        .iter()
        .skip(start + 1)
        .take_while(|char| **char == '#')
        .count();
    if chars.get(start + 1 + hashes) != Some(&'"') {
        return None;
    }
    let mut index = start + 2 + hashes;
    while index < chars.len() {
        let closes = chars.get(index) == Some(&'"')
            && chars
                .iter()
                .skip(index + 1)
                .take(hashes)
                .filter(|c| **c == '#')
                .count()
                == hashes;
        if closes {
            return Some(index + 1 + hashes - start);
        }
        index += 1;
    }
    Some(chars.len() - start)
}

/// The ranges, in characters, of items under `#[cfg(test)]`.
fn test_items(blanked: &str) -> Vec<(usize, usize)> {
    const MARK: &str = "#[cfg(test)]";
    let mut found = Vec::new();
    let mut offset = 0;
    while let Some(position) = blanked.get(offset..).and_then(|rest| rest.find(MARK)) {
        let start = offset + position;
        let body = blanked.get(start + MARK.len()..).unwrap_or_default();
        let end = start + MARK.len() + item_length(body);
        let chars_before = blanked.get(..start).unwrap_or_default().chars().count();
        let chars_in = blanked.get(start..end).unwrap_or_default().chars().count();
        found.push((chars_before, chars_before + chars_in));
        offset = end;
    }
    found
}

/// The bytes of the item at the start of `code`: up to its `;` or its closing brace.
fn item_length(code: &str) -> usize {
    let mut depth = 0_usize;
    for (index, char) in code.char_indices() {
        match char {
            '{' => depth += 1,
            '}' if depth <= 1 => return index + 1,
            '}' => depth -= 1,
            ';' if depth == 0 => return index + 1,
            _ => {}
        }
    }
    code.len()
}

#[cfg(test)]
mod tests {
    use super::{Strings, code};

    #[test]
    fn comments_strings_and_tests_are_no_code() {
        let text = "let a = \"todo!() // not\"; // todo!()\n/* x /* y */ z */ let b = r#\"q\"#;\n\
                    let c = '\"'; let d = 'x'; fn f<'a>(s: &'a str) {}\n\
                    #[cfg(test)]\nmod tests { fn g() { todo!() } }\nfn h() {}";
        let blanked = code(text, Strings::Blanked);
        assert!(!blanked.contains("todo"));
        assert!(blanked.contains("let b =") && blanked.contains("fn f<'a>(s: &'a str) {}"));
        assert!(blanked.contains("fn h()") && !blanked.contains("fn g()"));
        assert_eq!(blanked.lines().count(), text.lines().count());
        assert!(code(text, Strings::Kept).contains("\"todo!() // not\""));
    }
}
