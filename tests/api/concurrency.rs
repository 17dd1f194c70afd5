//! Many at once, and a restart in between: nobody's work is lost, nothing fails that would have worked alone.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::{Client, Reply, TestServer};

async fn named(client: &Client, name: &str) -> Reply {
    client.post("/v1/contacts", &json!({"given_name": name})).await.expect(201)
}

on_both! {
    async fn of_fifty_patches_with_one_etag_exactly_one_wins(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let made = named(&ada, "Grace").await;

        let patches = (0..50).map(|n| {
            let body = json!({"nickname": format!("n{n}")});
            ada.patch(&made.location(), &body).if_match(&made.etag()).send()
        });
        let replies = join_all(patches).await;

        let (won, lost): (Vec<_>, Vec<_>) = replies.iter().partition(|reply| reply.status == 200);
        assert_eq!((won.len(), lost.len()), (1, 49));
        for reply in lost {
            reply.problem(412, "precondition_failed");
            assert_eq!(reply.etag(), won[0].etag());
        }
        assert_eq!(ada.get(&made.location()).await.expect(200).body, won[0].body);
        let history = ada.get(&format!("{}/history", made.location())).await.expect(200);
        assert_eq!(history.items().len(), 2);
    }

    async fn fifty_writes_without_an_etag_all_succeed_one_after_the_other(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let made = named(&ada, "Grace").await;

        let patches = (0..50).map(|n| {
            let body = json!({"emails": {format!("e{n}"): {"value": format!("e{n}@example.com")}}});
            ada.patch(&made.location(), &body).send()
        });
        let replies = join_all(patches).await;

        let versions: BTreeSet<i64> =
            replies.into_iter().map(|reply| reply.expect(200).body["version"].as_i64().unwrap()).collect();
        assert_eq!(versions.len(), 50, "each has a version of its own");
        let read = ada.get(&made.location()).await.expect(200);
        assert_eq!(read.body["emails"].as_object().unwrap().len(), 50, "none overwrote another's");
        assert_eq!(read.body["version"].as_i64(), versions.last().copied());
        let numbered: BTreeSet<i64> = (0..50).map(|n| made.body["version"].as_i64().unwrap() + 1 + n).collect();
        assert_eq!(versions, numbered, "the sequence has no gaps here");
    }

    async fn two_hundred_mixed_requests_at_once_get_no_server_error(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let bob = server.register("bob@example.com").await;
        let mut made = Vec::new();
        for n in 0..10 {
            made.push(named(&ada, &format!("Grace {n}")).await);
        }

        let requests = (0..200).map(|n: usize| {
            let (target, client) = (made[n % 10].location(), if n.is_multiple_of(7) { &bob } else { &ada });
            match n % 10 {
                0 => client.post("/v1/contacts", &json!({"given_name": format!("New {n}")})),
                1 => client.patch(&target, &json!({"nickname": format!("n{n}")})),
                2 => client.get("/v1/contacts?q=grace&limit=5"),
                3 => client.get("/v1/changes?limit=50"),
                4 => client.get(&target),
                5 => client.delete(&target),
                6 => client.post_nothing(&format!("{target}/restore")),
                7 => client.get(&format!("{target}/history")),
                8 => client.put(&target, &json!({"given_name": "Put"})).if_match("*"),
                _ => client.post("/v1/contacts", &json!({"given_name": ""})),
            }
        });
        let replies = join_all(requests.map(|request| request.send())).await;

        for reply in &replies {
            assert!([200, 201, 204, 404, 422].contains(&reply.status), "{reply}");
        }
        let log = ada.get("/v1/changes?limit=1000").await.expect(200);
        let versions: Vec<&Value> = log.items().iter().map(|change| &change["version"]).collect();
        assert_eq!(versions.len(), versions.iter().map(|version| version.as_i64()).collect::<BTreeSet<_>>().len());
    }

    async fn parallel_creates_with_one_id_make_one_contact(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let id = "6f9619ff-8b86-4011-b42d-00c04fc964ff";
        let posts = (0..20).map(|n| ada.post("/v1/contacts", &json!({"id": id, "given_name": format!("N{n}")})).send());
        let replies = join_all(posts).await;
        let (won, lost): (Vec<_>, Vec<_>) = replies.iter().partition(|reply| reply.status == 201);
        assert_eq!(won.len(), 1);
        lost.iter().for_each(|reply| drop(reply.problem(409, "id_taken")));
        assert_eq!(ada.get(&won[0].location()).await.expect(200).body, won[0].body);
    }

    async fn a_restart_keeps_records_cursors_tags_and_kept_replies(mut server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let made = named(&ada, "Grace").await;
        let body = json!({"given_name": "Once"});
        let once = ada.post("/v1/contacts", &body).idempotency_key("k1").await.expect(201);
        named(&ada, "Other").await;
        let list = ada.get("/v1/contacts?limit=2&sort=id").await.expect(200);
        let next = list.next_link().unwrap();
        let log = ada.get("/v1/changes?limit=2").await.expect(200);
        let since = format!("/v1/changes?since={}", log.body["next_cursor"].as_str().unwrap());
        let expected_log = ada.get(&since).await.expect(200);
        let expected_page = ada.get(&next).await.expect(200);

        server.restart().await;

        let read = ada.get(&made.location()).await.expect(200);
        assert_eq!((&read.body, read.etag()), (&made.body, made.etag()));
        ada.get(&made.location()).if_none_match(&made.etag()).await.expect(304);
        ada.get("/v1/contacts?limit=2&sort=id").if_none_match(&list.etag()).await.expect(304);
        assert_eq!(ada.get(&next).await.expect(200).body, expected_page.body);
        assert_eq!(ada.get(&since).await.expect(200).body, expected_log.body);
        let again = ada.post("/v1/contacts", &body).idempotency_key("k1").await.expect(201);
        assert_eq!((&again.body, again.header("Idempotent-Replayed")), (&once.body, Some("true")));
        let found = ada.get("/v1/contacts?q=grac").await.expect(200);
        assert_eq!(found.items().len(), 1);
        let patched = ada.patch(&made.location(), &json!({"nickname": "G"})).if_match(&made.etag()).await.expect(200);
        assert!(patched.body["version"].as_i64() > once.body["version"].as_i64(), "the sequence goes on");
    }
}
