//! What went wrong with a device, and what to do.

use signstar_nethsm::client::ClientError;
use signstar_nethsm::sdk::apis::default_api;

use super::{As, Device};
use crate::failure::{Failure, Status};

/// What a device says of every operation that it does not do in its state.
const NOT_AVAILABLE: &str = "Service not available";
/// Parts of what devices say, and what helps.
const ADVICE: [(&str, &str); 7] = [
    (
        "configure backup key",
        "nethsm-cli config set backup-passphrase",
    ),
    (
        "configure a backup key",
        "nethsm-cli config set backup-passphrase",
    ),
    ("No update available", "nethsm-cli update upload FILE"),
    (
        "R-User trying to create N-User",
        "an administrator of the namespace does that: --as-namespace",
    ),
    (
        "Key mechanisms do not allow",
        "nethsm-cli key show says what it is for",
    ),
    (
        "tags restriction not met",
        "nethsm-cli key who-can says who can use it",
    ),
    (
        "Key already contains a certificate",
        "--replace puts another one in its place",
    ),
];

impl Device {
    /// What went wrong with `operation`, and what to do.
    pub(crate) fn failure(
        &mut self,
        error: &ClientError,
        who: As,
        user: &str,
        operation: &str,
    ) -> Failure {
        // The device repeats a passphrase that it does not like.
        let unliked = |message: &&str| message.starts_with("passphrase ");
        let message = error
            .message()
            .filter(|message| !unliked(message) && *message != NOT_AVAILABLE);
        let mut advice = message.and_then(|message| {
            let found = ADVICE.iter().find(|(part, _)| message.contains(part));
            found.map(|(_, advice)| *advice)
        });
        let (status, what) = match error {
            ClientError::Settings(_) => (Status::Usage, error.to_string()),
            ClientError::Unreachable(_) => (Status::Unreachable, error.to_string()),
            ClientError::Untrusted(_) => (Status::Unreachable, self.untrusted(error)),
            ClientError::Unauthenticated => (
                Status::Authentication,
                format!(
                    "refuses {user}: the passphrase is wrong, there is no such user, or the device \
                     cannot read its users"
                ),
            ),
            // What was given as the passphrase that is to be changed, or unlocks.
            ClientError::Forbidden(Some(message))
                if message.contains("passphrase is incorrect") =>
            {
                (Status::Authentication, "refuses".to_owned())
            }
            ClientError::Forbidden(_) if who == As::Nobody => {
                (Status::Authentication, "refuses the passphrase".to_owned())
            }
            ClientError::Forbidden(Some(_)) => (Status::Forbidden, format!("{user} may not")),
            ClientError::Forbidden(None) => {
                let outside = if user.contains('~') {
                    ", perhaps outside of namespaces"
                } else {
                    ""
                };
                (
                    Status::Forbidden,
                    format!("{user} may not: {}{outside}", needed(who)),
                )
            }
            ClientError::Absent(_) => {
                let (what, helps) = missing(operation);
                advice = advice.or(helps);
                (Status::Absent, what.to_owned())
            }
            ClientError::Conflict(_) => (Status::Conflict, error.to_string()),
            ClientError::State(Some(message)) if message != NOT_AVAILABLE => {
                (Status::State, "cannot do that now".to_owned())
            }
            ClientError::State(_) => (Status::State, self.state()),
            ClientError::Throttled if user.is_empty() => (
                Status::Throttled,
                "still waits after a wrong passphrase: try again".to_owned(),
            ),
            ClientError::Throttled => (
                Status::Throttled,
                format!("still waits after a failed login of {user}: try again"),
            ),
            // The device says so with the status of a bad request.
            ClientError::Refused(400, Some(message)) if message.contains("already ") => {
                (Status::Conflict, "has something in the way".to_owned())
            }
            ClientError::Refused(400, Some(message)) if unliked(&message.as_str()) => (
                Status::Failed,
                "does not take that passphrase: it must have 10 to 200 characters".to_owned(),
            ),
            ClientError::Refused(400, Some(_)) => (Status::Failed, "refuses".to_owned()),
            ClientError::Lost(_)
            | ClientError::Failed(_, _)
            | ClientError::Refused(_, _)
            | ClientError::Nonsense(_) => (Status::Failed, error.to_string()),
        };
        let mut text = format!("{}: {what}", self.label);
        if let Some(message) = message {
            text.push_str(&format!(" ({message})"));
        }
        if let Some(advice) = advice {
            text.push_str(&format!(": {advice}"));
        }
        Failure::new(status, text)
    }

    /// Says where its certificate can be looked at.
    fn untrusted(&self, error: &ClientError) -> String {
        let label = &self.label;
        let in_profile = self
            .profile
            .address()
            .is_ok_and(|address| address.to_string() != *label);
        match in_profile {
            true => format!("{error}; nethsm-cli device trust {label} shows what is there"),
            false => {
                format!("{error}; nethsm-cli device add LABEL {label} --trust shows what is there")
            }
        }
    }

    /// Says in which state the device is and what helps.
    fn state(&mut self) -> String {
        let wait = self.manner.wait;
        let state = self
            .client("")
            .ok()
            .and_then(|client| client.call_within(wait, default_api::health_state_get).ok())
            .map(|answer| answer.value.state.to_string());
        match state.as_deref() {
            Some("Locked") => "is Locked: nethsm-cli unlock".to_owned(),
            Some("Unprovisioned") => "is Unprovisioned: nethsm-cli provision".to_owned(),
            Some("Failed") => "is Failed: nethsm-cli health diagnose".to_owned(),
            Some(state) => format!("is {state}, and that is not possible then"),
            None => "is not in the right state".to_owned(),
        }
    }
}

/// What a device does not have where it does not have what an operation is about, and what helps.
fn missing(operation: &str) -> (&'static str, Option<&'static str>) {
    match operation {
        "keys_key_id_restrictions_tags_tag_delete" => (
            "has no such key, or that has no such tag",
            Some("nethsm-cli key tag list"),
        ),
        "users_user_id_tags_tag_delete" => (
            "has no such user, or that has no such tag",
            Some("nethsm-cli user tag list"),
        ),
        "users_user_id_tags_get" => ("has no such operator", Some("nethsm-cli user list --long")),
        "config_tls_cluster_ca_pem_get" => (
            "has no authority for its cluster",
            Some("nethsm-cli tls cluster-ca set"),
        ),
        _ if operation.starts_with("keys_key_id_cert_") => (
            "has no such key, or that has no certificate",
            Some("nethsm-cli key list"),
        ),
        _ if operation.starts_with("keys_") => ("has no such key", Some("nethsm-cli key list")),
        _ if operation.starts_with("users_") => ("has no such user", Some("nethsm-cli user list")),
        _ if operation.starts_with("namespaces_") => {
            ("has no such namespace", Some("nethsm-cli namespace list"))
        }
        _ if operation.starts_with("cluster_members_") => {
            ("has no such member", Some("nethsm-cli cluster members"))
        }
        _ => ("does not have that", None),
    }
}

/// Which user that takes.
pub(super) fn needed(who: As) -> String {
    match who {
        As::Nobody => "needs no user".to_owned(),
        As::A(roles) => {
            let names: Vec<&str> = roles.iter().map(|role| role.name()).collect();
            format!("needs a user with the role {}", names.join(" or "))
        }
    }
}
