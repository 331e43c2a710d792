//! Key and certificate of the HTTPS server, and the CA of the cluster: `/config/tls`.

use std::sync::Arc;

use crate::access::Access;
use crate::crypto::certificate;
use crate::crypto::chain::{self, Certificate};
use crate::crypto::ec::Curve;
use crate::crypto::pem;
use crate::crypto::private_key::{KeyType, PrivateKey};
use crate::device::Device;
use crate::exchange::{Answer, Refusal};
use crate::json::Json;
use crate::json::schema::{Record, decode};
use crate::key_operations::subject;
use crate::resource::{Call, Media, Resource, Takes};
use crate::store::{Tls, etag, new_stamp};

pub(crate) const RESOURCES: &[Resource] = &[
    Resource::new(
        "config/tls/public.pem",
        &[("GET", "config_tls_public_pem_get"), ("HEAD", "")],
        Access::RootAdministrator,
        public_pem,
    )
    .media(Media::Pem)
    .cacheable()
    .etag(|device, _| Some(etag(&device.configuration.tls.key_stamp))),
    Resource::new(
        "config/tls/cert.pem",
        &[
            ("GET", "config_tls_cert_pem_get"),
            ("PUT", "config_tls_cert_pem_put"),
        ],
        Access::RootAdministrator,
        cert_pem,
    )
    .media(Media::Pem)
    .takes(Takes::Pem)
    .cacheable()
    .etag(|device, _| Some(etag(&device.configuration.tls.chain_stamp))),
    Resource::new(
        "config/tls/cluster-ca.pem",
        &[
            ("GET", "config_tls_cluster_ca_pem_get"),
            ("PUT", "config_tls_cluster_ca_pem_put"),
        ],
        Access::RootAdministrator,
        cluster_ca,
    )
    .media(Media::Pem)
    .takes(Takes::Pem)
    .cacheable(),
    Resource::new(
        "config/tls/csr.pem",
        &[("POST", "config_tls_csr_pem_post")],
        Access::RootAdministrator,
        request,
    )
    .media(Media::Pem),
    Resource::new(
        "config/tls/generate",
        &[("POST", "config_tls_generate_post")],
        Access::RootAdministrator,
        generate,
    ),
];

fn public_pem(device: &mut Device, _: &Call<'_>) -> Result<Answer, Refusal> {
    let pem = certificate::public_key_pem(&device.configuration.tls.key);
    Ok(Answer::Body(pem.unwrap_or_default().into_bytes()))
}

fn request(device: &mut Device, call: &Call<'_>) -> Result<Answer, Refusal> {
    let subject = subject(call.body())?;
    let pem = certificate::request(&device.configuration.tls.key, &subject)
        .ok_or_else(|| Refusal::bad("Generic keys can't create certificates"))??;
    Ok(Answer::Body(pem.into_bytes()))
}

/// The certificates of a body.
fn certificates(body: &[u8]) -> Vec<Vec<u8>> {
    pem::blocks(&String::from_utf8_lossy(body))
        .into_iter()
        .filter(|(label, _)| label == "CERTIFICATE")
        .map(|(_, der)| der)
        .collect()
}

fn cert_pem(device: &mut Device, call: &Call<'_>) -> Result<Answer, Refusal> {
    if call.method() == "GET" {
        let chain = device.configuration.tls.chain.iter();
        let text: String = chain.map(|der| pem::encode("CERTIFICATE", der)).collect();
        return Ok(Answer::Body(text.into_bytes()));
    }
    let ders = certificates(call.body());
    let chain: Vec<Certificate<'_>> = ders
        .iter()
        .map(|der| Certificate::parse(der))
        .collect::<Result<_, _>>()?;
    let Some(first) = chain.first() else {
        return Err(Refusal::bad("empty certificate chain"));
    };
    let own = certificate::public_key_info(&device.configuration.tls.key);
    if own.as_deref() != Some(first.public_key_info) {
        let message = "public key in certificate does not match private key.";
        return Err(Refusal::bad(message));
    }
    chain::verify(&chain)?;
    if let Some(ca) = &device.configuration.cluster_ca {
        let ca = Certificate::parse(ca)?;
        first.is_signed_by(&ca).map_err(|error| {
            let message =
                format!("the cluster CA is set, and the given cert is not signed by it: {error}");
            Refusal::new(412, message)
        })?;
    }
    device.configuration.tls.chain_stamp = new_stamp()?;
    device.configuration.tls.chain = ders;
    let location = "/api/v1/config/tls/cert.pem".to_owned();
    Ok(Answer::Created {
        location,
        body: Vec::new(),
    })
}

fn cluster_ca(device: &mut Device, call: &Call<'_>) -> Result<Answer, Refusal> {
    if call.method() == "GET" {
        let ca = device.configuration.cluster_ca.as_ref();
        let message = "cluster CA is absent unless configured";
        let ca = ca.ok_or_else(|| Refusal::new(404, message))?;
        let pem = pem::encode("CERTIFICATE", ca);
        return Ok(Answer::Body(pem.into_bytes()));
    }
    if device.members.len() > 1 {
        let message =
            "cannot change the cluster CA in an active cluster. Dismantle the cluster first.";
        return Err(Refusal::new(412, message));
    }
    let der = certificates(call.body()).into_iter().next();
    let der = der.ok_or_else(|| Refusal::bad("No certificate found"))?;
    let ca = Certificate::parse(&der)?;
    if !ca.is_ca {
        return Err(Refusal::bad("this is not a valid CA: not a CA certificate"));
    }
    let own = device.configuration.tls.chain.first();
    let own = Certificate::parse(own.map(Vec::as_slice).unwrap_or_default())?;
    own.is_signed_by(&ca).map_err(|error| {
        let message = format!("the installed TLS cert is not signed by this CA: {error}");
        Refusal::new(412, message)
    })?;
    device.configuration.cluster_ca = Some(der);
    let location = "/api/v1/config/tls/cluster-ca.pem".to_owned();
    Ok(Answer::Created {
        location,
        body: Vec::new(),
    })
}

fn generate(device: &mut Device, call: &Call<'_>) -> Result<Answer, Refusal> {
    let (name, length) = decode(call.body(), |json| {
        let record = Record::of(json, "Json.tls_generate_req", &["type", "length"])?;
        let length = match record.get("length") {
            None => 0,
            Some(_) => record.int("length")?,
        };
        match record.need("type")? {
            Json::String(name) => Ok((String::from_utf8_lossy(name).into_owned(), length)),
            _ => Err("Expected JSON string for key type".to_owned()),
        }
    })?;
    let key_type = KeyType::from_name(&name)
        .ok_or_else(|| Refusal::bad("Invalid data for JSON schema: Json.key_type."))?;
    if matches!(
        key_type,
        KeyType::Generic | KeyType::P224 | KeyType::Ec(Curve::P256K1)
    ) {
        let message = format!("Unsupported key type '\"{name}\"' for TLS");
        return Err(Refusal::bad(message));
    }
    if device.configuration.cluster_ca.is_some() {
        let message = "cannot generate cert if cluster CA has been set";
        return Err(Refusal::new(412, message));
    }
    let bits = usize::try_from(length).unwrap_or_default();
    if key_type == KeyType::Rsa && !(1024..=8192).contains(&bits) {
        return Err(Refusal::bad("Length must be between 1024 and 8192."));
    }
    let key = PrivateKey::generate(key_type, bits)?;
    let chain = vec![certificate::self_signed(&key)?];
    device.configuration.tls = Tls {
        key: Arc::new(key),
        chain,
        key_stamp: new_stamp()?,
        chain_stamp: new_stamp()?,
    };
    Ok(Answer::Done)
}
