//! The layers net: reads the sources under `src/` and keeps the arrows between the layers (api →
//! store → domain, api → formats → domain, jobs → store) as they are drawn. It looks at names
//! only, after comments and strings are taken out; what a name does is the compiler's business.

use std::{fmt::Write as _, fs, path::Path};

/// One arrow that must not be: files that `applies` takes may not name any of `banned`.
struct Rule {
    because: &'static str,
    applies: fn(&str) -> bool,
    banned: &'static [Banned],
}

/// What is banned: a part of any identifier (`actix` bans `tracing_actix_web` as well), or a run
/// of segments anywhere in a path (`env::var` bans `std::env::var`, and `use std::env::{var}`).
enum Banned {
    Word(&'static str),
    Path(&'static str),
}
use Banned::{Path as P, Word as W};

const RULES: &[Rule] = &[
    Rule {
        because: "SQL lives in src/store/ only",
        applies: |file| !file.starts_with("src/store/"),
        banned: &[W("diesel")],
    },
    Rule {
        because: "HTTP lives in src/api/ only, and src/app.rs puts it together",
        applies: |file| !file.starts_with("src/api/") && file != "src/app.rs",
        banned: &[W("actix")],
    },
    Rule {
        because: "src/domain/ and src/formats/ are pure: no layer above, no clock, no chance, no I/O",
        applies: |file| file.starts_with("src/domain/") || file.starts_with("src/formats/"),
        banned: &[
            P("crate::store"),
            P("crate::api"),
            P("crate::jobs"),
            P("std::fs"),
            P("std::env"),
            P("std::net"),
            P("std::process"),
            P("Utc::now"),
            P("Local::now"),
            P("SystemTime::now"),
            P("Instant::now"),
            P("Uuid::now_v7"),
            P("Uuid::new_v4"),
            W("tokio"),
            W("getrandom"),
        ],
    },
    Rule {
        because: "src/domain/ knows no file format",
        applies: |file| file.starts_with("src/domain/"),
        banned: &[P("crate::formats")],
    },
    Rule {
        because: "src/store/ serves the layers above and knows none of them",
        applies: |file| file.starts_with("src/store/"),
        banned: &[P("crate::api"), P("crate::jobs"), P("crate::formats")],
    },
    Rule {
        because: "src/jobs/ runs outside of a request",
        applies: |file| file.starts_with("src/jobs/"),
        banned: &[P("crate::api")],
    },
    Rule {
        because: "the environment is read once, in src/config/",
        applies: |file| !file.starts_with("src/config/"),
        banned: &[P("env::var"), P("env::var_os"), P("env::vars"), P("env::vars_os")],
    },
];

#[test]
fn every_layer_keeps_to_its_arrows() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut report = String::new();
    let files = sources(root);
    assert!(!files.is_empty(), "no source under {}/src", root.display());
    for file in files {
        let source = fs::read_to_string(root.join(&file)).unwrap();
        for violation in violations(&file, &source) {
            writeln!(report, "{violation}").unwrap();
        }
    }
    assert!(report.is_empty(), "\n{report}");
}

/// Paths of all Rust files under `src/`, from the crate's root, with `/` in between.
fn sources(root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec!["src".to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root.join(&folder)).unwrap() {
            let entry = entry.unwrap();
            let path = format!("{folder}/{}", entry.file_name().to_str().unwrap());
            if entry.file_type().unwrap().is_dir() {
                folders.push(path);
            } else if path.ends_with(".rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// What a file does that it may not, a sentence each, by line.
fn violations(file: &str, source: &str) -> Vec<String> {
    let mut found = Vec::new();
    if !source.starts_with("//!") {
        found.push(format!(
            "{file}:1 does not open with `//!`: one sentence on what lives here, one on what must not"
        ));
    }
    let names = names(&without_comments_and_strings(source));
    for Rule { because, applies, banned } in RULES {
        if !applies(file) {
            continue;
        }
        for Name { line, segments } in &names {
            let hit = banned.iter().find(|banned| match banned {
                W(word) => segments.iter().any(|segment| segment.contains(word)),
                P(path) => {
                    let path: Vec<&str> = path.split("::").collect();
                    segments.windows(path.len()).any(|run| run == path)
                }
            });
            let place = format!("{file}:{line} ");
            let is_told = found.iter().any(|told| told.starts_with(&place) && told.ends_with(because));
            if hit.is_some() && !is_told {
                found.push(format!("{place}names `{}`: {because}", segments.join("::")));
            }
        }
    }
    found
}

/// A path (`crate::store::Store`) or a lone identifier, and the line it begins on.
struct Name {
    line: usize,
    segments: Vec<String>,
}

/// All names of a source that has neither comments nor strings. The braces of a `use` are opened:
/// `use crate::{api, store::{Page}}` names `crate::api` and `crate::store::Page`.
fn names(source: &str) -> Vec<Name> {
    let tokens = tokens(source);
    let mut found = Vec::new();
    // For each open brace: the path before it, if the brace is one of a `use`'s.
    let mut prefixes: Vec<Vec<String>> = Vec::new();
    let mut at = 0;
    while let Some((line, token)) = tokens.get(at) {
        match token.as_str() {
            "{" => prefixes.push(Vec::new()),
            "}" => drop(prefixes.pop()),
            word if is_word(word) => {
                let mut segments = prefixes.last().cloned().unwrap_or_default();
                segments.push(word.to_owned());
                while tokens.get(at + 1).is_some_and(|(_, next)| next == "::") {
                    match tokens.get(at + 2).map(|(_, next)| next.as_str()) {
                        Some("{") => {
                            prefixes.push(segments.clone());
                            at += 2;
                            break;
                        }
                        Some(next) if is_word(next) => {
                            segments.push(next.to_owned());
                            at += 2;
                        }
                        // A glob, or the generics of a call.
                        _ => at += 1,
                    }
                }
                found.push(Name { line: *line, segments });
            }
            _ => (),
        }
        at += 1;
    }
    found
}

fn is_word(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// Words, `::`, and every other character by itself, with the line of each.
fn tokens(source: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (index, line) in source.lines().enumerate() {
        let mut rest = line.trim_start();
        while let Some(first) = rest.chars().next() {
            let length = if first.is_alphanumeric() || first == '_' {
                rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len())
            } else if rest.starts_with("::") {
                2
            } else {
                first.len_utf8()
            };
            let (token, after) = rest.split_at(length);
            found.push((index + 1, token.to_owned()));
            rest = after.trim_start();
        }
    }
    found
}

/// The source with comments, strings, characters and lifetimes blanked out, line for line.
fn without_comments_and_strings(source: &str) -> String {
    let mut kept = String::with_capacity(source.len());
    let mut rest = source;
    let mut after_word = false;
    while let Some(first) = rest.chars().next() {
        let length = match literal_or_comment(rest, after_word) {
            Some(length) => {
                let blank = rest.get(..length).unwrap_or(rest).chars().filter(|c| *c == '\n');
                kept.push(' ');
                kept.extend(blank);
                after_word = false;
                length
            }
            None => {
                kept.push(first);
                after_word = first.is_alphanumeric() || first == '_';
                first.len_utf8()
            }
        };
        rest = rest.get(length..).unwrap_or_default();
    }
    kept
}

/// Length of the comment, string, character or lifetime that `rest` begins with, if it begins with
/// one.
/// `after_word` tells that its first letter belongs to a word begun before.
fn literal_or_comment(rest: &str, after_word: bool) -> Option<usize> {
    if rest.starts_with("//") {
        return Some(rest.find('\n').unwrap_or(rest.len()));
    }
    if rest.starts_with("/*") {
        return Some(block_comment(rest));
    }
    // b"…", c"…", r"…", br#"…"#, cr##"…"##
    let quoted = if after_word { rest } else { rest.trim_start_matches(['b', 'c']) };
    let prefix = rest.len() - quoted.len();
    if prefix <= 1 && !after_word && quoted.starts_with('r') {
        let hashes = quoted.get(1..)?.len() - quoted.get(1..)?.trim_start_matches('#').len();
        if quoted.get(1 + hashes..)?.starts_with('"') {
            let end = format!("\"{}", "#".repeat(hashes));
            let body = prefix + hashes + 2;
            let length = rest.get(body..)?.find(&end).map_or(rest.len(), |at| body + at + end.len());
            return Some(length);
        }
    }
    if prefix <= 1 && quoted.starts_with('"') {
        return Some(prefix + escaped(quoted, '"'));
    }
    if prefix <= 1
        && let Some(inside) = quoted.strip_prefix('\'')
    {
        let mut characters = inside.chars();
        let is_character = match characters.next() {
            Some('\\') => true,
            Some(_) => characters.next() == Some('\''),
            None => false,
        };
        // A lifetime, or a loop's label, has no second quote: its name goes with the first.
        let name = inside.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(inside.len());
        return Some(prefix + if is_character { escaped(quoted, '\'') } else { 1 + name });
    }
    None
}

/// Length of a literal that ends with an unescaped `quote`, both quotes counted.
fn escaped(literal: &str, quote: char) -> usize {
    let mut is_escaped = false;
    for (at, character) in literal.char_indices().skip(1) {
        if !is_escaped && character == quote {
            return at + 1;
        }
        is_escaped = !is_escaped && character == '\\';
    }
    literal.len()
}

/// Length of a block comment, which may hold others.
fn block_comment(rest: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(ahead) = rest.get(at..)
        && !ahead.is_empty()
    {
        if ahead.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if ahead.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += ahead.chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

#[test]
fn planted_violation_is_found() {
    let planted = [
        ("src/api/contacts.rs", "use diesel::prelude::*;"),
        ("src/api/contacts.rs", "#[derive(diesel::Queryable)] struct Row;"),
        ("src/cli.rs", "fn main() { diesel_migrations::run() }"),
        ("src/jobs/purge.rs", "use actix_web::web;"),
        ("src/telemetry.rs", "use tracing_actix_web::TracingLogger;"),
        ("src/domain/contact.rs", "use crate::store::Store;"),
        ("src/domain/contact.rs", "use crate::{clock, store::{Page, Store}};"),
        ("src/domain/contact.rs", "fn f() { crate::api::http::page() }"),
        ("src/domain/contact.rs", "fn f() -> Day { day(chrono::Utc::now()) }"),
        ("src/domain/contact.rs", "fn f() { Utc\n    ::now(); }"),
        ("src/domain/contact.rs", "use std::{fmt, fs};"),
        ("src/domain/contact.rs", "use std::{collections::{BTreeMap}, env};"),
        ("src/domain/contact.rs", "fn f<'a>(x: &'a str) -> char { '\"' } use crate::jobs; // \""),
        ("src/domain/contact.rs", "const QUOTE: &str = r#\"\"\"#; use crate::jobs; // \""),
        ("src/formats/vcard.rs", "use crate::store::Store;"),
        ("src/store/contacts.rs", "use crate::api::http;"),
        ("src/store/contacts.rs", "use crate::jobs::purge as sweep;"),
        ("src/jobs/purge.rs", "use crate::{store::Store, api};"),
        ("src/app.rs", "fn f() { std::env::var(\"BIND\").ok(); }"),
        ("src/app.rs", "use std::env::{var};"),
        ("src/app.rs", "fn f() { for (k, v) in env::vars() {} }"),
    ];
    for (file, line) in planted {
        let source = format!("//! A file.\n/* of\n * two */\n{line}\n");
        let found = violations(file, &source);
        assert_eq!(found.len(), 1, "{file}: {line}: {found:?}");
        let place = format!("{file}:4 ");
        assert!(found[0].starts_with(&place), "{found:?} is not at {place}");
    }
    assert_eq!(violations("src/lib.rs", "pub mod api;\n").len(), 1, "no `//!`");
}

#[test]
fn what_is_allowed_is_not_reported() {
    let allowed = [
        ("src/store/contacts.rs", "use crate::domain; use diesel::prelude::*;"),
        ("src/api/contacts.rs", "use crate::{store, formats, domain}; use actix_web::web;"),
        ("src/app.rs", "use actix_web::HttpServer; use crate::{api, jobs, store};"),
        ("src/jobs/purge.rs", "use crate::{domain, formats, store};"),
        ("src/config/commands.rs", "fn f() { std::env::var(\"BIND\").ok(); }"),
        ("src/cli.rs", "fn f() { std::env::args(); }"),
        ("src/domain/contact.rs", "// use diesel::prelude::*;"),
        ("src/domain/contact.rs", "/* crate::store /* and crate::api */ diesel */"),
        ("src/domain/contact.rs", "const WHY: &str = \"diesel, \\\" crate::store\";"),
        ("src/domain/contact.rs", "const WHY: &str = r##\"actix \"# diesel\"##;"),
        ("src/domain/contact.rs", "const WHY: &[u8] = b\"actix\"; const RAW: &[u8] = br\"actix\";"),
        ("src/domain/contact.rs", "fn f(now: DateTime<Utc>, store: u8, env: u8) { 'actix: loop {} }"),
        ("src/domain/contact.rs", "use std::fmt; fn now() {} mod env { fn var() {} }"),
    ];
    for (file, line) in allowed {
        let found = violations(file, &format!("//! A file.\n{line}\n"));
        assert!(found.is_empty(), "{file}: {line}: {found:?}");
    }
}
