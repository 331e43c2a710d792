//! docs/clients.md, on the builder of a site.

use crate::page;
use crate::site::{At, Site};

const SECTIONS: [(&str, At); 8] = [
    ("One file", At::Builder),
    ("Size and digest", At::Builder),
    ("One connection for many signatures", At::Builder),
    ("Statuses", At::Builder),
    ("A repository", At::Builder),
    (
        "A repository, signed",
        At::Parsed("the site has one account, and it is for packages"),
    ),
    ("A CI job", At::Builder),
    ("", At::Builder),
];
