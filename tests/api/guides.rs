//! A guide does what it says: its shell commands run as printed, against the program itself.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::*;

/// The shells that a guide has to work in when it is pasted: interactive, but without the settings of whoever runs the tests.
const SHELLS: [&[&str]; 2] = [&["bash", "--norc", "--noprofile", "-i"], &["zsh", "-f", "-i"]];

/// What is needed to run a guide. Python starts the shell in a session of its own, since an interactive one would
/// otherwise take the terminal from `cargo test`.
const TOOLS: [&str; 5] = ["bash", "zsh", "curl", "jq", "python3"];
const IN_A_SESSION: &str = "import os, sys; os.setsid(); os.execvp(sys.argv[1], sys.argv[1:])";

fn is_installed(tool: &str) -> bool {
    let mut command = Command::new(tool);
    command.arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
}

fn text(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).expect("the guide")
}

/// The shell commands of a text.
fn commands(text: &str) -> String {
    let blocks = text.split("```sh\n").skip(1).filter_map(|block| block.split("```").next());
    blocks.collect::<Vec<_>>().join("\n")
}

/// The text under the headings that begin with `from`, up to the one that begins with `to`.
fn section<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    let (_, text) = text.split_once(from).expect("the heading");
    text.split(to).next().unwrap_or(text)
}

/// Each day as the word `DAY`: the guides are about today.
fn without_days(text: &str) -> String {
    let is_day = |word: &str| word.len() == 10 && word.chars().filter(|letter| *letter == '-').count() == 2;
    text.split_inclusive('"').map(|part| if is_day(part.trim_end_matches('"')) { "DAY\"" } else { part }).collect()
}

const FOLLOW_UP: &str = r#"{"last_interaction_on":"DAY","next_contact_on":"DAY"}
Get in touch with Grace Hopper: 10 days overdue.
{"last_interaction_on":"DAY","next_contact_on":"DAY"}
{"last_interaction_on":"DAY","next_contact_on":"DAY"}
{"who":"Grace Hopper","state":"overdue","days_overdue":10,"interval_days":30}
Call Grace: 2 days overdue.
An introduction: promised for today.
Get in touch with Grace Hopper: 10 days overdue.
{"status":"done","logged":"call","next":true}
{"last_interaction_on":"DAY","next_contact_on":"DAY"}
An introduction: promised for today.
{"created":0}
Say thank you for the conversation, then Connect online
{"status":"running","position":2,"steps":4}
{"notify_at":7,"email_digest":true}
{"total":0}
follow_up_completed
interaction
follow_up_completed
interaction
"#;

const EVENTS: &str = r#"{"stage":"identified","total":1}
{"stage":"researching","total":1}
12
{"pitch":"Thirty seconds","people":12,"missing":["research"]}
{"name":"Mary Somerville","why":"She hires","ask":"How she hires"}
{"name":"Mary Somerville","matched_by":"event","next":"Send her the demo"}
{"name":"Ida Rhodes","matched_by":null,"next":null}
{"name":"Mary Somerville","matched_by":null,"next":null}
[2,0]
{"dry_run":true,"attended":true,"met":5,"logged":3,"steps":5}
[2,0]
{"dry_run":false,"attended":true,"met":5,"logged":3,"steps":5}
{"progress":0.5,"counts":[5,1]}
{"total":6}
{"participation":"attending","debrief":null}
[2,0]
"#;

const RELATIONSHIPS: &str = r#"["You are the report of Grace Hopper.","Grace Hopper and Alan Turing were at Acme Storage at the same time."]
Hear whether Alan Turing wants to meet Kay McNulty
Hear whether Kay McNulty wants to meet Alan Turing
{"status":"asked","consent_a":"given","consent_b":"pending"}
{"status":409,"code":"consent_missing","detail":"An introduction that is made requires both consents; missing: Kay McNulty."}
{"status":"agreed","consent_a":"given","consent_b":"given"}
{"status":"made"}
{"who":"Alan Turing","kind":"introduction","weight":3}
{"who":"Kay McNulty","kind":"introduction","weight":3}
{"status":"met","outcome":"Alan starts in May"}
{"total":0}
["introduction"]
["exchange","exchange","introduction"]
{"status":"agreed"}
{"who":"Alan Turing","shared":["energy","storage"]}
{"who":"Kay McNulty","shared":["energy","storage"]}
{"kind":"message","subject":"Storage without lithium","exchanges":3}
0
["exchange","exchange","exchange","interaction"]
2
{"who":"Grace Hopper","thanks_due":1}
{"status":"acted_on","action":"Cut it to three."}
Tell Grace Hopper what became of their feedback: My portfolio
{"who":"Grace Hopper","feedback_acted_on":1,"thanks_due":0}
["exchange","feedback","follow_up"]
{"who":"Grace Hopper","feedback_acted_on":1,"thanks_due":1}
Publish What heat pumps taught me: scheduled for today.
{"posts":1,"target":1,"target_met":true,"inbound":1}
{"who":"Kay McNulty","inbound":1,"comments":1}
["post"]
{"posts":0,"target":1,"target_met":false}
{"title":"Move into climate tech","movement":"moved","introductions":1}
{"mine":{"kept":0,"slipped":0,"open":0},"given":{"count":5,"weight":15},"received":{"count":1,"weight":3}}
{"introductions_made":1,"feedback_acted_on":1,"posts_published":1}
{"who":"Grace Hopper","balance":0}
{"who":"Alan Turing","balance":6}
{"who":"Kay McNulty","balance":6}
"#;

const PEOPLE: &str = r#"[201,201,201,201,201,201,201,201,201,201,201]
[{"who":"Grace Hopper","title":"CTO"},{"who":"María García","title":"Engineer"}]
Grace Hopper was my manager until 2021
{"who":"María García","needs":"hiring Rust engineers","offers":[{"who":"Grace Hopper","offer":"Rust engineers from my course","score":67,"shared":["rust","engineers"]},{"who":"Ada Lovelace","offer":"hiring interviews","score":33,"shared":["hiring"]}]}
{"names":["G. Hopper","Grace Hopper"],"score":93,"reasons":["same_email","near_name"]}
{"name":"Grace Hopper","nickname":"Amazing Grace","emails":["grace@home.example","grace@acme.example"]}
the old id leads to Grace Hopper
{"reset":1,"restored":1}
apart again: G. Hopper
{"changed":2,"dry_run":true,"matched":2,"write":null}
{"name":"acme","counts":{"contacts":2,"events":0,"organizations":0}}
{"removed":1,"reset":2}
[]
{"typed":"g","found":["contact G. Hopper","contact Grace Hopper","contact María García"]}
{"typed":"gr","found":["contact Grace Hopper","contact G. Hopper"]}
{"typed":"gra","found":["contact Grace Hopper","contact G. Hopper"]}
{"typed":"grace a","found":["contact G. Hopper","contact Grace Hopper"]}
{"typed":"MIT lect","found":["contact Grace Hopper"]}
{"typed":"garcia","found":["contact María García"]}
{"typed":"acme","found":["organization Acme Sp. z o.o.","contact G. Hopper","contact Grace Hopper","contact María García"]}
{"typed":"acme*","found":["organization Acme Sp. z o.o.","contact G. Hopper","contact Grace Hopper","contact María García"]}
{"sort_name":"García, María","subtitle":"Engineer, Acme Sp. z o.o.","email":null}
{"sort_name":"Hopper, G.","subtitle":null,"email":"grace@home.example"}
{"sort_name":"Hopper, Grace","subtitle":"CTO, Acme Sp. z o.o.","email":"grace@acme.example"}
{"completeness":25,"first":{"code":"headline","of":10}}
{"completeness":25,"first":{"code":"about","of":5}}
{"completeness":25,"first":{"code":"location","of":5}}
"#;

/// As LinkedIn writes it, with invented people: one row is empty, one has no name, and one no link.
const CONNECTIONS: &str = r#"Notes:
"When exporting your connection data, you may notice that some of the email addresses are missing."

First Name,Last Name,URL,Email Address,Company,Position,Connected On
Dorota,Kozłowicz,https://www.linkedin.com/in/dorota-k,,"Analytical Engines, Inc.","Engineer (""Platform"")",17 Apr 2010
Grace,Hopper,https://www.linkedin.com/in/grace-h,grace@example.com,Navy,Rear Admiral,4-Apr-10
充,太田,https://www.linkedin.com/in/mitsuru-o,,阿部農林合同会社,Designer,01 Feb 2021
Emmy,Noether,,emmy@example.com,,Professor,02 Feb 2021
Mary,Somerville,https://www.linkedin.com/in/mary-s,,,,
,,,,,,
,,https://www.linkedin.com/in/nameless,,,,02 Feb 2021
Ida,Rhodes,https://www.linkedin.com/in/ida-r,not an address,Bureau of Standards,Mathematician,32 Foo 2020
"#;

const CURL: &str = r##"{"name":"Ada Lovelace","workspace":"Ada Lovelace"}
{"status":201,"code":null,"people":5}
{"status":422,"code":"invalid","people":2}
{"given_name":"","family_name":"","status":422,"code":"invalid","errors":["#/given_name A name is required: given_name, family_name, nickname or display_name."]}
{"given_name":"Ida","family_name":"Rhodes","status":422,"code":"invalid","errors":["#/emails/linkedin/value Must be a single e-mail address, such as ada@example.org."]}
太田充
太田充
{"kind":"coffee","occurred_on":"DAY","subject":"Her move to Berlin"}
{"last_interaction_on":"DAY","interaction_count":1}
2026-03-02 coffee with 太田充: Her move to Berlin
2026-03-31 Ask how the new job is: 太田充
{"status":"done","logged":"call","next":"DAY"}
{"nickname":"Dorka","tags":["linkedin","speaker"]}
{"status":412,"code":"precondition_failed"}
{"op":"deleted","entity":"contact","data":null}
{"op":"deleted","entity":"contact","data":null}
{"op":"deleted","entity":"contact","data":null}
{"op":"deleted","entity":"contact","data":null}
{"op":"deleted","entity":"interaction","data":null}
{"op":"deleted","entity":"follow_up","data":null}
{"op":"deleted","entity":"interaction","data":null}
{"op":"deleted","entity":"follow_up","data":null}
{"op":"deleted","entity":"contact_activity","data":null}
{"op":"deleted","entity":"contact","data":null}
{"action":"restored","entity":"contact"}
{"action":"restored","entity":"interaction"}
{"action":"restored","entity":"interaction"}
{"action":"restored","entity":"follow_up"}
{"action":"restored","entity":"follow_up"}
{"action":"restored","entity":"contact"}
{"action":"restored","entity":"contact"}
{"action":"restored","entity":"contact"}
{"action":"restored","entity":"contact"}
200 200 200 200 200 
{"action":"reset","entity":"contact"}
Dorka
{"status":201,"code":null,"people":4}
{"status":412,"code":"precondition_failed","people":1}
{"status":422,"code":"invalid","people":2}
{"given_name":"","family_name":"","status":422,"code":"invalid","errors":["#/given_name A name is required: given_name, family_name, nickname or display_name."]}
{"given_name":"Ida","family_name":"Rhodes","status":422,"code":"invalid","errors":["#/emails/linkedin/value Must be a single e-mail address, such as ada@example.org."]}
5
"##;

/// The import, and how many people there are.
const IMPORT_AGAIN: &str = r#"
curl -fsS -G "$WELLMET/v1/contacts" -H "$auth" -d tag=linkedin -d limit=1 -d count=true | jq .total
"#;

/// What the commands print when they are pasted into each shell, against a server on this database; nothing where a tool
/// is missing, unless it is required.
fn paste(commands: &str, database: &Database) -> Vec<String> {
    let missing: Vec<&str> = TOOLS.into_iter().filter(|tool| !is_installed(tool)).collect();
    if !missing.is_empty() {
        assert!(std::env::var_os("REQUIRE_GUIDES").is_none(), "install {}", missing.join(" and "));
        eprintln!("not run: {} is not installed", missing.join(" and "));
        return Vec::new();
    }
    let folder = scratch();
    let mut command = wellmet(&[], folder.path());
    let server = Process::start(command.env("BIND", "127.0.0.1:0").env("DATABASE_URL", &database.url));
    let line = server.line_with("listens on ");
    let (_, url) = line.split_once("listens on ").expect("we looked for it");
    let run = |shell: &&[&str]| {
        let home = folder.path().join(shell[0]);
        let pasted =
            commands.replace("http://127.0.0.1:8080", url.trim()).replace("ada@", &format!("{}@", shell[0]));
        fs::create_dir(&home).expect("a new folder");
        fs::write(home.join("Connections.csv"), CONNECTIONS).expect("a new file");
        fs::write(home.join("pasted"), pasted).expect("a new file");
        let mut command = Command::new("python3");
        command.args(["-c", IN_A_SESSION]).args(*shell).current_dir(&home);
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", &home)
            .env("TERM", "dumb");
        command.stdin(fs::File::open(home.join("pasted")).expect("it was written"));
        let run = command.output().expect("python3 starts the shell");
        // Beside the errors, prompts are written there.
        eprintln!("{}", String::from_utf8_lossy(&run.stderr));
        String::from_utf8_lossy(&run.stdout).into_owned()
    };
    SHELLS.iter().map(run).collect()
}

/// What a guide prints in each shell.
fn run(guide: &str, database: &Database) -> Vec<String> {
    paste(&commands(&text(guide)), database)
}

on_both! {
    async fn the_start_in_the_readme_finds_whom_it_created(database: Database) {
        let start = commands(section(&text("README.md"), "## Build on it", "## Development"));
        for printed in paste(&start, &database) {
            assert!(printed.contains("\"last_interaction_on\": \"2026-03-02\""), "{printed}");
        }
    }

    async fn the_guide_to_curl_prints_what_it_says(database: Database) {
        let guide = text("docs/curl.md");
        let again = commands(section(&guide, "## Import people", "## Find people")) + IMPORT_AGAIN;
        for printed in paste(&(commands(&guide) + &again), &database) {
            assert_eq!(without_days(&printed), CURL);
        }
    }

    async fn the_follow_up_guide_prints_what_it_says(database: Database) {
        for printed in run("docs/follow-up.md", &database) {
            assert_eq!(without_days(&printed), FOLLOW_UP);
        }
    }

    async fn the_guide_to_events_prints_what_it_says(database: Database) {
        for printed in run("docs/events.md", &database) {
            assert_eq!(printed, EVENTS);
        }
    }

    async fn the_guide_to_relationships_prints_what_it_says(database: Database) {
        for printed in run("docs/relationships.md", &database) {
            assert_eq!(printed, RELATIONSHIPS);
        }
    }

    async fn the_guide_to_people_prints_what_it_says(database: Database) {
        for printed in run("docs/people.md", &database) {
            assert_eq!(printed, PEOPLE);
        }
    }
}

/// What an interactive zsh takes for something else: it has no comments, and `status` and `path` are its own.
#[test]
fn guides_avoid_what_shells_disagree_on() {
    for guide in [
        "README.md",
        "docs/curl.md",
        "docs/people.md",
        "docs/events.md",
        "docs/follow-up.md",
        "docs/relationships.md",
    ] {
        for line in commands(&text(guide)).lines() {
            let begins = |words: &[&str]| words.iter().any(|word| line.trim_start().starts_with(word));
            assert!(!begins(&["#", "set -", "export -f", "status=", "path="]), "{guide}: {line}");
        }
    }
}
