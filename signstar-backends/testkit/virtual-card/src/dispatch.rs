//! Which part of the simulated hardware answers which request of the card application.

use trussed::backend::{Backend as _, BackendId};
use trussed::platform::Platform;
use trussed::serde_extensions::{ExtensionDispatch, ExtensionId, ExtensionImpl};
use trussed::service::ServiceResources;
use trussed::types::Context;
use trussed_auth::AuthExtension;
use trussed_auth_backend::{AuthBackend, AuthContext, FilesystemLayout};
use trussed_chunked::ChunkedExtension;
use trussed_core::Error;
use trussed_core::api::{Reply, Request, reply, request};
use trussed_core::types::Location;
use trussed_rsa_alloc::SoftwareRsa;
use trussed_staging::{StagingBackend, StagingContext};
use trussed_wrap_key_to_file::WrapKeyToFileExtension;

/// In this order a request is offered to them.
pub(crate) const BACKENDS: &[BackendId<Part>] = &[
    BackendId::Custom(Part::Rsa),
    BackendId::Custom(Part::Staging),
    BackendId::Custom(Part::Auth),
    BackendId::Core,
];

/// A part beside the core.
pub(crate) enum Part {
    Rsa,
    Staging,
    Auth,
}

/// What the parts add to the core's requests.
#[derive(Clone, Copy)]
pub(crate) enum Extension {
    Auth,
    Chunked,
    WrapKeyToFile,
}

impl From<Extension> for u8 {
    fn from(extension: Extension) -> Self {
        match extension {
            Extension::Auth => 0,
            Extension::Chunked => 1,
            Extension::WrapKeyToFile => 2,
        }
    }
}

impl TryFrom<u8> for Extension {
    type Error = Error;

    fn try_from(id: u8) -> Result<Self, Error> {
        match id {
            0 => Ok(Self::Auth),
            1 => Ok(Self::Chunked),
            2 => Ok(Self::WrapKeyToFile),
            _ => Err(Error::InternalError),
        }
    }
}

/// All parts.
pub(crate) struct Dispatch {
    auth: AuthBackend,
    staging: StagingBackend,
}

/// What the parts keep between requests.
#[derive(Default)]
pub(crate) struct DispatchContext {
    auth: AuthContext,
    staging: StagingContext,
}

impl Dispatch {
    pub(crate) fn new() -> Self {
        Self {
            auth: AuthBackend::new(Location::Internal, FilesystemLayout::V1),
            staging: StagingBackend::new(),
        }
    }
}

impl ExtensionDispatch for Dispatch {
    type BackendId = Part;
    type Context = DispatchContext;
    type ExtensionId = Extension;

    fn core_request<P: Platform>(
        &mut self,
        part: &Part,
        ctx: &mut Context<DispatchContext>,
        request: &Request,
        resources: &mut ServiceResources<P>,
    ) -> Result<Reply, Error> {
        let Context { core, backends, .. } = ctx;
        match part {
            Part::Rsa => SoftwareRsa.request(core, &mut (), request, resources),
            Part::Staging => self
                .staging
                .request(core, &mut backends.staging, request, resources),
            Part::Auth => self
                .auth
                .request(core, &mut backends.auth, request, resources),
        }
    }

    fn extension_request<P: Platform>(
        &mut self,
        part: &Part,
        extension: &Extension,
        ctx: &mut Context<DispatchContext>,
        request: &request::SerdeExtension,
        resources: &mut ServiceResources<P>,
    ) -> Result<reply::SerdeExtension, Error> {
        let Context { core, backends, .. } = ctx;
        match (part, extension) {
            (Part::Auth, Extension::Auth) => {
                let own = &mut backends.auth;
                self.auth
                    .extension_request_serialized(core, own, request, resources)
            }
            (Part::Staging, Extension::Chunked) => {
                let own = &mut backends.staging;
                <StagingBackend as ExtensionImpl<ChunkedExtension>>::extension_request_serialized(
                    &mut self.staging,
                    core,
                    own,
                    request,
                    resources,
                )
            }
            (Part::Staging, Extension::WrapKeyToFile) => {
                let own = &mut backends.staging;
                <StagingBackend as ExtensionImpl<WrapKeyToFileExtension>>::extension_request_serialized(&mut self.staging, core, own, request, resources)
            }
            _ => Err(Error::RequestNotAvailable),
        }
    }
}

impl ExtensionId<AuthExtension> for Dispatch {
    type Id = Extension;
    const ID: Extension = Extension::Auth;
}

impl ExtensionId<ChunkedExtension> for Dispatch {
    type Id = Extension;
    const ID: Extension = Extension::Chunked;
}

impl ExtensionId<WrapKeyToFileExtension> for Dispatch {
    type Id = Extension;
    const ID: Extension = Extension::WrapKeyToFile;
}
