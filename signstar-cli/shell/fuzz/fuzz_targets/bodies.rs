//! What must hold for every input, one function for each target. The fuzzer and the smoke test on
//! the stable compiler run the same ones.

use std::ffi::{OsStr, OsString};
use std::net::IpAddr;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use signstar::config::{Config, ConfigError};
use signstar::identity::{parse_connection, parse_public_key, parse_user_auth};
use signstar::invocation::{Invocation, FORCED_COMMAND};
use signstar_core::{Failure, Refusal};

/// The configuration: what is accepted is within its bounds and holds no key that nobody knows;
/// what is not gets its problems named, each on one line with its place.
pub(crate) fn configuration(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let config = match Config::parse(text) {
        Ok(config) => config,
        Err(error) => return is_list_of_problems(&error, text),
    };
    for name in config.users.keys().chain(config.keys.keys()) {
        assert!((1..=64).contains(&name.len()));
        assert!(!name.chars().any(|char| char.is_control() || char == '/'));
    }
    for user in config.users.values() {
        assert!(config.keys.contains_key(&user.key));
        assert!(user.input_bytes_max > 0 && user.sessions_max > 0);
        assert!(user.bounds.deadline_seconds > 0 && user.bounds.progress_bytes > 0);
    }
    for key in config.keys.values() {
        assert!(key.certificate.is_absolute() && key.device_seconds > 0);
    }
    // The same text with a key that nobody knows, where every table can have one.
    assert!(Config::parse(&format!("nobody-knows = 1\n{text}")).is_err());
    let headers: Vec<usize> = text.match_indices("]\n").map(|(at, _)| at + 2).collect();
    for at in headers.into_iter().take(8) {
        let (before, after) = text.split_at(at);
        let changed = format!("{before}nobody-knows = 1\n{after}");
        assert!(
            Config::parse(&changed).is_err() || is_within_text(before),
            "{changed}"
        );
    }
}

/// Whether a text that goes over lines, or a comment, may be open at the end of this beginning.
fn is_within_text(before: &str) -> bool {
    before.contains("'''") || before.contains("\"\"\"")
}

fn is_list_of_problems(error: &ConfigError, text: &str) {
    let ConfigError::Problems(problems) = error else {
        unreachable!("no file was read");
    };
    assert!(!problems.is_empty());
    let lines = 1 + text.bytes().filter(|&byte| byte == b'\n').count();
    for problem in problems {
        assert!((1..=lines).contains(&problem.line), "{problem}");
        assert!(!problem.text.is_empty(), "line {}", problem.line);
        assert!(!problem.text.chars().any(char::is_control), "{problem:?}");
    }
}

/// The file that SSH_USER_AUTH names: what is accepted names the last key in it and nothing else.
pub(crate) fn user_auth(input: &[u8]) {
    let identity = match parse_user_auth(input) {
        Ok(identity) => identity,
        Err(failure) => return is_refusal(&failure, Refusal::IdentityMissing),
    };
    is_ssh_fingerprint(&identity.key_fingerprint);
    if let Some(certificate) = &identity.certificate {
        is_ssh_fingerprint(&certificate.authority_fingerprint);
        assert!(certificate.key_id.len() <= 3 * input.len());
    }
    let text = std::str::from_utf8(input).unwrap_or_default();
    let mut keys = text.lines().rev();
    let last = keys.find_map(|line| line.strip_prefix("publickey "));
    let last = last.map(parse_public_key);
    assert_eq!(last, Some(Ok(identity.clone())));
    let more = [
        b"publickey ssh-ed25519 AAAA\n",
        input,
        b"\nkeyboard-interactive\n",
    ]
    .concat();
    assert_eq!(parse_user_auth(&more), Ok(identity));
}

/// SSH_CONNECTION: what is accepted is four words, and the first one is the address.
pub(crate) fn connection(input: &[u8]) {
    let address = match parse_connection(Some(OsStr::from_bytes(input))) {
        Ok(address) => address,
        Err(failure) => return is_refusal(&failure, Refusal::IdentityMissing),
    };
    let words: Vec<&[u8]> = input.split(|&byte| byte == b' ').collect();
    assert_eq!(words.len(), 4);
    let shown = address.to_string();
    assert_eq!(shown.parse::<IpAddr>(), Ok(address));
    let again = format!("{shown} 1 ::1 2");
    assert_eq!(parse_connection(Some(OsStr::new(&again))), Ok(address));
}

/// Whether a command was forced, then argv, then what the client asked for, with zeros between
/// them: what is accepted is one of the two shapes, and a command of one spelling.
pub(crate) fn argv(input: &[u8]) {
    let mut words: Vec<OsString> = input
        .split(|&byte| byte == 0)
        .map(|word| OsString::from_vec(word.to_vec()))
        .collect();
    let original_command = match words.pop() {
        Some(last) if !last.is_empty() => Some(last),
        _ => None,
    };
    let invocation = Invocation {
        arguments: words,
        original_command,
        has_ssh_variables: true,
        ..Invocation::default()
    };
    assert_eq!(invocation.question(), None);
    let arguments: Vec<&OsStr> = invocation
        .arguments
        .iter()
        .map(OsString::as_os_str)
        .collect();
    let shapes = [&["-signstar"][..], &["signstar", "-c", FORCED_COMMAND]];
    let known = shapes.iter().any(|shape| *shape == arguments);
    match invocation.declaration() {
        Ok(None) => assert!(known && invocation.original_command.is_none()),
        Ok(Some(said)) => {
            let digest = said.sha512.to_string().replace(':', "=");
            let spelled = format!("sign v1 size={} {digest}", said.bytes);
            assert_eq!(invocation.original_command, Some(spelled.into()));
            assert!(known);
        }
        Err(failure) if known => is_refusal(&failure, Refusal::Command),
        Err(failure) => is_refusal(&failure, Refusal::Invocation),
    }
}

/// `SHA256:` and the unpadded base64 of 32 bytes.
fn is_ssh_fingerprint(text: &str) {
    let digits = text.strip_prefix("SHA256:").unwrap_or_default();
    assert_eq!(digits.len(), 43, "{text}");
    let digit = |byte: u8| byte.is_ascii_alphanumeric() || b"+/".contains(&byte);
    assert!(digits.bytes().all(digit), "{text}");
}

/// A refusal of its kind, whose detail is short and does not repeat the input.
fn is_refusal(failure: &Failure, refusal: Refusal) {
    assert_eq!(failure.refusal, refusal);
    assert!(failure.detail.len() <= 512, "{}", failure.detail);
    assert!(!failure.detail.chars().any(char::is_control), "{failure:?}");
}
