//! `audit list`: who had what signed, when and with which key.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::time::SystemTime;

use serde::Serialize;
use signstar_core::{Event, Field, Record, RequestId};

use super::filter::Filter;
use super::{chosen, read, words};
use crate::cli::{ListAudit, Output};
use crate::failure::Failure;
use crate::report::Report;

/// So many digits of a digest tell artifacts apart in a table.
const DIGITS_SHOWN: usize = 16;

#[derive(Serialize)]
struct Listed {
    #[serde(skip)]
    kept: &'static [Field],
    requests: Vec<Request>,
    /// What is no record; `audit check` says where.
    damaged: usize,
}

/// One request.
#[derive(Serialize)]
struct Request {
    request: String,
    records: Vec<Noted>,
}

/// One of its records.
#[derive(Serialize)]
struct Noted {
    event: &'static str,
    time: String,
    #[serde(flatten)]
    fields: BTreeMap<&'static str, String>,
}

/// What a table shows; nothing else is kept for one.
const SHOWN: [Field; 6] = [
    Field::User,
    Field::Address,
    Field::Key,
    Field::Input,
    Field::Bytes,
    Field::Code,
];

/// Lists requests, in the order of their first records.
pub(crate) fn list(config: &Path, options: &ListAudit, output: Output) -> Result<Report, Failure> {
    let filter = Filter::new(&options.which, SystemTime::now())?;
    let kept: &'static [Field] = match output {
        Output::Text => &SHOWN,
        Output::Json => &Field::ALL,
    };
    let mut listed = Listed {
        kept,
        requests: Vec::new(),
        damaged: 0,
    };
    let mut known: HashMap<RequestId, usize> = HashMap::new();
    for log in &chosen(&options.logs, config)? {
        read(log, &mut |entry| match entry.found {
            Ok(record) => listed.take(&mut known, &filter, &record),
            Err(_) => listed.damaged += 1,
        })?;
    }
    if listed.damaged > 0 {
        log::warn!(
            "{}: `audit check` says where",
            words::count(listed.damaged, "line is no record", "lines are no records")
        );
    }
    match output {
        Output::Text => Report::new(listed.text(), &()),
        Output::Json => Report::new(String::new(), &listed),
    }
}

impl Listed {
    /// Takes a record that is asked for, or of a request that has one.
    fn take(&mut self, known: &mut HashMap<RequestId, usize>, filter: &Filter, record: &Record) {
        let at = match known.get(&record.id) {
            Some(at) => *at,
            None if filter.takes(record) => {
                self.requests.push(Request {
                    request: record.id.to_string(),
                    records: Vec::new(),
                });
                let at = self.requests.len() - 1;
                known.insert(record.id, at);
                at
            }
            None => return,
        };
        if let Some(request) = self.requests.get_mut(at) {
            request.records.push(Noted::new(record, self.kept));
        }
    }

    fn text(&self) -> String {
        let rows = self.requests.iter().map(Request::row);
        let head = [
            "TIME", "USER", "KEY", "END", "BYTES", "ARTIFACT", "ADDRESS", "REQUEST",
        ];
        let rows: Vec<[String; 8]> = std::iter::once(head.map(str::to_owned))
            .chain(rows)
            .collect();
        let mut widths = [0; 8];
        for row in &rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = cell.len().max(*width);
            }
        }
        let mut text = String::new();
        for row in rows {
            let cells = row.iter().zip(widths).enumerate();
            let line: String = cells
                .map(|(column, (cell, width))| match column {
                    // Numbers end where others do.
                    4 => format!("{cell:>width$}  "),
                    _ => format!("{cell:<width$}  "),
                })
                .collect();
            text += line.trim_end();
            text.push('\n');
        }
        text
    }
}

impl Noted {
    fn new(record: &Record, kept: &[Field]) -> Self {
        let fields = record.fields().filter(|(field, _)| kept.contains(field));
        Self {
            event: record.event.name(),
            time: words::moment(record.time),
            fields: fields
                .map(|(field, value)| (field.name(), value.to_owned()))
                .collect(),
        }
    }
}

impl Request {
    fn row(&self) -> [String; 8] {
        // What is known grows from record to record; an undelivered has less.
        let value = |field: Field| {
            let mut values = self.records.iter().rev();
            values.find_map(|record| record.fields.get(field.name()))
        };
        let shown = |field| value(field).map_or_else(|| "-".to_owned(), |text| words::plain(text));
        let input = value(Field::Input).and_then(|input| input.split_once(':'));
        let digits = input.map(|(_, digits)| digits.chars().take(DIGITS_SHOWN).collect());
        let digits: String = digits.unwrap_or_else(|| "-".to_owned());
        [
            self.records
                .first()
                .map_or("-", |first| first.time.as_str())
                .to_owned(),
            shown(Field::User),
            shown(Field::Key),
            self.end(),
            shown(Field::Bytes),
            words::plain(&digits),
            shown(Field::Address),
            self.request.clone(),
        ]
    }

    /// How it ended, as far as that is listed.
    fn end(&self) -> String {
        match self.records.last() {
            Some(last) if last.event == Event::Intent.name() => "open".to_owned(),
            Some(last) => match last.fields.get(Field::Code.name()) {
                Some(code) => format!("{} {}", last.event, words::plain(code)),
                None => last.event.to_owned(),
            },
            None => "-".to_owned(),
        }
    }
}
