//! Where the client reaches the server, for what has to name it: an entry of a calendar, say.

use actix_web::HttpRequest;
use actix_web::http::header;
use url::Url;

use crate::config::Config;

/// Such as `https://wellmet.example.com`, without a slash at the end: from `Host`, or from what a trusted proxy says of
/// the request that it forwards. `None` if that is no address.
pub fn base_url(config: &Config, request: &HttpRequest) -> Option<String> {
    let text = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    let is_forwarded = request.peer_addr().is_some_and(|peer| config.trusts_proxy(peer.ip()));
    // Each proxy adds what it saw to the end of the list.
    let forwarded = |name| is_forwarded.then(|| text(name)?.rsplit(',').next().map(str::trim)).flatten();
    let scheme = forwarded("x-forwarded-proto").filter(|scheme| ["http", "https"].contains(scheme));
    let host = forwarded("x-forwarded-host").or_else(|| text(header::HOST.as_str()))?;
    let url = Url::parse(&format!("{}://{host}", scheme.unwrap_or("http"))).ok()?;
    let is_bare =
        url.path() == "/" && url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    is_bare.then(|| url.as_str().trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::TrustedProxies;
    use actix_web::test::TestRequest;

    #[test]
    fn a_trusted_proxy_says_how_the_server_is_reached() {
        let mut config = Config::for_test("sqlite://unused.db");
        config.trusted_proxies = TrustedProxies(vec!["10.0.0.0/8".parse().unwrap()]);
        let table = [
            ("10.1.1.1", "app:8080", "https", "wellmet.example.com", Some("https://wellmet.example.com")),
            ("192.0.2.1", "app:8080", "https", "wellmet.example.com", Some("http://app:8080")),
            ("10.1.1.1", "app:8080", "javascript", "a.example", Some("http://a.example")),
            ("192.0.2.1", "a b", "http", "x", None),
            ("192.0.2.1", "a.example/x?y", "http", "x", None),
        ];
        for (peer, host, proto, forwarded_host, expected) in table {
            let request = TestRequest::default()
                .peer_addr(std::net::SocketAddr::new(peer.parse().unwrap(), 1))
                .insert_header(("Host", host))
                .insert_header(("X-Forwarded-Proto", proto))
                .insert_header(("X-Forwarded-Host", forwarded_host))
                .to_http_request();
            assert_eq!(base_url(&config, &request).as_deref(), expected, "{peer} {host}");
        }
    }
}
