//! What a check has found: problems, which keep something from working or from being safe, and
//! advice, without which it works.

use serde::Serialize;

/// One sentence: what does not hold, a colon, and how to mend it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Finding {
    /// Line in the file that is checked, where that is what is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) line: Option<usize>,
    /// The account that it concerns, where it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) user: Option<String>,
    pub(crate) text: String,
}

/// Everything that a check has found.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Findings {
    pub(crate) problems: Vec<Finding>,
    pub(crate) advice: Vec<Finding>,
}

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weight {
    Problem,
    Advice,
}

impl Findings {
    /// Notes what concerns the whole machine.
    pub(crate) fn add(&mut self, weight: Weight, text: impl ToString) {
        self.push(weight, None, text.to_string());
    }

    /// Notes what concerns one account.
    pub(crate) fn add_for(&mut self, user: &str, weight: Weight, text: impl ToString) {
        self.push(weight, Some(user.to_owned()), text.to_string());
    }

    /// Notes a problem with a line of the file.
    pub(crate) fn add_at(&mut self, line: usize, text: String) {
        self.problems.push(Finding {
            line: Some(line),
            user: None,
            text,
        });
    }

    fn push(&mut self, weight: Weight, user: Option<String>, text: String) {
        // A name in it may hold anything; a finding stays one line and moves no cursor.
        let text = text.replace(char::is_control, "\u{fffd}");
        let finding = Finding {
            line: None,
            user,
            text,
        };
        let list = match weight {
            Weight::Problem => &mut self.problems,
            Weight::Advice => &mut self.advice,
        };
        // What several accounts share is said once for each of them, and once for the machine.
        if !list.contains(&finding) {
            list.push(finding);
        }
    }

    /// A line for each, `subject` in front.
    pub(crate) fn lines(&self, subject: &str) -> Vec<String> {
        let problems = self.problems.iter().map(|found| found.shown(subject, ""));
        let advice = self.advice.iter();
        let advice = advice.map(|found| found.shown(subject, " advice:"));
        problems.chain(advice).collect()
    }

    /// How many there are, in words.
    pub(crate) fn count(&self) -> String {
        let problems = match self.problems.len() {
            0 => "no problem".to_owned(),
            1 => "1 problem".to_owned(),
            count => format!("{count} problems"),
        };
        match self.advice.len() {
            0 => problems,
            1 => format!("{problems}, 1 piece of advice"),
            count => format!("{problems}, {count} pieces of advice"),
        }
    }
}

impl Finding {
    fn shown(&self, subject: &str, kind: &str) -> String {
        let line = self.line.map(|line| format!(" line {line}:"));
        let user = self.user.as_ref().map(|user| format!(" [user.{user}]"));
        let [line, user] = [line, user].map(Option::unwrap_or_default);
        format!("{subject}:{kind}{line}{user} {}", self.text)
    }
}
