//! HTTPS: connections, requests in, answers out.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{HeaderName, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::body::AnswerBody;
use crate::checks;
use crate::exchange::{Request, Response};
use crate::faults::{self, Fault};
use crate::node::replica::Standing;
use crate::record;
use crate::shared::{Order, Shared};
use crate::wire::{Instead, Wire};

/// More than any request that means well, in bytes.
const BODY_BYTES_MAX: usize = 256 * 1024 * 1024;
/// How often a device that joins a cluster looks whether it is promoted.
const PROMOTION_INTERVAL: Duration = Duration::from_millis(20);

/// Serves until it is dropped, and the listener with it.
pub(crate) async fn serve(
    shared: Arc<Shared>,
    listener: TcpListener,
    acceptor: TlsAcceptor,
    connections: &mut JoinSet<()>,
) -> Order {
    loop {
        let Ok((stream, peer)) = listener.accept().await else {
            continue;
        };
        // What has ended is forgotten, so that the set stays as large as what is open.
        while connections.try_join_next().is_some() {}
        shared.connected();
        let (shared, acceptor) = (Arc::clone(&shared), acceptor.clone());
        connections.spawn(connection(shared, stream, peer, acceptor));
    }
}

async fn connection(
    shared: Arc<Shared>,
    stream: TcpStream,
    peer: SocketAddr,
    acceptor: TlsAcceptor,
) {
    let _ = stream.set_nodelay(true);
    let Ok(stream) = acceptor.accept(stream).await else {
        return;
    };
    let instead = Instead::default();
    let wire = TokioIo::new(Wire::new(stream, Arc::clone(&instead)));
    let service = service_fn(move |request| {
        let (shared, instead) = (Arc::clone(&shared), Arc::clone(&instead));
        async move { respond(&shared, request, peer, &instead).await }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(wire, service)
        .await;
    // A client that goes away, or one that was sent away, is nothing to report.
    drop(served);
}

async fn respond(
    shared: &Shared,
    incoming: hyper::Request<Incoming>,
    peer: SocketAddr,
    instead: &Instead,
) -> io::Result<hyper::Response<AnswerBody>> {
    let begun = Instant::now();
    let (parts, body) = incoming.into_parts();
    let aborted = || io::Error::from(io::ErrorKind::ConnectionAborted);
    let body = Limited::new(body, BODY_BYTES_MAX).collect().await;
    let body = body.map_err(|_| aborted())?.to_bytes().to_vec();
    let headers = parts.headers.iter().map(|(name, value)| {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        (name.as_str().to_owned(), value)
    });
    let request = Request {
        method: parts.method.as_str().to_owned(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: headers.collect(),
        body,
        address: peer.ip(),
    };
    let operation = checks::operation(&request);
    shared.asked(operation);
    if !shared.latency.is_zero() {
        tokio::time::sleep(shared.latency).await;
    }
    let fault = shared.with_hooks(|hooks| faults::take(hooks, operation));
    match &fault {
        Some(Fault::CloseBefore) => return Err(aborted()),
        Some(Fault::Delay(delay)) => tokio::time::sleep(*delay).await,
        Some(Fault::Raw(octets)) => {
            shared.put_instead(instead, octets.clone());
            return closing(AnswerBody::whole(Vec::new()));
        }
        Some(Fault::Status(status, body)) => {
            let mut response = Response::new(*status).with("content-type", "application/json");
            response.body.clone_from(&body.clone().into_bytes());
            return built(&parts, response, None);
        }
        _ => {}
    }
    let mut response = shared.in_turn(|device| {
        let response = checks::answer(device, &request);
        device.metrics.took(begun.elapsed());
        response
    });
    if response.waits {
        shared.save().map_err(io::Error::other)?;
        response = promoted(shared, response).await;
    }
    if let Some(path) = &shared.record {
        record::append(path, &request, &response)?;
    }
    if !matches!(request.method.as_str(), "GET" | "HEAD") {
        shared.save().map_err(io::Error::other)?;
    }
    shared.settle();
    if fault == Some(Fault::CloseAfter) {
        return Err(aborted());
    }
    if response.status == 304 && !response.body.is_empty() {
        shared.put_instead(instead, with_body(&response));
    }
    built(&parts, response, fault)
}

/// Waits until the device is promoted, or is not wanted any more.
async fn promoted(shared: &Shared, response: Response) -> Response {
    loop {
        let (joining, standing) = shared.in_turn(|device| (device.joining, device.standing));
        if standing == Standing::Removed {
            let message = "joining cluster failed: the member was removed from the cluster";
            return checks::refused(Response::new(400), message);
        }
        if !joining {
            return response;
        }
        tokio::time::sleep(PROMOTION_INTERVAL).await;
    }
}

/// What old firmware says when nothing has changed: a body where there must be none, which the HTTP
/// library does not send.
fn with_body(response: &Response) -> Vec<u8> {
    let mut text = format!("HTTP/1.1 {} Not Modified\r\n", response.status);
    for (name, value) in &response.headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    let length = response.body.len();
    text.push_str(&format!(
        "content-length: {length}\r\nconnection: keep-alive\r\n\r\n"
    ));
    [text.as_bytes(), &response.body].concat()
}

fn closing(body: AnswerBody) -> io::Result<hyper::Response<AnswerBody>> {
    let mut response = hyper::Response::new(body);
    let close = HeaderValue::from_static("close");
    response
        .headers_mut()
        .insert(hyper::header::CONNECTION, close);
    Ok(response)
}

fn built(
    parts: &hyper::http::request::Parts,
    mut answer: Response,
    fault: Option<Fault>,
) -> io::Result<hyper::Response<AnswerBody>> {
    let length = answer.body.len();
    if parts.method == hyper::Method::HEAD {
        answer.body.clear();
    }
    let body = match fault {
        Some(Fault::Drip(pause)) => AnswerBody::dripping(&answer.body, pause),
        Some(Fault::Cut) => AnswerBody::cut(answer.body),
        Some(Fault::Flip) => {
            faults::flip(&mut answer.body);
            AnswerBody::whole(answer.body)
        }
        Some(Fault::Oversize(blanks)) => {
            answer.body.resize(length + blanks, b' ');
            AnswerBody::whole(answer.body)
        }
        _ if answer.chunked => AnswerBody::chunked(answer.body),
        _ => AnswerBody::whole(answer.body),
    };
    let mut response = hyper::Response::new(body);
    let invalid = |error: hyper::http::Error| io::Error::other(error);
    *response.status_mut() = answer
        .status
        .try_into()
        .map_err(|error| invalid(hyper::http::Error::from(error)))?;
    let headers = response.headers_mut();
    for (name, value) in answer.headers {
        let value = HeaderValue::from_str(&value).map_err(|error| invalid(error.into()))?;
        let name = HeaderName::try_from(name).map_err(|error| invalid(error.into()))?;
        headers.insert(name, value);
    }
    if length == 0 || parts.method == hyper::Method::HEAD {
        headers.insert(hyper::header::CONTENT_LENGTH, HeaderValue::from(length));
    }
    let close = parts
        .headers
        .get(hyper::header::CONNECTION)
        .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"close"));
    let stays = parts.version == hyper::Version::HTTP_11 && !close;
    let connection = if stays { "keep-alive" } else { "close" };
    let connection = HeaderValue::from_static(connection);
    headers.insert(hyper::header::CONNECTION, connection);
    Ok(response)
}

/// Answers everything with the same address of HTTPS, until it is dropped.
pub(crate) async fn redirect(listener: TcpListener, to: SocketAddr) {
    let mut connections = JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            continue;
        };
        while connections.try_join_next().is_some() {}
        connections.spawn(async move {
            let service = service_fn(move |request: hyper::Request<Incoming>| async move {
                let path = request.uri().path_and_query();
                let path = path.map_or("/", |path| path.as_str());
                let mut response = hyper::Response::new(Empty::<Bytes>::new());
                *response.status_mut() = hyper::StatusCode::MOVED_PERMANENTLY;
                if let Ok(place) = HeaderValue::from_str(&format!("https://{to}{path}")) {
                    response
                        .headers_mut()
                        .insert(hyper::header::LOCATION, place);
                }
                Ok::<_, Infallible>(response)
            });
            let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            drop(connection.await);
        });
    }
}
