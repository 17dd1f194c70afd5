//! A guide does what it says: its shell commands run as printed, against the program itself.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::*;

/// What the commands of a guide are written with, beside the shell.
const TOOLS: [&str; 2] = ["curl", "jq"];

fn is_installed(tool: &str) -> bool {
    let mut command = Command::new(tool);
    command.arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
}

/// The shell commands of a guide.
fn commands(guide: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(guide);
    let text = fs::read_to_string(path).expect("the guide");
    let blocks = text.split("```sh\n").skip(1).filter_map(|block| block.split("```").next());
    blocks.collect::<Vec<_>>().join("\n")
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
{"status":409,"code":"consent_missing","detail":"The introduction cannot be made: the consent of Kay McNulty is missing."}
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

/// What the commands of a guide print, run against a server on this database; `None` where a tool is missing, unless it is
/// required.
fn run(guide: &str, database: &Database) -> Option<String> {
    let missing: Vec<&str> = TOOLS.into_iter().filter(|tool| !is_installed(tool)).collect();
    if !missing.is_empty() {
        assert!(std::env::var_os("REQUIRE_GUIDES").is_none(), "install {}", missing.join(" and "));
        eprintln!("not run: {} is not installed", missing.join(" and "));
        return None;
    }
    let folder = scratch();
    let mut command = wellmet(&[], folder.path());
    let server = Process::start(command.env("BIND", "127.0.0.1:0").env("DATABASE_URL", &database.url));
    let line = server.line_with("listens on ");
    let (_, url) = line.split_once("listens on ").expect("we looked for it");
    let mut shell = Command::new("bash");
    shell.args(["-c", &commands(guide)]).current_dir(folder.path()).env("WELLMET", url.trim());
    let run = shell.output().expect("bash");
    let (printed, errors) = (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    assert!(run.status.success(), "{printed}{errors}");
    Some(printed.into_owned())
}

on_both! {
    async fn the_follow_up_guide_prints_what_it_says(database: Database) {
        if let Some(printed) = run("follow-up.md", &database) {
            assert_eq!(without_days(&printed), FOLLOW_UP);
        }
    }

    async fn the_guide_to_events_prints_what_it_says(database: Database) {
        if let Some(printed) = run("events.md", &database) {
            assert_eq!(printed, EVENTS);
        }
    }

    async fn the_guide_to_relationships_prints_what_it_says(database: Database) {
        if let Some(printed) = run("relationships.md", &database) {
            assert_eq!(printed, RELATIONSHIPS);
        }
    }

    async fn the_guide_to_people_runs_to_its_end(database: Database) {
        if let Some(printed) = run("people.md", &database) {
            assert!(printed.contains("Grace Hopper was my manager until 2021"), "{printed}");
        }
    }
}
