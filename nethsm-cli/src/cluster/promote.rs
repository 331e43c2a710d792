//! Giving a learner a vote: `cluster promote`.

use std::thread::sleep;
use std::time::{Duration, Instant};

use clap::Args;
use serde_json::json;
use signstar_nethsm::sdk::apis::default_api;

use super::checked;
use crate::device::{ADMINISTRATOR, Device};
use crate::failure::{Failure, Status};
use crate::report::Report;

/// How often a learner is promoted anew that has not caught up.
pub(crate) const INTERVAL: Duration = Duration::from_millis(500);

#[derive(Args, Debug)]
pub(crate) struct Promote {
    /// The member, by its id in `cluster members`
    id: String,
    /// Try again for so many seconds while it has not joined or not caught up
    #[arg(long = "for", value_name = "SECONDS", default_value = "0")]
    seconds: u32,
}

pub(crate) fn promote_once(device: &mut Device, id: &str) -> Result<(), Failure> {
    let operation = "cluster_members_member_id_promote_post";
    let ask = |asking: &_| default_api::cluster_members_member_id_promote_post(asking, id);
    device.change(ADMINISTRATOR, operation, ask).map(|_| ())
}

pub(crate) fn promote(device: &mut Device, options: &Promote) -> Result<Report, Failure> {
    let id = checked(&options.id)?;
    let until = Instant::now() + Duration::from_secs(options.seconds.into());
    loop {
        match promote_once(device, id) {
            Ok(()) => {
                let value = json!({ "id": id, "learner": false });
                return Ok(Report::done(format!("{id} takes part"), value));
            }
            Err(failure) if failure.status == Status::State && Instant::now() < until => {
                sleep(INTERVAL.min(until.saturating_duration_since(Instant::now())));
            }
            Err(failure) => return Err(failure),
        }
    }
}
