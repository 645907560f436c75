//! Where the server is to be found: the address its callers use, the names and pages it answers, and
//! the proxies in between. It knows addresses, and no route.
use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    str::FromStr,
};

use http::Uri;
use ipnet::IpNet;

/// What stands below the public address, and in no path before it.
const ROUTES: [&str; 9] = [
    "/mcp",
    "/sse",
    "/messages",
    "/approve",
    "/qfpay/notifications",
    "/healthz",
    "/readyz",
    "/metrics",
    "/.well-known",
];

/// The names of this machine to itself, as `Host` spells them.
pub(super) const LOOPBACK: [&str; 3] = ["127.0.0.1", "localhost", "[::1]"];

/// The address that callers use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl {
    /// `https://pay.example.com:8443`, in small letters.
    origin: String,
    authority: String,
    /// `/qfpay`, or nothing.
    prefix: String,
}

/// Pages of a site: `https://app.example.com`, or `http://localhost:*` for every port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    origin: String,
    any_port: bool,
}

/// Why a text is none of these; it ends with what is wanted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SiteError {
    #[error(
        "it is no address; use one such as https://pay.example.com or https://example.com/qfpay"
    )]
    Url,
    #[error("it ends in one of this server's own paths; leave that (such as `/mcp`) out")]
    Route,
    #[error(
        "it is no page's origin; use one such as https://app.example.com or http://localhost:*"
    )]
    Origin,
    #[error("it is no network; use an address such as 10.0.0.1, or a range such as 10.0.0.0/8")]
    Network,
    #[error(
        "it is no host name; use one such as pay.example.com, with a port where only that counts"
    )]
    Host,
}

impl FromStr for PublicUrl {
    type Err = SiteError;

    fn from_str(text: &str) -> Result<Self, SiteError> {
        let uri: Uri = text.parse().map_err(|_| SiteError::Url)?;
        let scheme = uri.scheme_str().filter(|it| ["http", "https"].contains(it));
        let (scheme, authority) = scheme.zip(uri.authority()).ok_or(SiteError::Url)?;
        let prefix = uri.path().trim_end_matches('/');
        // What stands in a route's place or in a header has to be plain.
        let plain = |c: char| c.is_ascii_alphanumeric() || "/-._~".contains(c);
        if ROUTES.iter().any(|it| prefix.ends_with(it) || prefix.starts_with(it)) {
            return Err(SiteError::Route);
        }
        let fits = prefix.chars().all(plain) && !prefix.contains("//") && !prefix.contains("..");
        if uri.query().is_some() || authority.as_str().contains('@') || !fits {
            return Err(SiteError::Url);
        }
        let authority = authority.as_str().to_ascii_lowercase();
        let origin = format!("{scheme}://{authority}");
        Ok(Self { origin, authority, prefix: prefix.to_owned() })
    }
}

/// Without a slash at its end.
impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.origin, self.prefix)
    }
}

impl FromStr for Origin {
    type Err = SiteError;

    fn from_str(text: &str) -> Result<Self, SiteError> {
        let (text, any_port) = match text.strip_suffix(":*") {
            Some(text) => (text, true),
            None => (text, false),
        };
        let url: PublicUrl = text.parse().map_err(|_| SiteError::Origin)?;
        let with_port = url.authority.rsplit_once(':').is_some_and(|(_, it)| is_port(it));
        if !url.prefix.is_empty() || (any_port && with_port) {
            return Err(SiteError::Origin);
        }
        Ok(Self { origin: url.origin, any_port })
    }
}

impl Origin {
    fn is(&self, origin: &str) -> bool {
        match origin.strip_prefix(self.origin.as_str()) {
            Some("") => true,
            Some(rest) => self.any_port && rest.strip_prefix(':').is_some_and(is_port),
            None => false,
        }
    }
}

/// Who is answered, and how the server is reached.
#[derive(Debug, Clone, Default)]
pub struct Site {
    pub public: Option<PublicUrl>,
    /// More names, as `Host` may spell them.
    pub hosts: Vec<String>,
    /// Pages that may call, besides our own.
    pub origins: Vec<Origin>,
    /// From where requests come that were encrypted up to there, and whom to believe about the
    /// address behind them.
    pub proxies: Vec<IpNet>,
    /// Whether only this machine can reach us: its own pages may then call, too.
    pub local: bool,
    /// Whether any address in numbers is a name of ours.
    pub numbers: bool,
}

impl Site {
    /// The names, as a refusal tells them.
    pub(super) fn names(&self) -> String {
        let own = self.public.iter().map(|it| it.authority.as_str());
        let more = self.hosts.iter().map(String::as_str);
        own.chain(more).chain(LOOPBACK).collect::<Vec<_>>().join(", ")
    }

    /// The path that a proxy may put before ours; nothing, or `/…`.
    pub(super) fn prefix(&self) -> &str {
        self.public.as_ref().map_or("", |it| it.prefix.as_str())
    }

    /// Whether a `host` or `host:port` is a name of this server; nothing around it is forgiven.
    pub(super) fn is_host(&self, authority: &str) -> bool {
        let authority = authority.to_ascii_lowercase();
        // The public address stands for its name, with whatever port a proxy leaves.
        let own = self.public.iter().map(|it| without_port(&it.authority));
        let named = own.chain(self.hosts.iter().map(String::as_str));
        named.into_iter().any(|it| it == authority || is_at_port(&authority, it))
            || is_loopback(&authority)
            || (self.numbers && is_number(&authority))
    }

    /// Whether it answers to a name that is not this machine's own, as behind a proxy.
    pub(super) fn is_named_elsewhere(&self) -> bool {
        let public = self.public.iter().map(|it| it.authority.as_str());
        let mut named = public.chain(self.hosts.iter().map(String::as_str));
        named.any(|it| !is_loopback(it))
    }

    /// Whether pages of this origin may call.
    pub(super) fn is_origin(&self, origin: &str) -> bool {
        let origin = origin.to_ascii_lowercase();
        let page = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
        self.public.as_ref().is_some_and(|it| it.origin == origin)
            || self.origins.iter().any(|it| it.is(&origin))
            || (self.local && page.is_some_and(is_loopback))
    }

    /// Whether pages of this origin were named, so that browsers may hand them our answers.
    pub(super) fn is_named(&self, origin: &str) -> bool {
        let origin = origin.to_ascii_lowercase();
        self.origins.iter().any(|it| it.is(&origin))
    }

    /// Whether a peer is a proxy of ours, or this machine.
    pub(super) fn is_proxy(&self, peer: IpAddr) -> bool {
        let peer = peer.to_canonical();
        peer.is_loopback() || self.proxies.iter().any(|it| it.contains(&peer))
    }

    /// Who sent a request: the last address in `forwarded` (`X-Forwarded-For`) that is not a proxy's.
    pub(super) fn client(&self, peer: IpAddr, forwarded: &str) -> IpAddr {
        let mut client = peer.to_canonical();
        for hop in forwarded.rsplit(',').map(str::trim) {
            if !self.is_proxy(client) {
                break;
            }
            let Ok(address) = hop.parse::<IpAddr>() else { break };
            client = address.to_canonical();
        }
        client
    }
}

/// Reads a name for [`Site::hosts`].
pub fn host(text: &str) -> Result<String, SiteError> {
    let parsed: Result<http::uri::Authority, _> = text.parse();
    let fits = parsed.is_ok_and(|it| !it.as_str().contains('@') && !it.host().is_empty());
    if fits { Ok(text.to_ascii_lowercase()) } else { Err(SiteError::Host) }
}

/// Reads a network for [`Site::proxies`]; one address is a network of one.
pub fn network(text: &str) -> Result<IpNet, SiteError> {
    let address = text.parse::<IpAddr>().map(IpNet::from);
    address.or_else(|_| text.parse()).map_err(|_| SiteError::Network)
}

/// Whether it is an address in numbers, with any port or none.
fn is_number(authority: &str) -> bool {
    let bare = authority.trim_start_matches('[').trim_end_matches(']');
    authority.parse::<SocketAddr>().is_ok() || bare.parse::<IpAddr>().is_ok()
}

fn is_loopback(authority: &str) -> bool {
    LOOPBACK.iter().any(|it| *it == authority || is_at_port(authority, it))
}

/// Whether `authority` is `host` with any port.
fn is_at_port(authority: &str, host: &str) -> bool {
    let rest = authority.strip_prefix(host).and_then(|it| it.strip_prefix(':'));
    rest.is_some_and(is_port)
}

fn without_port(authority: &str) -> &str {
    authority.rsplit_once(':').filter(|(_, port)| is_port(port)).map_or(authority, |(host, _)| host)
}

fn is_port(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u16>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site() -> Site {
        Site {
            public: Some("https://Pay.example.com/qfpay/".parse().unwrap()),
            hosts: vec![host("pay.internal:8443").unwrap()],
            origins: vec![
                "https://app.example.com".parse().unwrap(),
                "http://localhost:*".parse().unwrap(),
            ],
            proxies: vec![network("10.0.0.0/8").unwrap(), network("192.0.2.7").unwrap()],
            ..Site::default()
        }
    }

    #[test]
    fn an_address_is_plain_or_none() {
        let url: PublicUrl = "https://Pay.example.com:8443/a/b/".parse().unwrap();
        assert_eq!(
            (url.to_string().as_str(), &*url.prefix),
            ("https://pay.example.com:8443/a/b", "/a/b")
        );
        for wrong in [
            "pay.example.com",
            "ftp://x",
            "https://u:p@x",
            "https://x?y",
            "https://x/../y",
            "https://x/{a}",
            "https://x//y",
            "",
        ] {
            assert_eq!(wrong.parse::<PublicUrl>(), Err(SiteError::Url), "{wrong}");
        }
        for wrong in ["https://x/y", "x", "null", "*", "https://x:1:*", "https://*.example.com"] {
            assert!(wrong.parse::<Origin>().is_err() || wrong.contains('*'), "{wrong}");
        }
    }

    #[test]
    fn a_host_is_one_of_our_names() {
        for ours in
            ["pay.example.com", "PAY.example.com:443", "pay.internal:8443", "localhost:1", "[::1]"]
        {
            assert!(site().is_host(ours), "{ours}");
        }
        for other in [
            "example.com",
            "pay.example.com.evil.test",
            "pay.internal",
            "pay.internal:1",
            "pay.example.com:",
            "x@pay.example.com",
        ] {
            assert!(!site().is_host(other), "{other}");
        }
    }

    #[test]
    fn a_page_may_call_if_it_is_ours_or_named() {
        for may in [
            "https://pay.example.com",
            "https://app.example.com",
            "http://localhost:6274",
            "HTTP://LOCALHOST",
        ] {
            assert!(site().is_origin(may), "{may}");
        }
        for may_not in [
            "null",
            "",
            "http://pay.example.com",
            "https://app.example.com:444",
            "https://app.example.com.evil.test",
            "http://localhost:x",
            "http://127.0.0.1",
        ] {
            assert!(!site().is_origin(may_not), "{may_not}");
        }
        assert!(!site().is_named("https://pay.example.com"));
        assert!(Site { local: true, ..Site::default() }.is_origin("http://127.0.0.1:3000"));
    }

    #[test]
    fn the_last_address_that_no_proxy_has_is_the_clients() {
        let client = |peer: &str, forwarded: &str| {
            site().client(peer.parse().unwrap(), forwarded).to_string()
        };
        assert_eq!(client("10.1.1.1", "203.0.113.9"), "203.0.113.9");
        assert_eq!(client("10.1.1.1", "6.6.6.6, 203.0.113.9, 10.2.2.2"), "203.0.113.9");
        // Whoever is no proxy is believed about nobody.
        assert_eq!(client("203.0.113.1", "198.51.100.1"), "203.0.113.1");
        assert_eq!(client("::ffff:10.1.1.1", "x"), "10.1.1.1");
    }
}
