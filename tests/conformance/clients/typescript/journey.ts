// A journey through the API as a front end makes it, with the types of openapi-typescript and the client of openapi-fetch.
// Each step asserts what the one before it has done. WELLMET is where the server listens; its database is empty.
import assert from "node:assert/strict";
import createClient, { type Client } from "openapi-fetch";
import type { components, paths } from "./wellmet.js";

type Problem = components["schemas"]["Problem"];
type Wellmet = Client<paths>;

const baseUrl = process.env.WELLMET ?? "http://127.0.0.1:8080";

/** A client that sends this access token, or personal access token, with each request. */
const connect = (token?: string): Wellmet =>
  createClient<paths>({ baseUrl, headers: token === undefined ? {} : { Authorization: `Bearer ${token}` } });

/** The body of a successful answer. Any other is thrown, with the code that a front end translates. */
function ok<Data>(answer: { data?: Data; error?: Problem; response: Response }): Data {
  if (answer.error) throw new Error(`${answer.error.status} ${answer.error.code}: ${JSON.stringify(answer.error)}`);
  return answer.data as Data;
}

/** The problem that the server has answered with. A success is thrown. */
function problem(answer: { error?: Problem; response: Response }): Problem {
  if (!answer.error) throw new Error(`${answer.response.url} answered ${answer.response.status}, not with a problem`);
  return answer.error;
}

function header(answer: { response: Response }, name: "ETag" | "Location" | "Wellmet-Write" | "Idempotent-Replayed"): string {
  const value = answer.response.headers.get(name);
  assert(value !== null, `${answer.response.url} answers with ${name}`);
  return value;
}

const now = Date.now();
const day = (offset: number) => new Date(now + offset * 86_400_000).toISOString().slice(0, 10);
const hour = (offset: number) => new Date(now + offset * 3_600_000).toISOString().slice(0, 19) + "Z";

/** A session on the phone, and a token with fewer rights on the laptop. */
async function signUp(): Promise<{ phone: Wellmet; laptop: Wellmet }> {
  const registration = { email: "ada@example.com", password: "lantern orbit mustard 27 quill", name: "Ada Lovelace" };
  const anyone = connect();
  const account = ok(await anyone.POST("/v1/auth/register", { body: registration }));
  assert.equal(account.user.name, "Ada Lovelace");

  // An access token is valid for some minutes; the refresh token is exchanged for the next pair.
  const pair = ok(await anyone.POST("/v1/auth/refresh", { body: { refresh_token: account.refresh_token } }));
  assert.notEqual(pair.access_token, account.access_token);

  const phone = connect(pair.access_token);
  const me = ok(await phone.GET("/v1/me"));
  assert.equal(me.user.email, registration.email);
  const token = ok(
    await phone.POST("/v1/tokens", { body: { name: "Laptop", scopes: ["contacts:read", "contacts:write"] } }),
  );
  const laptop = connect(token.token);
  assert.equal(problem(await laptop.GET("/v1/goals")).code, "insufficient_scope");
  return { phone, laptop };
}

async function keepContacts({ phone, laptop }: { phone: Wellmet; laptop: Wellmet }) {
  const start = ok(await laptop.GET("/v1/changes", { params: { query: { limit: 1000 } } }));
  assert.equal(start.has_more, false);

  // The phone chooses the id, and a key for the request: if the answer is lost, it sends the same again.
  const id = crypto.randomUUID();
  const create = () =>
    phone.POST("/v1/contacts", {
      params: { header: { "Idempotency-Key": `create ${id}` } },
      body: {
        id,
        given_name: "Grace",
        family_name: "Hopper",
        nickname: "Amazing Grace",
        emails: { work: { value: "grace@example.com" } },
        tags: ["navy"],
      },
    });
  const created = await create();
  const grace = ok(created);
  assert.equal(grace.id, id);
  assert.equal(grace.name, "Grace Hopper");
  assert.equal(header(created, "Location"), `/v1/contacts/${id}`);
  const repeated = await create();
  assert.equal(header(repeated, "Idempotent-Replayed"), "true");
  assert.deepEqual(ok(repeated), grace);

  const invalid = problem(await phone.POST("/v1/contacts", { body: { given_name: "G".repeat(1000) } }));
  assert.equal(invalid.code, "invalid");
  const [field] = invalid.errors ?? [];
  assert.deepEqual([field?.pointer, field?.code], ["#/given_name", "too_long"]);
  assert.equal(typeof field?.params.max, "number");

  // Found by the beginning of a name, and in the list of a tag.
  const found = ok(await laptop.GET("/v1/search", { params: { query: { q: "hop" } } }));
  assert.deepEqual(found.items.map((item) => item.record.contact?.name), ["Grace Hopper"]);
  const listed = ok(await laptop.GET("/v1/contacts", { params: { query: { tag: ["navy"], count: true } } }));
  assert.equal(listed.total, 1);
  assert.equal(listed.items[0]?.emails.work?.value, "grace@example.com");

  // Both devices read the same version. The edit of the second one is refused, and nothing is lost.
  const path = { id };
  const onPhone = await phone.GET("/v1/contacts/{id}", { params: { path } });
  const onLaptop = await laptop.GET("/v1/contacts/{id}", { params: { path } });
  const edited = await laptop.PATCH("/v1/contacts/{id}", {
    params: { path, header: { "If-Match": header(onLaptop, "ETag") } },
    body: { headline: "Rear admiral", tier: "core" },
  });
  assert.equal(ok(edited).headline, "Rear admiral");
  const late = await phone.PATCH("/v1/contacts/{id}", {
    params: { path, header: { "If-Match": header(onPhone, "ETag") } },
    body: { headline: "Computer scientist" },
  });
  assert.equal(late.response.status, 412);
  assert.equal(problem(late).code, "precondition_failed");
  assert.equal(header(late, "ETag"), header(edited, "ETag"));

  // What has changed since the laptop looked last: the record as it is now, and who did it.
  const changes = ok(await laptop.GET("/v1/changes", { params: { query: { since: start.next_cursor } } }));
  const change = changes.items.findLast((item) => item.entity === "contact");
  assert.deepEqual([change?.id, change?.op, change?.fields.includes("headline")], [id, "updated", true]);
  assert.equal(change?.data?.contact?.headline, "Rear admiral");
  assert.notEqual(change?.actor.token_id, null);

  // Null clears a field; a field that is left out stays as it is.
  const cleared = ok(await phone.PATCH("/v1/contacts/{id}", { params: { path }, body: { nickname: null } }));
  assert.equal(cleared.nickname, null);
  assert.equal(cleared.headline, "Rear admiral");

  // Any write can be undone by its number.
  const deleted = await phone.DELETE("/v1/contacts/{id}", { params: { path } });
  ok(deleted);
  assert.equal(deleted.response.status, 204);
  assert.equal(problem(await phone.GET("/v1/contacts/{id}", { params: { path } })).status, 404);
  const history = ok(await phone.GET("/v1/contacts/{id}/history", { params: { path } }));
  const write = Number(header(deleted, "Wellmet-Write"));
  assert.deepEqual([history.items[0]?.op, history.items[0]?.write], ["deleted", write]);
  const undone = ok(await phone.POST("/v1/changes/{version}/revert", { params: { path: { version: write } } }));
  assert("reverted" in undone, "a small write is reverted at once, not by an operation");
  assert.deepEqual(undone.left_alone, []);
  assert.equal(ok(await phone.GET("/v1/contacts/{id}", { params: { path } })).name, "Grace Hopper");
  return id;
}

async function keepInTouch(phone: Wellmet, contactId: string) {
  const path = { id: contactId };
  const nextContactOn = async () => {
    const contact = ok(await phone.GET("/v1/contacts/{id}", { params: { path, query: { include: ["activity"] } } }));
    return contact.activity?.next_contact_on;
  };

  // The tier `core` is every 30 days, counted from the last interaction.
  assert.equal(await nextContactOn(), day(30));
  const coffee = { kind: "coffee", occurred_on: day(-40) } as const;
  const logged = ok(await phone.POST("/v1/contacts/{id}/interactions", { params: { path }, body: coffee }));
  assert.deepEqual([logged.status, logged.contact_ids], ["happened", [contactId]]);
  assert.equal(await nextContactOn(), day(-10));

  const call = ok(
    await phone.POST("/v1/contacts/{id}/follow-ups", {
      params: { path },
      body: { title: "Call Grace", due_on: day(-2), channel: "phone", recurrence: { every: 1, unit: "month" } },
    }),
  );
  const before = ok(await phone.GET("/v1/today"));
  assert.deepEqual(before.contacts.items.map((item) => item.contact.id), [contactId]);
  const due = before.follow_ups.items[0];
  assert.deepEqual([due?.follow_up.id, due?.reason.code], [call.id, "follow_up_overdue"]);
  assert.equal(due?.reason.params.days, -2);

  // Completing it logs the call in the same write, and creates the next occurrence.
  const completed = ok(
    await phone.POST("/v1/follow-ups/{id}/complete", {
      params: { path: { id: call.id } },
      body: { outcome: "All well", interaction: {} },
    }),
  );
  assert.deepEqual([completed.follow_up.status, completed.interaction?.kind], ["done", "call"]);
  assert(completed.next?.due_on && completed.next.due_on > day(0));
  assert.equal(await nextContactOn(), day(30));
  const after = ok(await phone.GET("/v1/today"));
  assert.deepEqual([after.contacts.total, after.follow_ups.total], [0, 0]);
}

async function pursueGoal(phone: Wellmet, contactId: string) {
  const goal = ok(
    await phone.POST("/v1/goals", {
      body: { title: "Move into climate tech", category: "career_change", started_on: day(-30), due_on: day(150) },
    }),
  );
  const ofGoal = { params: { path: { id: goal.id } } };
  for (const keyResult of [
    { title: "Meet four people", metric: "people_met", target_value: 4 },
    { title: "Two conferences", metric: "events_attended", target_value: 2 },
  ] as const) {
    ok(await phone.POST("/v1/goals/{id}/key-results", { ...ofGoal, body: keyResult }));
  }
  const target = ok(await phone.POST("/v1/goals/{id}/targets", { ...ofGoal, body: { name: "Mary Somerville", priority: 5 } }));
  assert.equal(target.stage, "identified");
  const progress = async () => ok(await phone.GET("/v1/goals/{id}/progress", ofGoal));
  const counts = async () => (await progress()).key_results.map((result) => [result.key_result.metric, result.count]);
  assert.equal((await progress()).progress, 0);

  const event = ok(
    await phone.POST("/v1/events", {
      body: {
        title: "Climate Tech Summit",
        kind: "conference",
        starts_at: hour(-2),
        ends_at: hour(6),
        time_zone: "Europe/Berlin",
        participation: "attending",
        goal_ids: [goal.id],
      },
    }),
  );
  assert.deepEqual([event.starts_at, event.goal_ids], [hour(-2), [goal.id]]);
  const ofEvent = { params: { path: { id: event.id } } };
  const mary = ok(
    await phone.POST("/v1/events/{id}/people", {
      ...ofEvent,
      body: { contact_id: target.contact_id, role: "speaker", priority: 5 },
    }),
  );
  const grace = ok(await phone.POST("/v1/events/{id}/people", { ...ofEvent, body: { contact_id: contactId } }));
  assert.deepEqual([mary.stage, grace.stage], ["to_research", "to_research"]);

  // Mary is recognized by her name, since she is at this event.
  const captured = ok(
    await phone.POST("/v1/capture", {
      body: { person: { name: "Mary Somerville" }, event_id: event.id, captured_at: hour(-1), note: "Hires in autumn" },
    }),
  );
  assert.equal(captured.contact.id, target.contact_id);
  assert.deepEqual([captured.event_person?.stage, captured.interaction.event_id], ["met", event.id]);

  const attended = ok(await phone.PATCH("/v1/events/{id}", { ...ofEvent, body: { participation: "attended" } }));
  assert.equal(attended.participation, "attended");
  assert.deepEqual(await counts(), [["people_met", 1], ["events_attended", 1]]);

  // The debrief says whom else you met, and begins a plan of follow-ups. First without saving it.
  const plans = ok(await phone.GET("/v1/follow-up-plans/built-in"));
  const plan = plans.items.find((item) => item.name === "after_event");
  const body = { rating: 4, people: [{ event_person_id: grace.id, met: true, plan_id: plan?.id ?? null }] };
  const debrief = (dry_run: boolean) =>
    phone.POST("/v1/events/{id}/debrief", { params: { ...ofEvent.params, query: { dry_run } }, body });
  const rehearsed = ok(await debrief(true));
  assert.deepEqual([rehearsed.dry_run, rehearsed.people[0]?.interaction_created], [true, true]);
  assert.deepEqual(await counts(), [["people_met", 1], ["events_attended", 1]]);
  const debriefed = ok(await debrief(false));
  assert.deepEqual([debriefed.dry_run, debriefed.event.debrief?.rating], [false, 4]);
  assert.deepEqual([debriefed.people[0]?.stage, debriefed.people[0]?.plan_run_created], ["met", true]);
  assert.deepEqual(await counts(), [["people_met", 2], ["events_attended", 1]]);
  assert.equal((await progress()).progress, 0.5);
}

async function giveFirst(phone: Wellmet, contactId: string) {
  const kay = ok(await phone.POST("/v1/contacts", { body: { given_name: "Kay", family_name: "McNulty" } }));
  const need = { kind: "need", topic: "energy storage" } as const;
  ok(await phone.POST("/v1/contacts/{id}/needs", { params: { path: { id: kay.id } }, body: need }));

  // An introduction is made once both have agreed, and gives something to both.
  const introduction = ok(
    await phone.POST("/v1/introductions", {
      body: { contact_a_id: contactId, contact_b_id: kay.id, status: "asked", consent_a: "given" },
    }),
  );
  const ofIntroduction = { params: { path: { id: introduction.id } } };
  const early = await phone.PATCH("/v1/introductions/{id}", { ...ofIntroduction, body: { status: "made" } });
  assert.equal(problem(early).code, "consent_missing");
  const made = ok(await phone.PATCH("/v1/introductions/{id}", { ...ofIntroduction, body: { status: "made", consent_b: "given" } }));
  assert.deepEqual([made.status, made.direction, made.made_on], ["made", "by_me", day(0)]);

  // The article suits Kay, who has not had it.
  const article = ok(await phone.POST("/v1/resources", { body: { title: "Storage", topics: ["energy storage"] } }));
  const ofArticle = { params: { path: { id: article.id } } };
  const audience = async () => ok(await phone.GET("/v1/resources/{id}/audience", ofArticle)).items.map((item) => item.contact.id);
  assert.deepEqual(await audience(), [kay.id]);
  const shared = ok(await phone.POST("/v1/resources/{id}/share", { ...ofArticle, body: { contact_ids: [kay.id] } }));
  assert.deepEqual([shared.exchanges.length, shared.interaction.contact_ids], [1, [kay.id]]);
  assert.deepEqual(await audience(), []);

  // Feedback that is reported back has been thanked for.
  const feedback = ok(await phone.POST("/v1/feedback", { body: { contact_id: contactId, topic: "My portfolio" } }));
  const thanks = async () => ok(await phone.GET("/v1/reciprocity", { params: { query: { thanks_due: true } } })).items.length;
  assert.equal(await thanks(), 1);
  const body = { status: "reported_back", action: "Cut it to three projects." } as const;
  ok(await phone.PATCH("/v1/feedback/{id}", { params: { path: { id: feedback.id } }, body }));
  assert.equal(await thanks(), 0);

  const published = { title: "What heat pumps taught me", status: "published", published_at: hour(-1) } as const;
  ok(await phone.POST("/v1/posts", { body: published }));
  const review = ok(await phone.GET("/v1/review"));
  const { introductions_made, feedback_acted_on, posts_published } = review.counts;
  assert.deepEqual([introductions_made, feedback_acted_on, posts_published], [1, 1, 1]);
  assert.deepEqual([review.exchanges.given.count, review.exchanges.received.count], [3, 1]);
  assert.deepEqual(review.goals.map((own) => own.movement), ["moved"]);
}

const devices = await signUp();
const contactId = await keepContacts(devices);
await keepInTouch(devices.phone, contactId);
await pursueGoal(devices.phone, contactId);
await giveFirst(devices.phone, contactId);
console.log("The TypeScript client has arrived.");
