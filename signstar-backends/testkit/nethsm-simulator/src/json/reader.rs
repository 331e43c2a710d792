//! From octets to values, with the device's words for what is wrong.

use super::Json;

/// Levels of lists and objects inside each other: more is an attack on the stack.
const DEPTH_MAX: usize = 64;
/// How many octets after the first one an error shows of what it did not expect.
const EXCERPT_BYTES: usize = 32;

/// The value that is all of `text`.
///
/// # Errors
/// The device's message without its prefix `Invalid JSON: ` and the final full stop.
pub(crate) fn parse(text: &[u8]) -> Result<Json, String> {
    let mut reader = Reader {
        text,
        next: 0,
        last: 0,
    };
    reader.space()?;
    if reader.peek().is_none() {
        return Err("Blank input data".to_owned());
    }
    let value = reader.value(0)?;
    reader.space()?;
    match reader.peek() {
        None => Ok(value),
        Some(_) => Err(reader.unexpected("Junk after end of JSON value:")),
    }
}

struct Reader<'a> {
    text: &'a [u8],
    /// Where the next lexeme starts.
    next: usize,
    /// Where the last one started.
    last: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.next).copied()
    }

    fn rest(&self) -> &[u8] {
        self.text.get(self.next..).unwrap_or_default()
    }

    /// Takes `count` octets as one lexeme.
    fn take(&mut self, count: usize) -> &[u8] {
        self.last = self.next;
        self.next = (self.next + count).min(self.text.len());
        self.text.get(self.last..self.next).unwrap_or_default()
    }

    fn at(&self, from: usize, to: usize, what: &str) -> String {
        let before = self.text.get(..from).unwrap_or_default();
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        let start = before
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |at| at + 1);
        let (from, to) = (from - start, to - start);
        format!("Line {line}, bytes {from}-{to}:\n{what}")
    }

    fn unexpected(&self, what: &str) -> String {
        if self.peek().is_none() {
            return self.at(self.last, self.next, "Unexpected end of input");
        }
        let to = (self.next + 1 + EXCERPT_BYTES).min(self.text.len());
        let found = self.text.get(self.next..to).unwrap_or_default();
        let found = String::from_utf8_lossy(found);
        self.at(self.next, to, &format!("{what} '{found}'"))
    }

    /// White space and comments.
    fn space(&mut self) -> Result<(), String> {
        loop {
            let rest = self.rest();
            let blanks = rest
                .iter()
                .take_while(|byte| b" \t\r\n".contains(byte))
                .count();
            if blanks > 0 {
                self.take(blanks);
            } else if rest.starts_with(b"//") {
                let length = rest.iter().take_while(|byte| **byte != b'\n').count();
                self.take(length);
            } else if rest.starts_with(b"/*") {
                let Some(end) = rest.windows(2).skip(2).position(|pair| pair == b"*/") else {
                    return Err(self.at(self.next, self.text.len(), "Unterminated comment"));
                };
                self.take(end + 4);
            } else {
                return Ok(());
            }
        }
    }

    fn value(&mut self, depth: usize) -> Result<Json, String> {
        if depth > DEPTH_MAX {
            return Err(self.unexpected("Too deeply nested:"));
        }
        match self.peek() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.list(depth),
            Some(b'"') => Ok(Json::String(self.string()?)),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => {
                for (word, value) in [
                    ("null", Json::Null),
                    ("true", Json::Bool(true)),
                    ("false", Json::Bool(false)),
                ] {
                    if self.rest().starts_with(word.as_bytes()) {
                        self.take(word.len());
                        return Ok(value);
                    }
                }
                Err(self.unexpected("Invalid token"))
            }
        }
    }

    fn object(&mut self, depth: usize) -> Result<Json, String> {
        self.take(1);
        let mut fields = Vec::new();
        self.space()?;
        if self.peek() == Some(b'}') {
            self.take(1);
            return Ok(Json::Object(fields));
        }
        loop {
            let name = self.name()?;
            self.space()?;
            if self.peek() != Some(b':') {
                return Err(self.unexpected("Expected ':' but found"));
            }
            self.take(1);
            self.space()?;
            let value = self.value(depth + 1)?;
            fields.push((name, value));
            self.space()?;
            match self.peek() {
                Some(b',') => self.take(1),
                Some(b'}') => {
                    self.take(1);
                    return Ok(Json::Object(fields));
                }
                _ => return Err(self.unexpected("Expected ',' or '}' but found")),
            };
            self.space()?;
        }
    }

    fn list(&mut self, depth: usize) -> Result<Json, String> {
        self.take(1);
        let mut values = Vec::new();
        self.space()?;
        if self.peek() == Some(b']') {
            self.take(1);
            return Ok(Json::List(values));
        }
        loop {
            values.push(self.value(depth + 1)?);
            self.space()?;
            match self.peek() {
                Some(b',') => self.take(1),
                Some(b']') => {
                    self.take(1);
                    return Ok(Json::List(values));
                }
                _ => return Err(self.unexpected("Expected ',' or ']' but found")),
            };
            self.space()?;
        }
    }

    /// The name of a field: a string, or a word of letters, digits and underscores.
    fn name(&mut self) -> Result<String, String> {
        if self.peek() == Some(b'"') {
            return Ok(String::from_utf8_lossy(&self.string()?).into_owned());
        }
        let word = |byte: &&u8| byte.is_ascii_alphanumeric() || **byte == b'_';
        let length = self.rest().iter().take_while(word).count();
        let digit = self.peek().is_some_and(|byte| byte.is_ascii_digit());
        if length == 0 || digit {
            return Err(self.unexpected("Expected string or identifier but found"));
        }
        Ok(String::from_utf8_lossy(self.take(length)).into_owned())
    }

    fn number(&mut self) -> Result<Json, String> {
        let part = |byte: &&u8| b"+-.eE0123456789".contains(byte);
        let length = self.rest().iter().take_while(part).count();
        let written = self.rest().get(..length).unwrap_or_default();
        let written = String::from_utf8_lossy(written).into_owned();
        let value = match written.parse() {
            Ok(number) => Json::Int(number),
            Err(_) if written.parse::<f64>().is_ok() => Json::Number(written),
            Err(_) => return Err(self.unexpected("Invalid token")),
        };
        self.take(length);
        Ok(value)
    }

    fn string(&mut self) -> Result<Vec<u8>, String> {
        self.take(1);
        let mut octets = Vec::new();
        loop {
            match self.peek() {
                None => return Err(self.unexpected("")),
                Some(b'"') => {
                    self.take(1);
                    return Ok(octets);
                }
                Some(b'\\') => {
                    let char = self.escape()?;
                    octets.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
                }
                Some(byte) => {
                    octets.push(byte);
                    self.take(1);
                }
            }
        }
    }

    fn escape(&mut self) -> Result<char, String> {
        let code = self.text.get(self.next + 1).copied();
        let char = match code {
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(byte @ (b'"' | b'\\' | b'/')) => char::from(byte),
            Some(b'u') => return self.unicode(),
            _ => return Err(self.unexpected("Invalid escape sequence")),
        };
        self.take(2);
        Ok(char)
    }

    /// `\uXXXX`, two of them for what is beyond the first plane.
    fn unicode(&mut self) -> Result<char, String> {
        let high = self.code_unit()?;
        let code = match high {
            0xd800..0xdc00 if self.rest().starts_with(b"\\u") => {
                let low = self.code_unit()?;
                0x10000 + ((high - 0xd800) << 10) + low.wrapping_sub(0xdc00)
            }
            _ => high,
        };
        char::from_u32(code).ok_or_else(|| self.unexpected("Invalid escape sequence"))
    }

    fn code_unit(&mut self) -> Result<u32, String> {
        let digits = self.text.get(self.next + 2..self.next + 6);
        let unit = digits
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u32::from_str_radix(digits, 16).ok());
        let unit = unit.ok_or_else(|| self.unexpected("Invalid escape sequence"))?;
        self.take(6);
        Ok(unit)
    }
}

#[cfg(test)]
mod tests {
    use super::{Json, parse};

    #[test]
    fn bare_names_and_comments_are_read() {
        let text = b"{ realName : \"x\", /* a */ length: -4 } // end";
        let fields = vec![
            ("realName".to_owned(), Json::String(b"x".to_vec())),
            ("length".to_owned(), Json::Int(-4)),
        ];
        assert_eq!(parse(text), Ok(Json::Object(fields)));
    }

    #[test]
    fn octets_that_are_no_utf8_survive() {
        assert_eq!(
            parse(b"\"\xbd\\u0017\""),
            Ok(Json::String(vec![0xbd, 0x17]))
        );
    }

    #[test]
    fn errors_say_where_in_the_line() {
        let error = parse(b"{\n \"a\" 1}").unwrap_err();
        assert_eq!(error, "Line 2, bytes 5-7:\nExpected ':' but found '1}'");
    }

    #[test]
    fn deep_nesting_is_refused() {
        assert!(parse(&[b'['; 10_000]).is_err());
    }
}
