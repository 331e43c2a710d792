//! What goes into an operation with a key, and what comes out.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use base64ct::{Base64, Encoding as _};
use clap::{Args, ValueEnum};
use serde_json::json;
use zeroize::Zeroizing;

use crate::failure::Failure;
use crate::report::Report;

/// What a device takes at once, as base64 in 67 MiB.
const MESSAGE_BYTES_MAX: u64 = 50 << 20;

/// What goes in and where it goes.
#[derive(Args, Debug)]
pub(crate) struct Data {
    /// The file to read; - for standard input
    #[arg(short, long, value_name = "FILE", default_value = "-")]
    input: PathBuf,
    /// The file to write [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// In which form
    #[arg(
        long = "format",
        alias = "form",
        value_name = "FORMAT",
        value_enum,
        default_value = "raw"
    )]
    form: Form,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Form {
    Raw,
    Base64,
    Hex,
}

impl Form {
    /// What stands in a file of this form; space around it does not matter, but in a raw one.
    pub(crate) fn decoded(self, bytes: &[u8]) -> Result<Vec<u8>, Failure> {
        let text: String = std::str::from_utf8(bytes)
            .unwrap_or_default()
            .split_whitespace()
            .collect();
        let found = match self {
            Self::Raw => Some(bytes.to_vec()),
            Self::Base64 => Base64::decode_vec(&text).ok(),
            Self::Hex => {
                let digit = |at: usize| u8::from_str_radix(text.get(at..at + 2)?, 16).ok();
                (0..text.len()).step_by(2).map(digit).collect()
            }
        };
        found.ok_or_else(|| Failure::usage("the input is not of that --format"))
    }
}

/// The bytes of an answer.
pub(crate) fn decoded(text: &str) -> Result<Zeroizing<Vec<u8>>, Failure> {
    Base64::decode_vec(text)
        .map(Zeroizing::new)
        .map_err(|_| Failure::failed("the device has sent no base64"))
}

/// A file as a whole; `-` is standard input.
pub(crate) fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let mut bytes = Zeroizing::new(Vec::new());
    let read = match path.as_os_str() == "-" {
        true => std::io::stdin()
            .lock()
            .take(MESSAGE_BYTES_MAX + 1)
            .read_to_end(&mut bytes),
        false => std::fs::File::open(path)
            .and_then(|file| file.take(MESSAGE_BYTES_MAX + 1).read_to_end(&mut bytes)),
    };
    let count = read.map_err(|error| Failure::with(path, &error))?;
    match u64::try_from(count) {
        Ok(count) if count <= MESSAGE_BYTES_MAX => Ok(bytes),
        _ => Err(Failure::usage("the input is longer than 50 MiB")),
    }
}

impl Data {
    pub(crate) fn read(&self) -> Result<Zeroizing<Vec<u8>>, Failure> {
        read(&self.input)
    }

    pub(crate) fn report(&self, bytes: &[u8], mode: u32, name: &str) -> Result<Report, Failure> {
        let written = match self.form {
            Form::Raw => bytes.to_vec(),
            Form::Base64 => format!("{}\n", Base64::encode_string(bytes)).into_bytes(),
            Form::Hex => {
                let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
                format!("{digits}\n").into_bytes()
            }
        };
        let mut report = Report::bytes(written, self.out.as_deref(), mode)?;
        if self.out.is_none() {
            report.value = json!({ name: Base64::encode_string(bytes) });
        }
        Ok(report)
    }
}
