//! JSON as the device reads it: object keys may be bare words, there may be comments, and what goes
//! wrong is said with the line and bytes where it was. Strings are octets, since the values in a
//! backup carry binary salts that are no UTF-8.
//!
//! Absent: the variants and tuples that the device's reader has beyond JSON.

mod reader;
pub(crate) mod schema;
pub(crate) mod writer;

pub(crate) use reader::parse;

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Json {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number without fraction and exponent.
    Int(i64),
    /// Any other number, as it was written.
    Number(String),
    /// Octets between quotes, escapes resolved.
    String(Vec<u8>),
    /// `[…]`
    List(Vec<Json>),
    /// `{…}`, in the order of the text; a name may stand twice.
    Object(Vec<(String, Json)>),
}
