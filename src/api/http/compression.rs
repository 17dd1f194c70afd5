//! Answers compressed with gzip for those who ask for it: text of 1 KiB and more that is no secret. Entity tags stay as they
//! are: they name a representation of a record, however it travels.

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::ServiceResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::web::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use moka::sync::Cache;
use std::io::{self, Write};
use std::sync::LazyLock;

/// Below this the head of the answer outweighs what is saved.
const MIN_BYTES: u64 = 1024;
/// More is compressed off the threads that serve requests: it takes over a millisecond.
const HEAVY_BYTES: usize = 128 * 1024;
/// Measured on pages of 20 and 200 contacts (24 and 235 kB): level 1 compresses them to 15 % and 10 %; level 6 to 11 % and 7 %,
/// in three times the CPU time.
const LEVEL: Compression = Compression::fast();

/// What never changes while the server runs, compressed as well as possible, by its path: anybody can ask for it as often as
/// they like. At that level the document takes 144 kB; at [`LEVEL`], 254 kB.
static PACKED: LazyLock<Cache<String, Bytes>> = LazyLock::new(|| Cache::new(64));

/// Whether a path leads to a part of the binary.
fn is_part_of_binary(path: &str) -> bool {
    path == "/v1/openapi.json" || path.starts_with("/docs/")
}

/// The answer as it is sent to a client that takes these encodings.
pub async fn compress(mut response: ServiceResponse<BoxBody>, accepts_gzip: bool) -> ServiceResponse<BoxBody> {
    if response.status() == StatusCode::NOT_MODIFIED {
        // How long the answer of 200 would be is not known here: it may vary (RFC 9110, section 15.4.5).
        vary_by_encoding(response.headers_mut());
        return response;
    }
    if !is_compressible(response.response().body().size(), response.headers()) {
        return response;
    }
    let (request, response) = response.into_parts();
    let (mut head, body) = response.into_parts();
    vary_by_encoding(head.headers_mut());
    let body = match body.try_into_bytes() {
        Ok(bytes) if accepts_gzip => match packed(request.path(), head.status(), bytes.clone()).await {
            Ok(compressed) => {
                head.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
                BoxBody::new(compressed)
            }
            Err(error) => {
                tracing::warn!(%error, "an answer could not be compressed");
                BoxBody::new(bytes)
            }
        },
        Ok(bytes) => BoxBody::new(bytes),
        // A stream.
        Err(body) => body,
    };
    ServiceResponse::new(request, head.set_body(body))
}

/// Caches keep the compressed answer apart from the other.
fn vary_by_encoding(headers: &mut HeaderMap) {
    let known = headers.get(header::VARY).and_then(|value| value.to_str().ok());
    let vary = known.map_or_else(|| "Accept-Encoding".to_owned(), |known| format!("{known}, Accept-Encoding"));
    if let Ok(vary) = HeaderValue::from_str(&vary) {
        headers.insert(header::VARY, vary);
    }
}

/// Text of some length. What must not be stored holds secrets, whose length would tell of them when compressed beside
/// what somebody else has chosen.
fn is_compressible(size: BodySize, headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = text(header::CONTENT_TYPE);
    let is_text = kind.starts_with("text/") || kind.contains("json") || kind.contains("javascript");
    let is_long = matches!(size, BodySize::Sized(bytes) if bytes >= MIN_BYTES);
    let is_secret = text(header::CACHE_CONTROL).contains("no-store");
    is_long && is_text && !is_secret && !headers.contains_key(header::CONTENT_ENCODING)
}

/// Whether `Accept-Encoding` names gzip, or everything, without refusing it.
pub fn accepts_gzip(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::ACCEPT_ENCODING).filter_map(|value| value.to_str().ok());
    let mut named = values.flat_map(|value| value.split(',')).map(|one| {
        let (name, weight) = one.split_once(';').unwrap_or((one, ""));
        let weight = weight.trim().strip_prefix("q=").and_then(|weight| weight.parse::<f32>().ok());
        (name.trim().to_ascii_lowercase(), weight.unwrap_or(1.0) > 0.0)
    });
    let all: Vec<(String, bool)> = named.by_ref().collect();
    let of = |wanted: &str| all.iter().find(|(name, _)| name == wanted).map(|(_, is_taken)| *is_taken);
    of("gzip").or_else(|| of("*")).unwrap_or(false)
}

async fn packed(path: &str, status: StatusCode, bytes: Bytes) -> io::Result<Bytes> {
    if status != StatusCode::OK || !is_part_of_binary(path) {
        return gzip(bytes, LEVEL).await;
    }
    if let Some(packed) = PACKED.get(path) {
        return Ok(packed);
    }
    let packed = gzip(bytes, Compression::best()).await?;
    PACKED.insert(path.to_owned(), packed.clone());
    Ok(packed)
}

async fn gzip(bytes: Bytes, level: Compression) -> io::Result<Bytes> {
    if bytes.len() < HEAVY_BYTES {
        return gzip_now(&bytes, level);
    }
    tokio::task::spawn_blocking(move || gzip_now(&bytes, level)).await.map_err(io::Error::other)?
}

fn gzip_now(bytes: &[u8], level: Compression) -> io::Result<Bytes> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 4), level);
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::read::GzDecoder;
    use std::io::Read;

    #[test]
    fn gzip_is_taken_where_it_is_named_and_not_refused() {
        let table = [
            (&["gzip"][..], true),
            (&["br, GZIP;q=0.5"], true),
            (&["*"], true),
            (&["br", "gzip"], true),
            (&["gzip;q=0, *"], false),
            (&["*;q=0"], false),
            (&["br, deflate"], false),
            (&[""], false),
            (&[], false),
        ];
        for (sent, expected) in table {
            let mut headers = HeaderMap::new();
            for value in sent {
                headers.append(header::ACCEPT_ENCODING, HeaderValue::from_static(value));
            }
            assert_eq!(accepts_gzip(&headers), expected, "{sent:?}");
        }
    }

    #[test]
    fn what_is_compressed_is_read_as_it_was() {
        let text = "{\"given_name\":\"Grace\"},".repeat(500);
        let compressed = gzip_now(text.as_bytes(), LEVEL).unwrap();
        assert!(compressed.len() < text.len() / 20);
        let mut read = String::new();
        GzDecoder::new(&*compressed).read_to_string(&mut read).unwrap();
        assert_eq!(read, text);
    }
}
