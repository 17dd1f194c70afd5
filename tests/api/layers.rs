//! The layers net: reads the paths named in the sources under `src/`, and checks that the arrows between layers and between
//! files go one way. It looks at names only; what a name does is the compiler's business.

use proc_macro2::{TokenStream, TokenTree};
use std::collections::{BTreeMap, BTreeSet};
use std::{fmt::Write as _, fs, path::Path};

/// Where a file may not name any of these: a run of path segments, or a part of any identifier.
type Rule = (fn(&str) -> bool, &'static [&'static str]);

const RULES: &[Rule] = &[
    (|file| !file.starts_with("src/store/"), &["diesel"]),
    (|file| !file.starts_with("src/api/") && file != "src/app.rs", &["actix"]),
    (
        |file| file.starts_with("src/domain/") || file.starts_with("src/formats/"),
        &["crate::store", "crate::service", "crate::api", "crate::jobs", "tokio", "getrandom"],
    ),
    (
        |file| file.starts_with("src/domain/") || file.starts_with("src/formats/"),
        &["std::fs", "std::env", "std::net", "std::process", "Utc::now", "Local::now", "SystemTime::now"],
    ),
    (
        |file| file.starts_with("src/domain/") || file.starts_with("src/formats/"),
        &["Instant::now", "Uuid::now_v7", "Uuid::new_v4"],
    ),
    (|file| file.starts_with("src/domain/"), &["crate::formats"]),
    (|file| file.starts_with("src/store/"), &["crate::service", "crate::api", "crate::jobs", "crate::formats"]),
    (|file| file.starts_with("src/service/"), &["crate::api", "crate::jobs"]),
    (|file| file.starts_with("src/jobs/"), &["crate::api"]),
    (|file| file.starts_with("src/mail/"), &["crate::store", "crate::service", "crate::api", "crate::jobs"]),
    (|file| file.starts_with("src/store/") || file.starts_with("src/service/"), &["crate::mail"]),
    (|file| !file.starts_with("src/config"), &["env::var", "env::var_os", "env::vars", "env::vars_os"]),
];

#[test]
fn every_layer_keeps_to_its_arrows() {
    let found: Vec<String> = sources().iter().flat_map(|(file, source)| violations(file, source)).collect();
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn no_two_files_form_a_circle() {
    let sources = sources();
    let files: BTreeMap<Vec<String>, &String> = sources.keys().map(|file| (module_of(file), file)).collect();
    let mut imports: BTreeMap<&String, BTreeSet<&String>> = BTreeMap::new();
    for (file, source) in &sources {
        for path in paths(source, &module_of(file)) {
            let target = (1..=path.len()).rev().find_map(|length| files.get(&path[..length]));
            let target = target.filter(|target| **target != file);
            imports.entry(file).or_default().extend(target);
        }
    }
    let mut circles = String::new();
    for (from, targets) in &imports {
        for to in targets.iter().filter(|to| reached(to, &imports).contains(from)) {
            writeln!(circles, "{from} -> {to}").unwrap();
        }
    }
    assert!(circles.is_empty(), "imports that are part of a circle:\n{circles}");
}

/// The files that a file imports, directly or by way of others.
fn reached<'f>(file: &'f String, imports: &BTreeMap<&'f String, BTreeSet<&'f String>>) -> BTreeSet<&'f String> {
    let mut reached = BTreeSet::new();
    let mut left = vec![file];
    while let Some(file) = left.pop() {
        left.extend(imports.get(file).into_iter().flatten().filter(|to| reached.insert(**to)));
    }
    reached
}

fn violations(file: &str, source: &str) -> Vec<String> {
    let opens = source.starts_with("//!");
    let mut found: Vec<String> =
        (!opens).then(|| format!("{file} does not open with `//!`")).into_iter().collect();
    for path in paths(source, &["crate".to_owned()]) {
        let names = |banned: &str| {
            let run: Vec<&str> = banned.split("::").collect();
            let is_part = run.len() == 1 && path.iter().any(|segment| segment.contains(banned));
            is_part || run.len() > 1 && path.windows(run.len()).any(|own| own == run)
        };
        let banned = RULES.iter().filter(|(applies, _)| applies(file)).flat_map(|(_, banned)| *banned);
        found.extend(banned.filter(|banned| names(banned)).map(|_| format!("{file} names `{}`", path.join("::"))));
    }
    found
}

/// All Rust files under `src/`, by their path from the crate's root.
fn sources() -> BTreeMap<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut found, mut folders) = (BTreeMap::new(), vec!["src".to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root.join(&folder)).unwrap() {
            let path = format!("{folder}/{}", entry.unwrap().file_name().to_str().unwrap());
            if root.join(&path).is_dir() {
                folders.push(path);
            } else if path.ends_with(".rs") {
                found.insert(path.clone(), fs::read_to_string(root.join(&path)).unwrap());
            }
        }
    }
    found
}

/// `src/store/db/mod.rs` is the module `crate::store::db`.
fn module_of(file: &str) -> Vec<String> {
    let path = file.trim_start_matches("src/").trim_end_matches(".rs").trim_end_matches("/mod");
    ["crate"].into_iter().chain(path.split('/').filter(|name| *name != "lib")).map(str::to_owned).collect()
}

/// Every path and lone identifier of a source, with `self` and `super` resolved, and the braces of a `use` opened.
fn paths(source: &str, module: &[String]) -> Vec<Vec<String>> {
    let (mut found, tokens) = (Vec::new(), source.parse::<TokenStream>().unwrap());
    collect(tokens, module, &[], &mut found);
    found
}

fn collect(tokens: TokenStream, module: &[String], prefix: &[String], found: &mut Vec<Vec<String>>) {
    // `after_mod` counts the words since `mod`: the braces after the second hold a module.
    let (mut path, mut colons, mut after_mod) = (prefix.to_vec(), 2, 0);
    for token in tokens {
        match token {
            TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
            TokenTree::Ident(word) => {
                let word = word.to_string();
                if colons != 2 || path.is_empty() {
                    found.push(std::mem::replace(&mut path, prefix.to_vec()));
                }
                match word.as_str() {
                    "self" if path.is_empty() => path = module.to_vec(),
                    "super" if path.is_empty() => path = module[..module.len() - 1].to_vec(),
                    "super" => drop(path.pop()),
                    "self" => {}
                    _ => path.push(word),
                }
                (colons, after_mod) = (
                    0,
                    if path == ["mod"] {
                        1
                    } else if after_mod == 1 {
                        2
                    } else {
                        0
                    },
                );
            }
            // Tests may name whatever they compare with.
            TokenTree::Group(_) if after_mod == 2 => {}
            // The reach of a visibility is no import.
            TokenTree::Group(_) if path.last().is_some_and(|word| word == "pub") => {}
            TokenTree::Group(group) if colons == 2 => collect(group.stream(), module, &path, found),
            TokenTree::Group(group) => collect(group.stream(), module, &[], found),
            _ => {
                found.push(std::mem::replace(&mut path, prefix.to_vec()));
                colons = 2;
            }
        }
    }
    found.push(path);
}

#[test]
fn a_planted_violation_is_found() {
    let planted = [
        ("src/api/contacts.rs", "#[derive(diesel::Queryable)] struct Row;", true),
        ("src/domain/goal.rs", "use crate::{clock, store::{Page}};", true),
        ("src/domain/goal.rs", "fn f() -> Day { day(chrono::Utc::now()) }", true),
        ("src/store/contacts.rs", "use crate::jobs::purge as sweep;", true),
        ("src/service/contacts.rs", "use crate::api::contacts;", true),
        ("src/app.rs", "use std::env::{var};", true),
        ("src/domain/goal.rs", "// crate::store\nconst WHY: &str = r##\"actix \"# crate::store\"##;", false),
        ("src/store/contacts.rs", "use crate::domain; use diesel::prelude::*;", false),
    ];
    for (file, line, is_violation) in planted {
        let found = violations(file, &format!("//! A file.\n{line}\n"));
        assert_eq!(!found.is_empty(), is_violation, "{file}: {line}: {found:?}");
    }
    let module = ["crate", "a", "b"].map(str::to_owned);
    let found = paths("use super::{self, c::{D}}; use self::e; mod tests { use super::f; }", &module);
    for (path, is_found) in
        [("crate::a", true), ("crate::a::c::D", true), ("crate::a::b::e", true), ("crate::a::f", false)]
    {
        assert_eq!(found.iter().any(|own| own.join("::") == path), is_found, "{path}");
    }
}
