//! Bodies and queries made to cost more than they carry: each is refused with a short answer and before the database is
//! asked for anything. What a well-meant wrong body is told is in the file of its resource.

use serde_json::{Value, json};
use std::fmt::Write as _;

use super::support::{SESSION_STATEMENTS, TestServer, sent_to};

/// A refusal lists at most 100 errors, so it is short whatever was sent.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

fn repeated(count: usize, item: impl Fn(usize) -> String) -> String {
    (0..count).map(item).collect::<Vec<_>>().join(",")
}

/// An object with this member beside a name.
fn with(member: &str, value: &str) -> String {
    format!(r#"{{"given_name":"Ada","{member}":{value}}}"#)
}

fn array(count: usize, item: &str) -> String {
    format!("[{}]", repeated(count, |_| item.to_owned()))
}

fn map(count: usize, value: &str) -> String {
    format!("{{{}}}", repeated(count, |index| format!(r#""k{index}":{value}"#)))
}

fn nested(depth: usize, open: &str, close: &str) -> String {
    format!("{}1{}", open.repeat(depth), close.repeat(depth))
}

fn batch(count: usize, operation: &str) -> String {
    format!(r#"{{"operations":{}}}"#, array(count, operation))
}

fn create(body: &str) -> String {
    format!(r#"{{"method":"POST","path":"/v1/contacts","body":{body}}}"#)
}

/// What is sent to `/v1/contacts`, and the status it is refused with.
fn bodies() -> Vec<(&'static str, String, u16)> {
    let long = |count: usize| format!("\"{}\"", "x".repeat(count));
    vec![
        ("300,000 items", with("skills", &array(300_000, "0")), 413),
        ("40,000 items", with("skills", &array(40_000, "0")), 413),
        ("19,990 numbers for texts", with("skills", &array(19_990, "0")), 422),
        ("19,990 blank texts", with("skills", &array(19_990, "\" \"")), 422),
        ("19,990 texts", with("tags", &array(19_990, "\"a\"")), 422),
        ("19,990 nulls", with("languages", &array(19_990, "null")), 422),
        ("9,000 empty objects in a list of texts", with("skills", &array(9_000, "{}")), 422),
        ("9,000 lists of lists", with("skills", &array(9_000, "[0]")), 422),
        ("60,000 unknown fields", map(60_000, "0"), 413),
        ("19,990 unknown fields", map(19_990, "0"), 422),
        ("19,000 entries", with("emails", &map(19_000, "0")), 422),
        ("9,000 empty entries", with("emails", &map(9_000, "{}")), 422),
        ("9,000 entries of a wrong type", with("phones", &map(9_000, r#"{"value":7}"#)), 422),
        ("6,000 links without a platform", with("links", &map(6_000, r#"{"url":"","x":1}"#)), 422),
        ("6,000 dates of no day", with("dates", &map(6_000, r#"{"value":"x"}"#)), 422),
        (
            "4,000 keys that are none",
            with(
                "emails",
                &format!("{{{}}}", repeated(4_000, |index| format!(r#""k {index}":{{"value":"a@b.example"}}"#))),
            ),
            422,
        ),
        ("deep lists", with("skills", &nested(100_000, "[", "]")), 400),
        ("deep objects", with("skills", &nested(100_000, r#"{"a":"#, "}")), 400),
        ("as deep as may be", with("how_met", &nested(60, r#"{"a":"#, "}")), 422),
        ("brackets that never close", "[".repeat(900_000), 400),
        ("braces that never close", r#"{"a":"#.repeat(150_000), 400),
        ("a long text", with("notes", &long(900_000)), 422),
        ("a long key", format!(r#"{{{}:1}}"#, long(900_000)), 422),
        ("a long name", with("family_name", &long(500_000)), 422),
        ("a long number", with("favorite", &"9".repeat(500_000)), 400),
        ("a number beyond all", with("favorite", "1e999999"), 400),
        ("a small number of many digits", with("favorite", &format!("0.{}1", "0".repeat(500_000))), 422),
        ("a large exponent", with("favorite", "1e300"), 422),
        ("a lone surrogate", with("notes", r#""\ud800""#), 400),
        ("lone surrogates", with("skills", &array(9_000, r#""\udc00""#)), 400),
        ("U+0000 in every item", with("skills", &array(9_000, r#""\u0000""#)), 422),
        ("a key twice", r#"{"given_name":"Ada","given_name":"Eve"}"#.to_owned(), 400),
        ("one key 90,000 times", format!("{{{}}}", repeated(90_000, |_| r#""a":1"#.to_owned())), 400),
        ("no object", array(19_000, "0"), 422),
        ("escapes", with("notes", &format!("\"{}\"", r"\n".repeat(450_000))), 422),
        ("not UTF-8's longest", with("notes", &format!("\"{}\"", "\u{10FFFF}".repeat(200_000))), 422),
        ("what lower case makes longer", with("tags", &array(9_000, "\"\u{0130}\"")), 422),
        ("commas", format!("[{}]", ",".repeat(900_000)), 400),
    ]
}

/// What is sent to `/v1/batch`, and the status it is refused with.
fn batches() -> Vec<(&'static str, String, u16)> {
    let skills = |count: usize| create(&with("skills", &array(count, "0")));
    vec![
        ("450,000 numbers", batch(450_000, "0"), 413),
        ("19,000 numbers", batch(19_000, "0"), 422),
        (
            "19,000 headers",
            batch(1, &format!(r#"{{"method":"GET","path":"/v1/contacts","headers":{}}}"#, map(19_000, "0"))),
            422,
        ),
        (
            "60,000 headers",
            batch(1, &format!(r#"{{"method":"GET","path":"/v1/contacts","headers":{}}}"#, map(60_000, "0"))),
            413,
        ),
        ("a body larger than by itself", batch(1, &skills(20_000)), 413),
        ("too many operations", batch(5_000, r#"{"method":"GET","path":"/v1/contacts"}"#), 422),
        ("unknown members", batch(100, r#"{"method":"GET","path":"/v1/contacts","a":1,"b":2,"c":3}"#), 422),
        ("long paths", batch(90, &format!(r#"{{"method":"GET","path":"/v1/{}"}}"#, "a".repeat(9_000))), 422),
    ]
}

on_both! {
    async fn a_hostile_body_is_refused_shortly_and_without_the_database(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        ada.get("/v1/me").await.expect(200);
        let mut report = String::new();
        let bodies = bodies().into_iter().map(|body| ("/v1/contacts", body));
        let batches = batches().into_iter().map(|body| ("/v1/batch", body));
        for (path, (shape, body, expected)) in bodies.chain(batches) {
            let before = sent_to(&server.database);
            let reply = ada.request("POST", path).bytes("application/json", body).await;
            let statements = sent_to(&server.database) - before;
            let errors = reply.body["errors"].as_array().map_or(0, Vec::len);
            let truncated = reply.body["errors_truncated"] == Value::Bool(true);
            let is_listed = errors <= 100 && (!truncated || errors == 100);
            if reply.status != expected || statements > SESSION_STATEMENTS || reply.text.len() > MAX_ANSWER_BYTES || !is_listed {
                let bytes = reply.text.len();
                writeln!(report, "{path}, {shape}: {} for {expected}, {statements} statements, {bytes} bytes, {errors} errors", reply.status).unwrap();
            }
        }
        assert!(report.is_empty(), "\n{report}");
        assert_eq!(ada.get("/v1/contacts").await.expect(200).items().len(), 0);
    }

    async fn a_batch_of_large_bodies_is_as_good_as_each_by_itself(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let operation = create(&with("skills", &array(1_900, "0")));
        let reply = ada.request("POST", "/v1/batch").bytes("application/json", batch(100, &operation)).await.expect(207);
        for result in reply.body["results"].as_array().unwrap() {
            assert_eq!(result["status"], 422);
            assert_eq!(result["body"]["errors"].as_array().unwrap().len(), 100);
            assert_eq!(result["body"]["errors_truncated"], true);
        }
    }

    async fn a_hundred_errors_are_listed_and_more_are_said_to_be_there(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        for (count, listed, truncated) in [(99, 99, Value::Null), (100, 100, Value::Null), (101, 100, json!(true))] {
            let unknown: serde_json::Map<_, _> = (0..count).map(|index| (format!("x{index}"), json!(1))).collect();
            let mut body = Value::Object(unknown);
            body["given_name"] = json!("Ada");
            let problem = ada.post("/v1/contacts", &body).await.problem(422, "invalid");
            assert_eq!(problem["errors"].as_array().unwrap().len(), listed);
            assert_eq!(problem["errors_truncated"], truncated);
        }
    }

    async fn a_filter_takes_as_many_ids_as_the_document_says_and_refuses_more(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let id = |index: usize| format!("01939d5e-8c00-7000-8000-{index:012}");
        let ids = |name: &str, count: usize| {
            (0..count).map(|index| format!("{name}={}", id(index))).collect::<Vec<_>>().join("&")
        };
        let list = |query: String| ada.get(&format!("/v1/positions?{query}"));
        let names = ["contact_id", "contact_id[ne]", "organization_id", "organization_id[ne]"];
        let within = names.map(|name| ids(name, 91)).join("&");
        assert!(list(within).await.expect(200).items().is_empty());
        for name in names {
            let before = sent_to(&server.database);
            list(ids(name, 182)).await.problem(400, "invalid_parameter");
            assert!(sent_to(&server.database) - before <= SESSION_STATEMENTS + 2, "{name}");
        }
        ada.get(&format!("/v1/contacts?{}", ids("organization_id", 182))).await.problem(400, "invalid_parameter");
    }

    async fn a_list_of_words_takes_each_of_them_once(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let repeated = |name: &str, value: &str, count: usize| vec![format!("{name}={value}"); count].join("&");
        ada.get(&format!("/v1/contacts?{}", repeated("include", "needs", 4))).await.expect(200);
        ada.get(&format!("/v1/contacts?{}", repeated("include", "needs", 5))).await.problem(400, "invalid_parameter");
        ada.get(&format!("/v1/search?q=a&{}", repeated("types", "contact", 15))).await.expect(200);
        ada.get(&format!("/v1/search?q=a&{}", repeated("types", "contact", 16))).await.problem(400, "invalid_parameter");
    }
}
