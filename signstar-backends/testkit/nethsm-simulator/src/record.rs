//! A file of all exchanges, in the form of the recordings: a JSON object a line.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::Path;

use crate::base64;
use crate::exchange::{Request, Response};
use crate::json::writer::{list, number, object, string};

/// Appends an exchange. Passphrases are in it.
pub(crate) fn append(path: &Path, request: &Request, response: &Response) -> io::Result<()> {
    let sent = request.headers.iter();
    let sent = object(sent.map(|(name, value)| (name.as_str(), string(value))));
    let received = response.headers.iter();
    let received = list(received.map(|(name, value)| list([string(name), string(value)])));
    let target = match request.query.as_str() {
        "" => request.path.clone(),
        query => format!("{}?{query}", request.path),
    };
    let mut line = object([
        (
            "request",
            object([
                ("method", string(&request.method)),
                ("path", string(target)),
                ("headers", sent),
                ("body", body(&request.body)),
            ]),
        ),
        (
            "response",
            object([
                ("status", number(response.status)),
                ("headers", received),
                ("body", body(&response.body)),
            ]),
        ),
    ]);
    line.push(b'\n');
    let mut file = OpenOptions::new().create(true).append(true).open(path)?;
    file.write_all(&line)
}

fn body(octets: &[u8]) -> Vec<u8> {
    match std::str::from_utf8(octets) {
        Ok(text) => object([("text", string(text))]),
        Err(_) => object([("base64", string(base64::encode(octets)))]),
    }
}
