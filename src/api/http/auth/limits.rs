//! How often somebody may ask. Nobody is ever locked out by what somebody else does.

use actix_web::HttpRequest;
use actix_web::http::header::{HeaderName, HeaderValue};
use governor::clock::{Clock, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DefaultKeyedStateStore;
use governor::{Quota, RateLimiter};
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;

use crate::api::http::messages::problem::{Code, Problem};
use crate::config::Config;
use crate::domain::count::pluralize;
use crate::domain::id::UserId;

/// Requests a minute to `/v1/auth/*` from one address.
pub const AUTH_PER_MINUTE: u32 = 60;
/// Requests a minute for calendar feeds from one address: a calendar service reads those of many users.
pub const FEED_PER_MINUTE: u32 = 600;
/// Logins a minute to one account from one address: others cannot use it up.
pub const LOGIN_PER_MINUTE: u32 = 10;

type Keyed<K> = RateLimiter<K, DefaultKeyedStateStore<K>, DefaultClock, StateInformationMiddleware>;

/// The buckets of this node.
pub struct Limits {
    enabled: bool,
    requests_per_minute: u32,
    users: Keyed<UserId>,
    addresses: Keyed<IpAddr>,
    feeds: Keyed<IpAddr>,
    logins: Keyed<(String, IpAddr)>,
}

/// What is left, for the `RateLimit` headers.
#[derive(Debug, Clone, Copy)]
pub struct Left {
    policy: &'static str,
    per_minute: u32,
    remaining: u32,
}

impl Left {
    /// `RateLimit-Policy` and `RateLimit`, after the IETF draft of that name.
    pub fn headers(self) -> [(HeaderName, HeaderValue); 2] {
        let value = |text: String| HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""));
        [
            (
                HeaderName::from_static("ratelimit-policy"),
                value(format!("\"{}\";q={};w=60", self.policy, self.per_minute)),
            ),
            (HeaderName::from_static("ratelimit"), value(format!("\"{}\";r={}", self.policy, self.remaining))),
        ]
    }
}

impl Limits {
    /// With so many requests a minute of one user.
    pub fn new(enabled: bool, requests_per_minute: u32) -> Self {
        Self {
            enabled,
            requests_per_minute,
            users: per_minute(requests_per_minute),
            addresses: per_minute(AUTH_PER_MINUTE),
            feeds: per_minute(FEED_PER_MINUTE),
            logins: per_minute(LOGIN_PER_MINUTE),
        }
    }

    pub fn user(&self, user: UserId) -> Result<Option<Left>, Problem> {
        self.take("user", self.requests_per_minute, &self.users, &user, NonZeroU32::MIN)
    }

    /// So many requests of a user at once, all of them or none; `None` for none.
    pub fn user_at_once(&self, user: UserId, requests: usize) -> Result<Option<Left>, Problem> {
        match u32::try_from(requests).ok().and_then(NonZeroU32::new) {
            Some(requests) => self.take("user", self.requests_per_minute, &self.users, &user, requests),
            None => Ok(None),
        }
    }

    pub fn address(&self, address: IpAddr) -> Result<Option<Left>, Problem> {
        self.take("address", AUTH_PER_MINUTE, &self.addresses, &address, NonZeroU32::MIN)
    }

    pub fn feed(&self, address: IpAddr) -> Result<Option<Left>, Problem> {
        self.take("feed", FEED_PER_MINUTE, &self.feeds, &address, NonZeroU32::MIN)
    }

    pub fn login(&self, email: &str, address: IpAddr) -> Result<Option<Left>, Problem> {
        self.take("login", LOGIN_PER_MINUTE, &self.logins, &(email.to_owned(), address), NonZeroU32::MIN)
    }

    fn take<K: Hash + Eq + Clone>(
        &self,
        policy: &'static str,
        per_minute: u32,
        buckets: &Keyed<K>,
        key: &K,
        requests: NonZeroU32,
    ) -> Result<Option<Left>, Problem> {
        if !self.enabled {
            return Ok(None);
        }
        let taken = buckets.check_key_n(key, requests);
        let taken = taken.map_err(|_| Problem::new(Code::Internal).caused_by("more at once than in a minute"))?;
        match taken {
            Ok(state) => Ok(Some(Left { policy, per_minute, remaining: state.remaining_burst_capacity() })),
            Err(not_until) => {
                let wait = not_until.wait_time_from(DefaultClock::default().now());
                let seconds = wait.as_secs().saturating_add(1);
                let mut problem = Problem::new(Code::RateLimited)
                    .detail(format!("Too many requests. Retry in {}.", pluralize(seconds, "second", "seconds")))
                    .header(actix_web::http::header::RETRY_AFTER, seconds.to_string());
                // What was too little for many may be enough for one: the caller knows how much that is.
                if requests == NonZeroU32::MIN {
                    problem.headers.extend(Left { policy, per_minute, remaining: 0 }.headers());
                }
                Err(problem)
            }
        }
    }

    /// Forgets buckets that are full again.
    pub fn tidy(&self) {
        self.users.retain_recent();
        self.addresses.retain_recent();
        self.feeds.retain_recent();
        self.logins.retain_recent();
    }
}

fn per_minute<K: Hash + Eq + Clone>(requests: u32) -> Keyed<K> {
    let requests = NonZeroU32::new(requests).unwrap_or(NonZeroU32::MIN);
    RateLimiter::keyed(Quota::per_minute(requests)).with_middleware::<StateInformationMiddleware>()
}

/// The address that a request is counted against: the peer's, or behind a trusted proxy the last one that is not
/// itself a trusted proxy. Of IPv6 the /64, since that is what one household or server gets.
pub fn client_address(config: &Config, request: &HttpRequest) -> IpAddr {
    let peer = request.peer_addr().map_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED), |address| address.ip());
    if !config.trusts_proxy(peer) {
        return network(peer);
    }
    let forwarded = request.headers().get_all("x-forwarded-for").filter_map(|value| value.to_str().ok());
    let hops: Vec<&str> = forwarded.flat_map(|value| value.split(',')).collect();
    // From the right: each proxy adds the address it saw, and what stands left of the last trusted one anybody may have
    // made up.
    let client = hops.into_iter().rev().map_while(address_of).find(|hop| !config.trusts_proxy(*hop));
    network(client.unwrap_or(peer))
}

/// An address as proxies write it: alone, or with a port.
fn address_of(hop: &str) -> Option<IpAddr> {
    let hop = hop.trim();
    let bare = hop.strip_prefix('[').and_then(|hop| hop.strip_suffix(']')).unwrap_or(hop);
    bare.parse().ok().or_else(|| hop.parse::<std::net::SocketAddr>().ok().map(|address| address.ip()))
}

fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    #[test]
    fn behind_a_trusted_proxy_the_last_address_it_added_counts() {
        let mut config = Config::for_test("sqlite://unused.db");
        config.trusted_proxies = crate::config::TrustedProxies(vec!["10.0.0.0/8".parse().unwrap()]);
        let table = [
            ("10.1.1.1", "203.0.113.7", "203.0.113.7"),
            ("10.1.1.1", "9.9.9.9, x, 203.0.113.7", "203.0.113.7"),
            ("10.1.1.1", "9.9.9.9, x", "10.1.1.1"),
            ("10.1.1.1", "9.9.9.9, 203.0.113.7:4711, 10.2.2.2", "203.0.113.7"),
            ("10.1.1.1", "[2001:db8:1:2:3::4]:443", "2001:db8:1:2::"),
            ("192.0.2.1", "203.0.113.7", "192.0.2.1"),
        ];
        for (peer, forwarded, expected) in table {
            let request = TestRequest::default()
                .peer_addr(std::net::SocketAddr::new(peer.parse().unwrap(), 1))
                .insert_header(("X-Forwarded-For", forwarded))
                .to_http_request();
            assert_eq!(client_address(&config, &request), expected.parse::<IpAddr>().unwrap(), "{forwarded}");
        }
    }
}
