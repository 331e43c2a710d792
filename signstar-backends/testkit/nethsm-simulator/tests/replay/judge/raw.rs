//! Whether two connections say the same, octet by octet.

use super::Judge;

impl Judge {
    /// What differs in octets of a connection; names of headers in any case and order.
    pub(crate) fn raw(&self, recorded: &str, received: &[u8]) -> Vec<String> {
        let received = String::from_utf8_lossy(received);
        let (wanted, got) = (answers(&self.ours(recorded)), answers(&received));
        if wanted.len() != got.len() {
            return vec![format!("{received:?} instead of {recorded:?}")];
        }
        let mut problems = Vec::new();
        for (wanted, got) in wanted.into_iter().zip(got) {
            if wanted.0 != got.0 {
                problems.push(format!("first line {:?} instead of {:?}", got.0, wanted.0));
            }
            if wanted.1 != got.1 {
                problems.push(format!("headers {:?} instead of {:?}", got.1, wanted.1));
            }
            if wanted.2 != got.2 {
                problems.push(format!("body {:?} instead of {:?}", got.2, wanted.2));
            }
        }
        problems
    }
}

type Answer = (String, Vec<String>, String);

/// First line, headers in lower case and order, and body of each answer.
fn answers(text: &str) -> Vec<Answer> {
    let mut answers = Vec::new();
    let mut rest = text;
    while let Some((head, after)) = rest.split_once("\r\n\r\n") {
        let mut lines = head.split("\r\n");
        let first = lines.next().unwrap().to_owned();
        let mut headers: Vec<String> = lines
            .map(str::to_lowercase)
            .filter(|line| !line.starts_with("date:"))
            .collect();
        headers.sort();
        let length = headers
            .iter()
            .find_map(|line| line.strip_prefix("content-length: "));
        let length: usize = length.map_or(0, |length| length.parse().unwrap());
        let (body, next) = after.split_at(length);
        answers.push((first, headers, body.to_owned()));
        rest = next;
    }
    answers
}
