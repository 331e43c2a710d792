//! What stands in a transcript.

/// A command and what is said of it.
pub(crate) struct Step {
    pub(crate) remarks: Vec<String>,
    pub(crate) line: String,
    pub(crate) said: Vec<String>,
    pub(crate) status: i32,
}

/// Words of a line; `'` quotes.
pub(crate) fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let (mut quoted, mut begun) = (false, false);
    for char in line.chars() {
        match char {
            '\'' => (quoted, begun) = (!quoted, true),
            ' ' if !quoted => {
                if begun {
                    words.push(std::mem::take(&mut word));
                }
                begun = false;
            }
            char => {
                word.push(char);
                begun = true;
            }
        }
    }
    if begun {
        words.push(word);
    }
    words
}

pub(crate) fn steps(text: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut remarks = Vec::new();
    for line in text.lines() {
        if let Some(line) = line.strip_prefix("$ ") {
            steps.push(Step {
                remarks: std::mem::take(&mut remarks),
                line: line.to_owned(),
                said: Vec::new(),
                status: 0,
            });
        } else if line.starts_with("#: ") {
            remarks.push(line.to_owned());
        } else if let Some(step) = steps.last_mut() {
            match line.strip_prefix("? ") {
                Some(status) if step.said.is_empty() => step.status = status.parse().unwrap(),
                _ => step.said.push(line.to_owned()),
            }
        }
    }
    steps
}

/// Whether what was said is what was expected; `...` is any number of lines.
pub(crate) fn fits(expected: &[String], said: &[&str]) -> bool {
    match expected.split_first() {
        None => said.is_empty(),
        Some((first, rest)) if first == "..." => {
            (0..=said.len()).any(|skipped| fits(rest, &said[skipped..]))
        }
        Some((first, rest)) => {
            said.first().is_some_and(|line| line == first) && fits(rest, &said[1..])
        }
    }
}
