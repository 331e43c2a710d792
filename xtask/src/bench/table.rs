//! What was measured, as Markdown for docs/performance.md or as JSON.

use serde::Serialize;

use crate::failure::{Because, Result};

/// One thing that was measured for several contestants.
#[derive(Debug, Serialize)]
pub(crate) struct Table {
    /// What, in a heading.
    pub(crate) title: String,
    /// What the values are: `ms`, `MiB`, `per second`.
    pub(crate) unit: &'static str,
    /// How often each was measured.
    pub(crate) repetitions: u32,
    /// The contestants, ours first.
    pub(crate) rows: Vec<Row>,
    /// What was aimed at, and whether it was reached.
    pub(crate) goals: Vec<Goal>,
}

/// One contestant.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    /// Its name.
    pub(crate) name: String,
    /// The median.
    pub(crate) value: f64,
    /// Ours divided by theirs: the median over the pairs.
    pub(crate) ratio: f64,
    /// Ours minus theirs, in the table's unit: the median over the pairs. Not in every table.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) more: Option<f64>,
}

/// A bound on a ratio.
#[derive(Debug, Serialize)]
pub(crate) struct Goal {
    /// In words.
    pub(crate) text: String,
    /// What was measured.
    pub(crate) measured: f64,
    /// Whether that is within the bound.
    pub(crate) reached: bool,
}

impl Table {
    /// Adds the goal that our ratio to `rival` is `bound` at most.
    pub(crate) fn at_most(mut self, rival: &str, bound: f64) -> Self {
        if let Some(measured) = self.ratio(rival) {
            let text = format!("at most {bound:.2} of {rival}");
            self.goals.push(Goal {
                text,
                measured,
                reached: measured <= bound,
            });
        }
        self
    }

    /// Adds the goal that our ratio to `rival` is `bound` at least.
    pub(crate) fn at_least(mut self, rival: &str, bound: f64) -> Self {
        if let Some(measured) = self.ratio(rival) {
            let text = format!("at least {bound:.2} of {rival}");
            self.goals.push(Goal {
                text,
                measured,
                reached: measured >= bound,
            });
        }
        self
    }

    /// Our ratio to a contestant, if it took part.
    pub(crate) fn ratio(&self, rival: &str) -> Option<f64> {
        self.rows
            .iter()
            .find(|row| row.name == rival)
            .map(|row| row.ratio)
    }

    fn markdown(&self) -> String {
        let mut text = format!("### {}\n\n", self.title);
        let differences = self.rows.iter().any(|row| row.more.is_some());
        let (head, rule) = match differences {
            true => (format!(" signstar - this, {} |", self.unit), "---:|"),
            false => (String::new(), ""),
        };
        text.push_str(&format!(
            "| | {}, median of {} | signstar : this |{head}\n|---|---:|---:|{rule}\n",
            self.unit, self.repetitions
        ));
        for row in &self.rows {
            let more = row.more.map(|more| format!(" {more:.2} |"));
            text.push_str(&format!(
                "| {} | {:.2} | {:.3} |{}\n",
                row.name,
                row.value,
                row.ratio,
                more.unwrap_or_default()
            ));
        }
        for goal in &self.goals {
            let said = if goal.reached { "reached" } else { "MISSED" };
            text.push_str(&format!(
                "\nGoal: {}: {:.3}, {said}.\n",
                goal.text, goal.measured
            ));
        }
        text
    }
}

/// Prints them for people.
pub(crate) fn print_markdown(tables: &[Table]) -> Result<()> {
    println!("\nMeasured on {}.\n", machine());
    for table in tables {
        println!("{}", table.markdown());
    }
    println!("To repeat it by hand, with hyperfine and time: `cargo xtask bench --enter`.");
    Ok(())
}

/// Prints them for programs.
pub(crate) fn print_json(tables: &[Table]) -> Result<()> {
    println!(
        "{}",
        serde_json::to_string_pretty(tables).because("cannot print JSON")?
    );
    Ok(())
}

/// The processor and how many of it, for the reader to compare.
fn machine() -> String {
    let cpuinfo = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field = |name: &str| {
        let line = cpuinfo.lines().find(|line| line.starts_with(name));
        line.and_then(|line| line.split(": ").nth(1))
            .unwrap_or_default()
    };
    let flags: Vec<&str> = field("flags")
        .split(' ')
        .filter(|flag| ["sha_ni", "sha512", "avx2", "avx512f", "aes"].contains(flag))
        .collect();
    let count = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    format!(
        "{count} processors of {} ({})",
        field("model name"),
        flags.join(", ")
    )
}
