//! Fields of a request's body, with the device's words for what does not fit.
//!
//! The device's readers are generated: each record has a path (`Json.user_req`), a name that is not
//! known gives the path alone, a field that is absent or of another type the path and the field's
//! name. The last field of a record is looked at first.

use super::Json;
use crate::exchange::Refusal;

/// What does not fit, without the prefix `Invalid data for JSON schema: `.
pub(crate) type Misfit = String;

/// A body's object, of which the fields are taken.
#[derive(Debug)]
pub(crate) struct Record<'a> {
    path: &'static str,
    fields: &'a [(String, Json)],
}

impl<'a> Record<'a> {
    /// `json` as a record of `path` with no other fields than `names`.
    pub(crate) fn of(json: &'a Json, path: &'static str, names: &[&str]) -> Result<Self, Misfit> {
        match json {
            Json::Object(fields)
                if fields
                    .iter()
                    .all(|(name, _)| names.contains(&name.as_str())) =>
            {
                Ok(Self { path, fields })
            }
            _ => Err(path.to_owned()),
        }
    }

    /// A field; of several with the name the last one counts.
    pub(crate) fn get(&self, name: &str) -> Option<&'a Json> {
        let mut fields = self.fields.iter().rev();
        fields
            .find(|(field, _)| field == name)
            .map(|(_, value)| value)
    }

    /// The message about a field.
    pub(crate) fn misfit(&self, name: &str) -> Misfit {
        format!("{}.{name}", self.path)
    }

    /// A field that must be there.
    pub(crate) fn need(&self, name: &str) -> Result<&'a Json, Misfit> {
        self.get(name).ok_or_else(|| self.misfit(name))
    }

    /// A string that must be there.
    pub(crate) fn octets(&self, name: &str) -> Result<&'a [u8], Misfit> {
        match self.need(name)? {
            Json::String(octets) => Ok(octets),
            _ => Err(self.misfit(name)),
        }
    }

    /// A string that must be there, as text.
    pub(crate) fn text(&self, name: &str) -> Result<String, Misfit> {
        let octets = self.octets(name)?;
        Ok(String::from_utf8_lossy(octets).into_owned())
    }

    /// A string that may be absent, then empty.
    pub(crate) fn text_or_empty(&self, name: &str) -> Result<String, Misfit> {
        match self.get(name) {
            None => Ok(String::new()),
            Some(_) => self.text(name),
        }
    }

    /// A whole number that must be there.
    pub(crate) fn int(&self, name: &str) -> Result<i64, Misfit> {
        match self.need(name)? {
            Json::Int(number) => Ok(*number),
            _ => Err(self.misfit(name)),
        }
    }

    /// A list of strings that must be there.
    pub(crate) fn texts(&self, name: &str) -> Result<Vec<String>, Misfit> {
        let Json::List(values) = self.need(name)? else {
            return Err(self.misfit(name));
        };
        values
            .iter()
            .map(|value| match value {
                Json::String(octets) => Ok(String::from_utf8_lossy(octets).into_owned()),
                _ => Err(self.misfit(name)),
            })
            .collect()
    }
}

/// What `read` makes of a body.
///
/// # Errors
/// It is no JSON, or does not fit.
pub(crate) fn decode<T>(
    body: &[u8],
    read: impl FnOnce(&Json) -> Result<T, Misfit>,
) -> Result<T, Refusal> {
    let json =
        super::parse(body).map_err(|message| Refusal::bad(format!("Invalid JSON: {message}.")))?;
    read(&json).map_err(|misfit| Refusal::bad(format!("Invalid data for JSON schema: {misfit}.")))
}
