//! Who a certificate is to be for.

use clap::Args;
use signstar_nethsm::sdk::models::DistinguishedName;

/// The subject of a request for a certificate.
#[derive(Args, Debug)]
pub(crate) struct Name {
    /// Common name
    #[arg(long, value_name = "NAME")]
    common_name: String,
    /// Country, two letters
    #[arg(long)]
    country: Option<String>,
    /// State or province
    #[arg(long)]
    state: Option<String>,
    /// Locality
    #[arg(long)]
    locality: Option<String>,
    /// Organization
    #[arg(long)]
    organization: Option<String>,
    /// Organizational unit
    #[arg(long)]
    unit: Option<String>,
    /// Mail address
    #[arg(long)]
    email: Option<String>,
    /// Another name that it is for, DNS:host.example.org or IP:192.0.2.1; several times for several [default:
    /// the common name]
    #[arg(long = "san", value_name = "NAME")]
    names: Vec<String>,
    /// For no other name
    #[arg(long, conflicts_with = "names")]
    no_san: bool,
}

impl Name {
    /// As devices take it.
    pub(crate) fn to_request(&self) -> DistinguishedName {
        let mut name = DistinguishedName::new(self.common_name.clone());
        name.country_name.clone_from(&self.country);
        name.state_or_province_name.clone_from(&self.state);
        name.locality_name.clone_from(&self.locality);
        name.organization_name.clone_from(&self.organization);
        name.organizational_unit_name.clone_from(&self.unit);
        name.email_address.clone_from(&self.email);
        if self.no_san || !self.names.is_empty() {
            name.subject_alt_names = Some(self.names.clone());
        }
        name
    }
}
