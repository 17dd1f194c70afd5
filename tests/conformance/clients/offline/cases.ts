// What is too rare for two_devices.ts to meet by chance: each case by itself, against the real server.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Storage } from "./state.js";
import { Later, SignedOut } from "./connection.js";
import { Device } from "./sync.js";

const url = process.env.WELLMET ?? "http://127.0.0.1:8080";
const password = "correct horse battery staple";

class Account {
  private constructor(readonly email: string, private readonly token: string) {}

  static async register(name: string): Promise<Account> {
    const email = `${name.toLowerCase()}-${crypto.randomUUID()}@example.com`;
    const { body } = await request("POST", "/v1/auth/register", { email, password, name });
    return new Account(email, body.access_token);
  }

  /** A request from elsewhere, such as the web app. */
  request = (method: string, path: string, body?: unknown) => request(method, path, body, this.token);

  async phone(send?: typeof fetch): Promise<{ phone: Device; memory: Memory }> {
    const memory = new Memory();
    const phone = new Device(url, memory, send);
    await phone.signIn(this.email, password);
    await phone.sync();
    return { phone, memory };
  }
}

async function request(method: string, path: string, body?: unknown, token = "") {
  const headers = { "Content-Type": "application/json", ...(token && { Authorization: `Bearer ${token}` }) };
  const response = await fetch(url + path, { method, headers, body: JSON.stringify(body) });
  assert(response.ok, `${method} ${path} answers with ${response.status}`);
  return { number: Number(response.headers.get("Wellmet-Write")), body: response.status === 204 ? null : await response.json() };
}

class Memory implements Storage {
  private state: string | undefined;
  load = () => this.state;
  save = (state: string) => void (this.state = state);
  /** The app is started again with this state. */
  restart(change: (state: any) => void): Device {
    const state = JSON.parse(this.state ?? "{}");
    change(state);
    this.state = JSON.stringify(state);
    return new Device(url, this);
  }
}

const names = (device: Device) => device.list("contact").map(({ name }) => name).sort();

test("a sync that begins while another user signs in receives what is theirs", async () => {
  const [ada, grace] = [await Account.register("Ada"), await Account.register("Grace")];
  await grace.request("POST", "/v1/contacts", { given_name: "Howard" });
  const { phone } = await ada.phone();
  await ada.request("POST", "/v1/contacts", { given_name: "Charles" });
  const signIn = phone.signIn(grace.email, password);
  await Promise.all([signIn, phone.sync()]);
  assert.deepEqual(names(phone), ["Grace", "Howard"]);
  await phone.sync();
  assert.deepEqual(names(phone), ["Grace", "Howard"]);
});

test("what does not come from the server is no answer to a write", async () => {
  const ada = await Account.register("Ada");
  const faults = {
    page: () => new Response("<html>Accept our terms</html>"),
    proxy: () => new Response("<html>Bad gateway</html>", { status: 502 }),
    unauthorized: () => Response.json({ code: "unauthorized", detail: "No." }, { status: 401 }),
  };
  let fault: keyof typeof faults | undefined;
  const { phone } = await ada.phone(async (path, init) =>
    fault && !String(path).includes("/auth/") ? faults[fault]() : fetch(path, init));
  phone.create("contact", { given_name: "Charles" });
  for (fault of Object.keys(faults) as (keyof typeof faults)[]) {
    await assert.rejects(phone.sync(), fault === "unauthorized" ? SignedOut : Later);
    assert.equal(phone.outbox.length, 1);
  }
  fault = undefined;
  await phone.sync();
  assert.deepEqual([phone.outbox.length, phone.setAside.length], [0, 0]);
  assert.deepEqual(names(phone), ["Ada", "Charles"]);
});

test("a proxy that refuses what is too large is taken for the server", async () => {
  const ada = await Account.register("Ada");
  const { phone } = await ada.phone(async (path, init) =>
    String(path).endsWith("/v1/batch") && JSON.parse(String(init?.body)).operations.length > 2
      ? new Response("<html>Request Entity Too Large</html>", { status: 413 })
      : fetch(path, init));
  for (const given_name of ["B", "C", "D", "E", "F"]) phone.create("contact", { given_name });
  await phone.sync();
  assert.deepEqual(names(phone), ["Ada", "B", "C", "D", "E", "F"]);
});

test("an entry that the user has made offline can be removed again", async () => {
  const { phone } = await (await Account.register("Ada")).phone();
  const { record } = phone.create("contact", { given_name: "Charles" });
  await phone.sync();
  phone.edit("contact", record, { emails: { work: { value: "charles@example.com" } } });
  phone.edit("contact", record, { emails: { work: null } });
  await phone.sync();
  assert.deepEqual([phone.setAside.length, phone.get("contact", record)?.emails], [0, {}]);
});

test("a sync that fails does not keep the user from signing in", async () => {
  const ada = await Account.register("Ada");
  let isOn = true;
  const { phone } = await ada.phone((...request) => (isOn ? fetch(...request) : Promise.reject(new TypeError("no connection"))));
  isOn = false;
  const sync = assert.rejects(phone.sync());
  const signIn = assert.rejects(phone.signIn(ada.email, password));
  await Promise.all([sync, signIn]);
  isOn = true;
  await phone.signIn(ada.email, password);
  await phone.sync();
});

test("after the server was restored from a backup, the number of a write may be that of another", async () => {
  const ada = await Account.register("Ada");
  const { phone, memory } = await ada.phone();
  const contact = phone.create("contact", { given_name: "Charles" });
  await phone.sync();
  const { number } = await ada.request("PATCH", `/v1/contacts/${contact.record}`, { headline: "Written by somebody else" });

  // An undo that waits, and one that was sent but not answered.
  let device = phone;
  for (const isSent of [false, true]) {
    device.undo(contact);
    device = memory.restart((state) => {
      const [{ id }] = state.outbox;
      const headers = {};
      if (isSent) state.sending = { method: "POST", path: `/v1/changes/${number}/revert`, headers, key: id, writes: [id] };
      Object.assign(state, { etagPrefix: "before.1", numbers: { [contact.id]: number } });
    });
    await device.sync();
    assert.deepEqual(device.setAside.map(({ code }) => code), ["not_written"]);
    assert.equal(device.get("contact", contact.record)?.headline, "Written by somebody else");
    device.forget(device.setAside[0]!);
  }
});

test("an edit of a record that was merged goes to that record if the merge is undone", async () => {
  const ada = await Account.register("Ada");
  let isOn = true;
  const { phone } = await ada.phone((path, init) =>
    isOn || init?.method === "GET" ? fetch(path, init) : Promise.reject(new TypeError("no connection")));
  const [kept, twin] = ["Charles", "C."].map((given_name) => phone.create("contact", { given_name }).record);
  await phone.sync();
  isOn = false;
  phone.edit("contact", twin!, { headline: "Mathematician", notes: `Was ${twin}` });
  const { number } = await ada.request("POST", "/v1/contacts/merge", { keep_id: kept, merge_ids: [twin] });
  await assert.rejects(phone.sync(), Later);
  assert.equal(phone.get("contact", twin!)?.id, kept);
  assert.equal(phone.get("contact", kept!)?.headline, "Mathematician");
  await ada.request("POST", `/v1/changes/${number}/revert`);
  isOn = true;
  await phone.sync();
  const [one, other] = [kept, twin].map((id) => phone.get("contact", id!));
  assert.deepEqual([one?.headline, one?.notes, other?.headline, other?.notes], [null, null, "Mathematician", `Was ${twin}`]);
});

test("a snapshot does not say what was merged, so the answer to a write has to", async () => {
  const ada = await Account.register("Ada");
  const { phone, memory } = await ada.phone();
  const create = (given_name: string) => phone.create("contact", { given_name }).record;
  const [kept, edited, deleted, gone] = [create("Charles"), create("C."), create("Charlie"), create("Henry")];
  await phone.sync();
  phone.edit("contact", edited, { headline: "Mathematician" });
  phone.delete("contact", deleted);
  phone.edit("contact", gone, { headline: "Geologist" });
  await ada.request("POST", "/v1/contacts/merge", { keep_id: kept, merge_ids: [edited, deleted] });
  await ada.request("DELETE", `/v1/contacts/${gone}`);
  const { body } = await ada.request("GET", "/v1/changes?entity=tag");
  const device = memory.restart((state) => (state.cursor = body.next_cursor)); // It covers fewer kinds: the answer is 410.
  await device.sync();
  assert.equal(device.get("contact", edited)?.id, kept);
  assert.equal(device.get("contact", kept)?.headline, "Mathematician");
  const refused = device.setAside.map(({ write, code }) => `${write.does}: ${code}`);
  assert.deepEqual(refused.sort(), ["delete: merged", "edit: not_found"]);
  assert.equal(device.outbox.length, 0);

  // The one that was kept is not deleted in its place.
  device.retry(device.setAside.find(({ write }) => write.does === "delete")!);
  await device.sync();
  assert.equal(device.get("contact", kept)?.name, "Charles");
});

test("an edit that is undone before it is sent is not asked about", async () => {
  const ada = await Account.register("Ada");
  const { phone } = await ada.phone();
  const charles = phone.create("contact", { given_name: "Charles" }).record;
  await phone.sync();
  const edit = phone.edit("contact", charles, { headline: "Mathematician" });
  phone.edit("contact", charles, { nickname: "Chas" });
  phone.undo(edit);
  phone.edit("contact", charles, { headline: "Inventor" });
  assert.equal(phone.get("contact", charles)?.headline, "Inventor");
  await ada.request("PATCH", `/v1/contacts/${charles}`, { headline: "Engineer" });
  await phone.sync();
  const { headline, nickname } = phone.get("contact", charles)!;
  // The last edit collides, and only that one.
  assert.deepEqual([headline, nickname, phone.setAside.map(({ code }) => code)], ["Engineer", "Chas", ["collision"]]);
  assert.deepEqual(phone.outbox, []);
});

test("one write of a batch that the server has no time for holds up only itself", async () => {
  const ada = await Account.register("Ada");
  let busy = true;
  const { phone } = await ada.phone(async (...given) => {
    const answer = await fetch(...given);
    if (!busy || !String(given[0]).endsWith("/v1/batch")) return answer;
    busy = false;
    const body = await answer.json();
    body.results[0] = { status: 503, headers: {}, body: { code: "busy", detail: "The server is overloaded." } };
    return new Response(JSON.stringify(body), { status: 207, headers: answer.headers });
  });
  ["Charles", "Henry"].forEach((given_name) => phone.create("contact", { given_name }));
  await phone.sync();
  assert.deepEqual([busy, phone.outbox.length, phone.setAside.length], [false, 0, 0]);
  assert.deepEqual(names(phone), ["Ada", "Charles", "Henry"]);
});
