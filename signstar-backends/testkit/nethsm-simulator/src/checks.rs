//! The order of checks: what is wrong first decides the answer.
//!
//! Route, state, method, length of the address, allowed method, credentials, rights, type and length
//! of the body, type of the answer, existence, conditions, and only then what is asked for.

use crate::access::{self, Denied};
use crate::clock::Moment;
use crate::device::Device;
use crate::exchange::{Answer, Refusal, Request, Response};
use crate::json::writer;
use crate::resource::{self, Cache, Call, Limit, Media, Resource, Takes};

/// The longest address, in bytes.
const ADDRESS_BYTES_MAX: usize = 2000;
const MIB: u64 = 1024 * 1024;
/// Methods that are known at all.
const METHODS: [&str; 8] = [
    "GET", "HEAD", "POST", "PUT", "DELETE", "TRACE", "CONNECT", "OPTIONS",
];
const VARY: &str = "Accept, Accept-Encoding, Accept-Charset, Accept-Language";

/// The name of the operation that a request is for, for those who count.
pub(crate) fn operation(request: &Request) -> Option<&'static str> {
    let (resource, _) = resource::find(&request.path)?;
    resource.operation(&request.method)
}

/// Answers a request.
pub(crate) fn answer(device: &mut Device, request: &Request) -> Response {
    let response = match resource::find(&request.path) {
        Some((resource, parameters)) => {
            let mut call = Call {
                request,
                parameters,
                caller: None,
            };
            let mut response = checked(device, resource, &mut call);
            if resource.cache == Cache::Forbidden {
                response = response.with("Cache-control", "no-cache");
            }
            response.with("Date", Moment::of(device.clock.now()).http())
        }
        None if request.path == "/" && request.method == "GET" => {
            let mut page = Response::new(200).with("Content-Type", "text/html");
            page.body = b"<!DOCTYPE html><title>NetHSM simulator</title>".to_vec();
            page
        }
        None => {
            let mut absent = Response::new(404);
            absent.body = b"Not found".to_vec();
            absent
        }
    };
    device.metrics.answered(response.status);
    response
}

fn checked(device: &mut Device, resource: &Resource, call: &mut Call<'_>) -> Response {
    let request = call.request;
    if !resource.states.contains(&device.state()) {
        return refused(Response::new(412), "Service not available");
    }
    if !METHODS.contains(&request.method.as_str()) {
        return Response::new(501);
    }
    if request.path.len() + request.query.len() > ADDRESS_BYTES_MAX {
        return Response::new(414);
    }
    if resource.operation(&request.method).is_none() {
        let allowed: Vec<&str> = resource.methods.iter().map(|(method, _)| *method).collect();
        return Response::new(405).with("allow", allowed.join(","));
    }
    match access::check(resource.access, device, call) {
        Ok(caller) => call.caller = caller,
        Err(denied) => return turned_away(denied),
    }
    if let Some(response) = unfit_body(resource, request) {
        return response;
    }
    if !is_acceptable(request, resource.media) {
        return Response::new(406);
    }
    let settled = |status| {
        Response::new(status)
            .with("Content-Type", resource.media.name())
            .with("vary", VARY)
    };
    // An error says what it is itself: its type takes the place of the settled one.
    let failed = |refusal: &Refusal| {
        let response = Response::new(refusal.status);
        refused(response, &refusal.message).with("vary", VARY)
    };
    match (resource.exists)(device, call) {
        Ok(true) => {}
        Ok(false) if request.method == "PUT" => {}
        Ok(false) => return settled(404),
        Err(refusal) => return failed(&refusal),
    }
    let reads = matches!(request.method.as_str(), "GET" | "HEAD");
    let etag = if reads {
        (resource.etag)(device, call)
    } else {
        None
    };
    if let Some(status) = unmet_condition(request, etag.as_deref(), reads) {
        return settled(status);
    }
    if !takes_body(resource, request) {
        return settled(415);
    }
    let with_etag = |response: Response| match &etag {
        Some(etag) => response.with("ETag", format!("\"{etag}\"")),
        None => response,
    };
    match (resource.act)(device, call) {
        Ok(Answer::Unchanged) if device.options.body_with_304 => {
            refused(Response::new(304).with("vary", VARY), "")
        }
        Ok(answer) => with_etag(done(answer, settled)),
        Err(refusal) => with_etag(failed(&refusal)),
    }
}

fn done(answer: Answer, settled: impl Fn(u16) -> Response) -> Response {
    match answer {
        Answer::Done => settled(204),
        Answer::Body(body) => {
            let mut response = settled(200);
            response.body = body;
            response
        }
        Answer::Stream(body) => {
            let mut response = settled(200);
            response.body = body;
            response.chunked = true;
            response
        }
        Answer::Created { location, body } => {
            let mut response = settled(201).with("Location", location);
            response.body = body;
            response
        }
        Answer::Stored => settled(201),
        Answer::Unchanged => settled(304),
        Answer::Absent => settled(404),
        Answer::WhenPromoted => Response {
            waits: true,
            ..settled(204)
        },
    }
}

/// The device's form of an error.
pub(crate) fn refused(response: Response, message: &str) -> Response {
    let mut response = response.with("content-type", "application/json");
    response.body = writer::object([("message", writer::string(message))]);
    response
}

fn turned_away(denied: Denied) -> Response {
    let realm = |realm: &str| {
        let challenge = format!("Basic realm=\"{realm}\"");
        Response::new(401).with("WWW-Authenticate", challenge)
    };
    match denied {
        Denied::Unknown => realm("NetHSM"),
        Denied::Wrong => realm("invalid authorization"),
        Denied::Limited => refused(Response::new(429), "Too many requests"),
        Denied::Forbidden => Response::new(403),
    }
}

/// Types and lengths of bodies that are refused before the answer's type is settled.
fn unfit_body(resource: &Resource, request: &Request) -> Option<Response> {
    let sends = matches!(request.method.as_str(), "PUT" | "POST");
    let media = request.media();
    let known = match resource.takes {
        Takes::OctetsOnly => media.as_deref() == Some(Media::Octets.name()),
        Takes::FormOnly => media.as_deref() == Some("multipart/form-data"),
        Takes::JsonOrForm => media.is_some(),
        Takes::Anything | Takes::Json | Takes::Pem | Takes::JsonOrOctets => true,
    };
    if sends && !known {
        return Some(Response::new(415));
    }
    let limit = match resource.limit {
        Limit::Usual => MIB,
        Limit::Message => 67 * MIB,
        Limit::None => u64::MAX,
    };
    // What comes in chunks is not measured.
    let length = request.header("content-length")?;
    let fits = length.parse().is_ok_and(|length: u64| length <= limit);
    (!fits).then(|| Response::new(413))
}

/// Types of bodies that are refused after it, for what stores or creates.
fn takes_body(resource: &Resource, request: &Request) -> bool {
    if !matches!(request.method.as_str(), "PUT" | "POST") {
        return true;
    }
    let media = request.media();
    let media = media.as_deref().unwrap_or(Media::Octets.name());
    match resource.takes {
        Takes::Anything => true,
        Takes::Json => media == Media::Json.name(),
        Takes::Pem => media == Media::Pem.name(),
        Takes::JsonOrOctets => media == Media::Json.name() || media == Media::Octets.name(),
        Takes::OctetsOnly => media == Media::Octets.name(),
        Takes::JsonOrForm => media == Media::Json.name() || media == "multipart/form-data",
        Takes::FormOnly => media == "multipart/form-data",
    }
}

/// Whether the client takes the answer's type, unencoded.
fn is_acceptable(request: &Request, media: Media) -> bool {
    let family = media.name().split('/').next().unwrap_or_default();
    let wildcard = format!("{family}/*");
    let wanted = |range: &str, names: &[&str]| {
        let mut parts = range.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default();
        let refused = parts.any(|part| {
            let quality = part.strip_prefix("q=").map(str::parse::<f64>);
            matches!(quality, Some(Ok(quality)) if quality == 0.0)
        });
        (names.contains(&name), refused)
    };
    let media_fits = request.header("accept").is_none_or(|accept| {
        accept
            .split(',')
            .map(|range| wanted(range, &["*/*", &wildcard, media.name()]))
            .any(|(named, refused)| named && !refused)
    });
    let encoding_fits = request.header("accept-encoding").is_none_or(|accept| {
        !accept
            .split(',')
            .map(|range| wanted(range, &["identity"]))
            .any(|(named, refused)| named && refused)
    });
    media_fits && encoding_fits
}

fn unmet_condition(request: &Request, etag: Option<&str>, reads: bool) -> Option<u16> {
    let names = |value: &str| {
        value
            .split(',')
            .map(|tag| tag.trim().trim_matches('"'))
            .any(|tag| tag == "*" || Some(tag) == etag)
    };
    if request
        .header("if-match")
        .is_some_and(|value| !names(value))
    {
        return Some(412);
    }
    let none_match = request.header("if-none-match")?;
    match (names(none_match), reads) {
        (false, _) => None,
        (true, true) => Some(304),
        (true, false) => Some(412),
    }
}
