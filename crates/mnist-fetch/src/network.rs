//! How the network is reached: through which proxy, and whose certificates are trusted.

use std::env;
use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use ureq::Proxy;
use ureq::tls::{Certificate, PemItem, RootCerts, parse_pem};

use crate::error::{Error, ErrorKind, Result};

/// A file with certificates to trust instead of the built-in ones, as OpenSSL and curl know it: for a company's own
/// authority.
pub(crate) const TRUST_VARIABLE: &str = "SSL_CERT_FILE";

/// How the network is reached: through which proxy, and whose certificates are trusted.
///
/// [`Network::default`] asks servers directly and trusts the certificates that are built in.
///
/// ```
/// use mnist_fetch::Network;
///
/// let network = Network::from_variables(|name| match name {
///     "https_proxy" => Some("http://proxy.example:8080".into()),
///     "no_proxy" => Some("mirror.example".into()),
///     _ => None,
/// })?;
/// # Ok::<(), mnist_fetch::Error>(())
/// ```
#[derive(Clone)]
pub struct Network {
    roots: RootCerts,
    /// For addresses that begin with http://.
    plain_proxy: Option<ProxyVariable>,
    /// For addresses that begin with https://.
    tls_proxy: Option<ProxyVariable>,
    /// Hosts that are asked directly, with commas between them.
    direct_hosts: String,
}

/// A variable that names a proxy. It is read when it is needed: one that is wrong hurts nobody before.
#[derive(Clone)]
struct ProxyVariable {
    name: &'static str,
    /// It may hold a password, so it is never shown.
    address: String,
}

impl Network {
    /// What the environment says, as curl reads it: `https_proxy` or `http_proxy` for the kind of address, then
    /// `all_proxy`, in small letters or capitals; `no_proxy`; and `SSL_CERT_FILE`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Io`] or [`ErrorKind::Data`] where `SSL_CERT_FILE` names certificates that cannot be used.
    pub fn from_environment() -> Result<Self> {
        Network::from_variables(|name| env::var_os(name))
    }

    /// The same of variables that are given otherwise.
    ///
    /// # Errors
    ///
    /// As [`Network::from_environment`].
    pub fn from_variables(variable: impl Fn(&str) -> Option<OsString>) -> Result<Self> {
        let text = |name: &str| variable(name)?.into_string().ok().filter(|text| !text.is_empty());
        let proxy = |names: [&'static str; 4]| {
            names.into_iter().find_map(|name| Some(ProxyVariable { name, address: text(name)? }))
        };
        let roots = match variable(TRUST_VARIABLE).filter(|path| !path.is_empty()) {
            Some(path) => read_certificates(&PathBuf::from(path))?,
            None => RootCerts::WebPki,
        };
        Ok(Network {
            roots,
            plain_proxy: proxy(["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"]),
            tls_proxy: proxy(["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]),
            direct_hosts: ["no_proxy", "NO_PROXY"].iter().find_map(|name| text(name)).unwrap_or_default(),
        })
    }

    pub(crate) fn roots(&self) -> &RootCerts {
        &self.roots
    }

    /// The proxy for an address of this kind; ureq alone would take `HTTPS_PROXY` for both kinds. The error is the reason.
    pub(crate) fn proxy(&self, is_protected: bool) -> std::result::Result<Option<Proxy>, String> {
        let Some(variable) = (if is_protected { &self.tls_proxy } else { &self.plain_proxy }) else { return Ok(None) };
        let unusable = |_| {
            let name = variable.name;
            format!("the environment variable {name} holds no address of a proxy, such as http://proxy.example:8080")
        };
        let named = Proxy::new(&variable.address).map_err(unusable)?;
        let mut proxy = Proxy::builder(named.protocol()).host(named.host()).port(named.port());
        if let Some(user) = named.username() {
            proxy = proxy.username(user);
        }
        if let Some(password) = named.password() {
            proxy = proxy.password(password);
        }
        for host in self.direct_hosts.split(',').map(str::trim).filter(|host| !host.is_empty()) {
            proxy = proxy.no_proxy(host);
            // "example.com" means its hosts too wherever else this variable is read.
            proxy = proxy.no_proxy(&format!(".{}", host.trim_start_matches('.')));
        }
        proxy.build().map(Some).map_err(unusable)
    }
}

impl Default for Network {
    fn default() -> Self {
        Network { roots: RootCerts::WebPki, plain_proxy: None, tls_proxy: None, direct_hosts: String::new() }
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |proxy: &Option<ProxyVariable>| proxy.as_ref().map(|variable| variable.name);
        f.debug_struct("Network")
            .field("has_own_certificates", &matches!(self.roots, RootCerts::Specific(_)))
            .field("plain_proxy", &name(&self.plain_proxy))
            .field("tls_proxy", &name(&self.tls_proxy))
            .field("direct_hosts", &self.direct_hosts)
            .finish()
    }
}

fn read_certificates(path: &Path) -> Result<RootCerts> {
    let pem = fs::read(path).map_err(|error| Error::io("read", path, error))?;
    let certificates: Vec<Certificate<'static>> = parse_pem(&pem)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect();
    if certificates.is_empty() {
        let message = format!(
            ": expected certificates in PEM form, as {TRUST_VARIABLE} names the file, found none; unset the variable, or \
             name another file"
        );
        return Err(Error::at(ErrorKind::Data, path, message));
    }
    Ok(RootCerts::from(certificates))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_in_the_address_of_a_proxy_is_not_shown() {
        let network = Network::from_variables(|name| (name == "all_proxy").then(|| "http://me:secret@a:1".into()));
        let shown = format!("{:?}", network.expect("no certificates are named"));
        assert!(shown.contains("all_proxy") && !shown.contains("secret"), "{shown}");
    }
}
