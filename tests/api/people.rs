//! Organizations, positions, relationships and needs: what each promises beside what every record does, which the nets
//! hold all of them to.

use serde_json::{Value, json};

use crate::support::*;

async fn contact(client: &Client, name: &str) -> Reply {
    client.post("/v1/contacts", &json!({ "given_name": name })).await.expect(201)
}

async fn organization(client: &Client, name: &str) -> Reply {
    client.post("/v1/organizations", &json!({ "name": name })).await.expect(201)
}

fn column(reply: &Reply, pointer: &str) -> Vec<Value> {
    reply.items().iter().map(|item| item.pointer(pointer).cloned().unwrap_or_default()).collect()
}

on_both! {
    async fn a_bare_name_links_a_position_only_where_it_is_unique(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let acme = ada.post("/v1/organizations", &json!({"name": "Acme Sp. z o.o.", "aliases": ["Acme"]})).await.expect(201);
        let grace = contact(&ada, "Grace").await;
        let position = |name: &str| json!({"contact_id": grace.id(), "organization_name": name, "title": "CTO"});
        let linked = ada.post("/v1/positions", &position("ÁCME")).await.expect(201);
        assert_eq!(linked.body["organization_id"], acme.body["id"]);
        assert_eq!(linked.body["organization_name"], "ÁCME", "what was typed is kept");
        organization(&ada, "acme").await;
        let ambiguous = ada.post("/v1/positions", &position("Acme")).await.expect(201);
        assert_eq!(ambiguous.body["organization_id"], Value::Null);
        for none in ["Self-employed", "Selbstständig", "フリーランス", "Stealth Startup"] {
            let free = ada.post("/v1/positions", &position(none)).await.expect(201);
            assert_eq!(free.body["organization_id"], Value::Null, "{none}");
            ada.post("/v1/organizations", &json!({ "name": none })).await.problem(422, "invalid");
        }
    }

    async fn several_jobs_at_once_are_listed_both_ways_and_included(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let (grace, acme, school) = (contact(&ada, "Grace").await, organization(&ada, "Acme").await, organization(&ada, "MIT").await);
        for (place, title, kind) in [(&acme, "CTO", "founder"), (&school, "Lecturer", "teacher")] {
            ada.post("/v1/positions", &json!({"contact_id": grace.id(), "organization_id": place.id(),
                "title": title, "kind": kind, "started_on": "2021-04"})).await.expect(201);
        }
        let own = ada.get(&format!("{}/positions?current=true&include=organization", grace.location())).await.expect(200);
        assert_eq!(column(&own, "/organization/name"), ["MIT", "Acme"]);
        let there = ada.get(&format!("{}/positions?include=contact", acme.location())).await.expect(200);
        assert_eq!(column(&there, "/contact/name"), ["Grace"]);
        let whole = ada.get(&format!("{}?include=positions", grace.location())).await.expect(200);
        assert_eq!(whole.body["positions"].as_array().map(Vec::len), Some(2));
        assert!(whole.etag().starts_with("W/"), "with what is included the tag is the workspace's");
        ada.get("/v1/contacts?include=salary").await.problem(400, "invalid_parameter");
        let cards = ada.get("/v1/contacts?include=positions&count=true").await.expect(200);
        assert_eq!(cards.body["total"], 1);
        assert_eq!(cards.items()[0]["positions"].as_array().map(Vec::len), Some(2));
    }

    async fn one_position_of_a_contact_comes_first(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let grace = contact(&ada, "Grace").await;
        let acme = organization(&ada, "Acme").await;
        let path = format!("{}/positions", grace.location());
        let first = ada.post(&path, &json!({"title": "CTO", "primary": true, "organization_id": acme.id()})).await.expect(201);
        let second = ada.post(&path, &json!({"title": "Lecturer", "primary": true})).await.expect(201);
        assert_eq!(column(&ada.get(&format!("{path}?primary=true")).await.expect(200), "/title"), ["Lecturer"]);
        ada.patch(&first.location(), &json!({"primary": true})).await.expect(200);
        assert_eq!(ada.get(&second.location()).await.expect(200).body["primary"], false);
        let shown = ada.get(&format!("{}?include=positions", grace.location())).await.expect(200);
        assert_eq!(shown.body["positions"][0]["organization"]["name"], "Acme", "a card needs where it is, and the primary one first");
        let there = ada.get(&format!("{}?include=positions", acme.location())).await.expect(200);
        assert_eq!(there.body["positions"][0]["contact"]["name"], "Grace");
        for day in ["--05-10", "2021-13"] {
            let reply = ada.post(&path, &json!({"title": "x", "started_on": day})).await;
            assert_eq!(reply.errors(), ["#/started_on invalid_format"], "{day}");
        }
    }

    async fn an_organization_is_known_by_its_web_site_too(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        ada.post("/v1/organizations", &json!({"name": "Mueller", "website": "https://www.mueller.example/de"})).await.expect(201);
        ada.post("/v1/organizations", &json!({"name": "Other", "website": "https://www.linkedin.com/company/other"})).await.expect(201);
        let found = async |domain: &str| column(&ada.get("/v1/organizations").query(&[("domain", domain)]).await.expect(200), "/name");
        assert_eq!(found("mueller.example").await, ["Mueller"]);
        assert_eq!(found("linkedin.com").await, [Value::Null; 0], "a page on a platform is no domain of one's own");
    }

    async fn a_position_that_ends_before_it_starts_is_refused(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let grace = contact(&ada, "Grace").await;
        let backwards = json!({"contact_id": grace.id(), "title": "CTO", "started_on": "2021-04", "ended_on": "2020"});
        let reply = ada.post("/v1/positions", &backwards).await;
        reply.problem(422, "invalid");
        assert_eq!(reply.errors(), ["#/ended_on contradiction"]);
        let reply = ada.post("/v1/positions", &json!({"contact_id": grace.id()})).await;
        reply.problem(422, "invalid");
        assert_eq!(reply.errors(), ["#/organization_id required"]);
    }

    async fn deleting_an_organization_leaves_its_name_and_restoring_links_it_again(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let (grace, acme) = (contact(&ada, "Grace").await, organization(&ada, "Acme").await);
        let child = ada.post("/v1/organizations", &json!({"name": "Acme Labs", "parent_id": acme.id()})).await.expect(201);
        let position = ada.post("/v1/positions", &json!({"contact_id": grace.id(), "organization_id": acme.id()})).await.expect(201);
        ada.delete(&acme.location()).await.expect(204);
        let left = ada.get(&position.location()).await.expect(200);
        assert_eq!((&left.body["organization_id"], &left.body["organization_name"]), (&Value::Null, &json!("Acme")));
        assert_eq!(ada.get(&child.location()).await.expect(200).body["parent_id"], Value::Null);
        ada.post_nothing(&format!("{}/restore", acme.location())).await.expect(200);
        let back = ada.get(&position.location()).await.expect(200);
        assert_eq!((&back.body["organization_id"], &back.body["organization_name"]), (&acme.body["id"], &Value::Null));
        assert_eq!(ada.get(&child.location()).await.expect(200).body["parent_id"], acme.body["id"]);
    }

    async fn deleting_a_contact_takes_what_is_theirs_along_and_one_revert_brings_it_back(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let (grace, boss) = (contact(&ada, "Grace").await, contact(&ada, "Boss").await);
        ada.post("/v1/positions", &json!({"contact_id": grace.id(), "title": "CTO"})).await.expect(201);
        ada.post("/v1/needs", &json!({"contact_id": grace.id(), "topic": "hiring"})).await.expect(201);
        ada.post("/v1/relationships", &json!({"contact_id": boss.id(), "related_contact_id": grace.id(), "type": "manager"})).await.expect(201);
        let begun = ada.get("/v1/changes?limit=1000").await.expect(200);
        let cursor = begun.body["next_cursor"].as_str().unwrap();
        ada.delete(&grace.location()).await.expect(204);
        for list in ["/v1/positions", "/v1/needs", "/v1/relationships"] {
            assert_eq!(ada.get(list).await.expect(200).items(), [] as [Value; 0], "{list}");
        }
        let log = ada.get(&format!("/v1/changes?since={cursor}")).await.expect(200);
        let gone = log.items();
        assert_eq!(gone.len(), 4, "{log}");
        assert!(gone.iter().all(|change| change["write"] == gone[0]["write"] && change["op"] == "deleted"), "{log}");
        let revert = format!("/v1/changes/{}/revert", gone[0]["version"]);
        assert_eq!(ada.post_nothing(&revert).await.expect(200).body["reverted"].as_array().map(Vec::len), Some(4));
        for list in ["/v1/positions", "/v1/needs", "/v1/relationships"] {
            assert_eq!(ada.get(list).await.expect(200).items().len(), 1, "{list}");
        }
    }

    async fn a_relationship_reads_both_ways_and_never_with_oneself(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let me = ada.get("/v1/me").await.expect(200).body["self_contact_id"].as_str().unwrap().to_owned();
        let boss = contact(&ada, "Boss").await;
        let made = json!({"contact_id": boss.id(), "related_contact_id": me, "type": "manager", "started_on": "2019"});
        ada.post("/v1/relationships", &made).await.expect(201);
        for id in [boss.id(), me.clone()] {
            let both = ada.get(&format!("/v1/contacts/{id}/relationships?include=contact&include=related_contact")).await.expect(200);
            assert_eq!(column(&both, "/contact/name"), ["Boss"], "she was my manager");
            assert_eq!(column(&both, "/related_contact/is_self"), [json!(true)]);
        }
        let reply = ada.post("/v1/relationships", &json!({"contact_id": me, "related_contact_id": me, "type": "friend"})).await;
        reply.problem(422, "invalid");
        assert_eq!(reply.errors(), ["#/related_contact_id contradiction"]);
    }

    async fn an_organization_is_found_by_domain_name_alias_and_words_and_belongs_to_no_circle(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let acme = ada.post("/v1/organizations", &json!({"name": "Poniedziałek Sp.j.", "aliases": ["Monday"],
            "domain": "https://www.monday.example/about", "interest": 4, "tags": ["Target"]})).await.expect(201);
        assert_eq!(acme.body["domain"], "monday.example");
        for query in ["domain=ada@monday.example", "name=poniedzialek%20sp.j.", "name=MONDAY", "q=ponied", "tag=target",
            "interest[gte]=4", "interest[lt]=5", "kind[ne]=school"] {
            let found = ada.get(&format!("/v1/organizations?{query}")).await.expect(200);
            assert_eq!(column(&found, "/id"), [acme.body["id"].clone()], "{query}");
        }
        assert_eq!(ada.get("/v1/organizations?interest[gt]=4").await.expect(200).items().len(), 0);
        ada.get("/v1/organizations?name[gte]=a").await.problem(400, "unknown_parameter");
        let labs = ada.post("/v1/organizations", &json!({"name": "Labs", "parent_id": acme.id()})).await.expect(201);
        let reply = ada.patch(&acme.location(), &json!({"parent_id": labs.id()})).await;
        reply.problem(422, "invalid");
        assert_eq!(reply.errors(), ["#/parent_id contradiction"]);
    }

    async fn what_is_made_under_a_record_belongs_to_it(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let eve = server.register("eve@example.com").await;
        let (grace, acme, boss) = (contact(&ada, "Grace").await, organization(&ada, "Acme").await, contact(&ada, "Boss").await);
        let cases = [
            (&grace, "positions", "contact_id", json!({"title": "CTO"})),
            (&acme, "positions", "organization_id", json!({"contact_id": grace.id()})),
            (&grace, "needs", "contact_id", json!({"topic": "hiring"})),
            (&grace, "relationships", "contact_id", json!({"related_contact_id": boss.id(), "type": "report"})),
        ];
        for (parent, segment, field, body) in cases {
            let list = format!("{}/{segment}", parent.location());
            let made = ada.post(&list, &body).idempotency_key(&list).await.expect(201);
            assert_eq!(made.body[field], parent.body["id"], "{list}");
            assert_eq!(made.location(), format!("/v1/{segment}/{}", made.id()));
            let read = ada.get(&made.location()).await.expect(200);
            assert_eq!((&read.body, read.etag()), (&made.body, made.etag()));
            assert_eq!(column(&ada.get(&list).await.expect(200), "/id")[0], made.body["id"]);
            let again = ada.post(&list, &body).idempotency_key(&list).await.expect(201);
            assert_eq!((again.header("Idempotent-Replayed"), &again.body), (Some("true"), &made.body));
            let mut taken = body.clone();
            taken["id"] = made.body["id"].clone();
            ada.post(&list, &taken).await.problem(409, "id_taken");
            let mut twice = body.clone();
            twice[field] = parent.body["id"].clone();
            let refused = ada.post(&list, &twice).await;
            refused.problem(422, "invalid");
            assert_eq!(refused.errors(), [format!("#/{field} unknown_field")], "the path says it");
            let gone = list.replace(&parent.id(), "01939d5e-8c00-7000-8000-00000000dead");
            ada.post(&gone, &body).await.problem(404, "not_found");
            eve.post(&list, &body).await.problem(404, "not_found");
        }
    }

    async fn everything_wrong_with_what_is_made_under_a_record_is_told_in_the_places_of_its_body(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let grace = contact(&ada, "Grace").await;
        let relationships = format!("{}/relationships", grace.location());
        let reply = ada.post(&relationships, &json!({"type": "boss", "started_on": "2020", "ended_on": "2019", "x": 1})).await;
        reply.problem(422, "invalid");
        assert_eq!(reply.errors(), ["#/related_contact_id required", "#/type not_allowed", "#/x unknown_field"]);
        let reply = ada.post(&relationships, &json!({"related_contact_id": grace.id(), "type": "friend"})).await;
        assert_eq!(reply.errors(), ["#/related_contact_id contradiction"]);
        let backwards = json!({"started_on": "2020", "ended_on": "2019"});
        let reply = ada.post(&format!("{}/positions", grace.location()), &backwards).await;
        assert_eq!(reply.errors(), ["#/ended_on contradiction", "#/organization_id required"]);
    }

    async fn a_contact_that_has_as_many_as_it_may_is_told_of_the_whole_body_under_its_path(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let grace = contact(&ada, "Grace").await;
        let needs = format!("{}/needs", grace.location());
        let one = ada.post(&needs, &json!({"topic": "hiring"})).await.expect(201);
        let id = one.id();
        let (made_up, own) = match server.database.backend {
            Backend::Sqlite => ("unhex(printf('%032x', n))", format!("unhex('{}')", id.replace('-', ""))),
            Backend::Postgres => ("lpad(to_hex(n), 32, '0')::uuid", format!("'{id}'::uuid")),
        };
        server.database.execute(&format!(
            "INSERT INTO needs (workspace_id, id, version, created_at, updated_at, contact_id, kind, topic, detail, status) \
             SELECT workspace_id, {made_up}, version, created_at, updated_at, contact_id, kind, topic, detail, status FROM needs, \
             (WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 999) SELECT n FROM numbers) AS numbers \
             WHERE id = {own}"
        ));
        let reply = ada.post(&needs, &json!({"topic": "one more"})).await;
        reply.problem(422, "invalid");
        assert_eq!(reply.errors(), ["# too_long"]);
        let reply = ada.post("/v1/needs", &json!({"contact_id": grace.id(), "topic": "one more"})).await;
        assert_eq!(reply.errors(), ["#/contact_id too_long"]);
    }

    async fn needs_are_filtered_and_found_by_their_words(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let grace = contact(&ada, "Grace").await;
        for (kind, topic) in [("need", "hiring rust engineers"), ("offer", "introductions to investors")] {
            ada.post("/v1/needs", &json!({"contact_id": grace.id(), "kind": kind, "topic": topic})).await.expect(201);
        }
        let offers = ada.get(&format!("{}/needs?kind=offer&status=open", grace.location())).await.expect(200);
        assert_eq!(column(&offers, "/topic"), ["introductions to investors"]);
        assert_eq!(column(&ada.get("/v1/needs?q=rust").await.expect(200), "/kind"), ["need"]);
        let nobody = "01939d5e-8c00-7000-8000-00000000dead";
        ada.get(&format!("/v1/contacts/{nobody}/needs")).await.problem(404, "not_found");
    }

    async fn a_token_sees_and_takes_back_only_what_its_scopes_name(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let grace = contact(&ada, "Grace").await;
        let need = ada.post("/v1/needs", &json!({"contact_id": grace.id(), "topic": "hiring"})).await.expect(201);
        let asked = json!({"name": "contacts only", "scopes": ["contacts:read", "contacts:write"]});
        let made = ada.post("/v1/tokens", &asked).await.expect(201);
        let limited = ada.with_token(made.body["token"].as_str().unwrap());
        let log = limited.get("/v1/changes").await.expect(200);
        assert_eq!(column(&log, "/entity"), ["contact", "contact"], "{log}");
        limited.get("/v1/changes?entity=need").await.problem(403, "insufficient_scope");
        limited.get("/v1/contacts?include=needs").await.problem(403, "insufficient_scope");
        limited.get(&format!("{}?include=needs", grace.location())).await.problem(403, "insufficient_scope");
        let revert = format!("/v1/changes/{}/revert", need.body["version"]);
        limited.post_nothing(&revert).await.problem(403, "insufficient_scope");
        ada.get(&need.location()).await.expect(200);
    }
}
