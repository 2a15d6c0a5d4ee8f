//! The HTTP door of the service. [`Door`] listens and holds the limits on connections, [`answer`]
//! finds who answers a path, [`aws`] speaks the protocol of AWS JSON 1.1, [`pages`] shows the
//! console, [`reports`] sends reports.

mod answer;
mod aws;
mod credentials;
mod door;
mod pages;
mod reports;
mod sigv4;
mod tls;

use std::sync::Arc;

pub use credentials::{Credential, Credentials};
pub use door::{Door, Stop};
pub use tls::Tls;

use super::Service;

/// What a door opens to.
#[derive(Clone)]
pub struct Site {
    /// The service.
    pub service: Arc<Service>,
    /// Who may ask; none: anybody who can connect.
    pub credentials: Option<Arc<[Credential]>>,
}
