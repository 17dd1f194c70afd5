// Two devices edit the same records offline, on a network that loses requests, loses answers, sends requests twice and late,
// and on apps that are killed at any moment. In the end both have what the server has, and nothing was lost or done twice.
// The client is that of docs/mobile.md; the server is real. A seed decides what happens: SEEDS and STEPS may be set.
import assert from "node:assert/strict";
import { Later, SignedOut } from "./connection.js";
import type { Data, Entity, SetAside, Storage, Write } from "./state.js";
import { Device } from "./sync.js";
import type { components } from "./wellmet.js";

type Change = components["schemas"]["HistoryEntry"];

const url = process.env.WELLMET ?? "http://127.0.0.1:8080";
const seeds = (process.env.SEEDS ?? "1,2,3,4,5,9").split(",").map(Number);
const steps = Number(process.env.STEPS ?? 250);

/** Numbers from 0 to 1 that are the same for the same seed (mulberry32). */
function random(seed: number) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** What went wrong on the way, over all seeds: each kind of fault has to occur. */
const faults = {
  lostRequest: 0,
  lostAnswer: 0,
  twice: 0,
  late: 0,
  busy: 0,
  meanwhile: 0,
  crash: 0,
  expiredToken: 0,
  lostLogin: 0,
  expiredCursor: 0,
  merge: 0,
};

/** The app was killed: what it had in memory is gone. */
class Killed extends Error {}

class Network {
  on = true;
  /** Requests that were given up, and reach the server later. */
  readonly late: (() => Promise<unknown>)[] = [];
  /** The numbers of the writes that were reverts, whether or not a device has seen the answer. */
  readonly reverts = new Set<number>();
  /** The numbers of the writes that merged two contacts. */
  readonly merges = new Set<number>();
  /** What the other device does between what this one has received and what it sends. */
  meanwhile: (() => Promise<unknown>) | undefined;
  private requests = 0;
  constructor(private readonly chance: () => number) {}

  readonly send: typeof fetch = async (input, init) => {
    // Devices that disagree with the server for ever are a failure, not a test that does not end.
    if ((this.requests += 1) > 40 * steps) throw new Error("There are too many requests.");
    if (this.meanwhile && init?.method !== "GET" && this.chance() < 0.5) {
      const meanwhile = this.meanwhile;
      this.meanwhile = undefined;
      this.count("meanwhile");
      await meanwhile();
    }
    const request = () => this.deliver(String(input), init);
    // A login that arrives late is another login; a refresh that arrives late ends the session, as a theft does.
    const mayBeLate = !String(input).includes("/auth/") && init?.method !== "GET";
    const fault = this.on ? this.chance() : 1;
    if (fault < 0.06) throw this.count("lostRequest");
    if (fault < 0.14) throw (await request(), this.count("lostAnswer"));
    if (fault < 0.2 && mayBeLate) throw (this.late.push(request), this.count("late"));
    if (fault < 0.22) return (this.count("busy"), new Response('{"code": "busy"}', { status: 503 }));
    if (fault < 0.28) return (this.count("twice"), (await Promise.all([request(), request()]))[Math.floor(fault * 1000) % 2]!);
    return request();
  };

  count(fault: keyof typeof faults) {
    faults[fault] += 1;
    return new TypeError(fault);
  }

  private async deliver(input: string, init?: RequestInit): Promise<Response> {
    const response = await fetch(input, init);
    const body: string = init?.method === "POST" && !input.includes("/auth/") ? await response.clone().text() : "";
    const results = input.endsWith("/v1/batch") && response.status === 207 ? JSON.parse(body).results : [];
    const operations = results.length > 0 ? JSON.parse(String(init?.body)).operations : [];
    const reverts = results.filter((_: unknown, index: number) => operations[index].path.endsWith("/revert"));
    const numbers: string[] = reverts.map((one: { headers: Record<string, string> }) => one.headers["Wellmet-Write"]);
    if (input.endsWith("/revert")) numbers.push(response.headers.get("Wellmet-Write") ?? "");
    for (const number of numbers.filter(Boolean)) this.reverts.add(Number(number));
    return response;
  }

  async deliverLate(most: number) {
    for (const request of this.late.splice(0, most)) await request();
  }
}

/** Storage that outlives the app, which may be killed before or after it stores something. */
class Disk implements Storage {
  state: string | undefined;
  constructor(private readonly network: Network, private readonly chance: () => number) {}
  load = () => this.state;
  save = (state: string) => {
    const fault = this.network.on ? this.chance() : 1;
    if (fault < 0.01) throw (this.network.count("crash"), new Killed());
    this.state = state;
    if (fault < 0.02) throw (this.network.count("crash"), new Killed());
  };
  change(change: (state: any) => void) {
    const state = JSON.parse(this.state ?? "{}");
    change(state);
    this.state = JSON.stringify(state);
  }
}

/** What a user did: once it is stored on the device, it is not lost. */
type Done = { write: Write; phone: Phone; marker: string | undefined; seen: unknown; dropped?: string };

class Phone {
  readonly disk: Disk;
  device: Device;
  constructor(readonly account: Account, readonly network: Network, private readonly chance: () => number) {
    this.disk = new Disk(network, chance);
    this.device = this.start();
  }

  start = () => (this.device = new Device(url, this.disk, this.network.send));

  /** Whatever the app was doing: if it was killed, it is started again. */
  async survive<Result>(action: () => Result | Promise<Result>): Promise<Result | undefined> {
    try {
      return await action();
    } catch (error) {
      if (error instanceof Killed) this.start();
      else if (error instanceof SignedOut) await this.signIn();
      else if (!(error instanceof Later)) throw error;
      return undefined;
    }
  }

  signIn = () => this.survive(() => this.device.signIn(this.account.email, this.account.password));

  pick<Item>(items: readonly Item[]): Item | undefined {
    return items[Math.floor(this.chance() * items.length)];
  }
}

type Account = { email: string; password: string; token: string };

async function register(): Promise<Account> {
  const [email, password] = [`ada-${crypto.randomUUID()}@example.com`, "correct horse battery staple"];
  const body = JSON.stringify({ email, password, name: "Ada Lovelace" });
  const headers = { "Content-Type": "application/json" };
  const response = await fetch(`${url}/v1/auth/register`, { method: "POST", headers, body });
  const { access_token } = await response.json();
  return { email, password, token: access_token };
}

async function get(account: Account, path: string) {
  const response = await fetch(url + path, { headers: { Authorization: `Bearer ${account.token}` } });
  return { status: response.status, body: await response.json() };
}

/** Merges two contacts, as in the web app, and returns the number of the write. */
async function merge(account: Account, keep_id: string, merge_id: string): Promise<number> {
  const headers = { "Content-Type": "application/json", Authorization: `Bearer ${account.token}` };
  const body = JSON.stringify({ keep_id, merge_ids: [merge_id] });
  const response = await fetch(`${url}/v1/contacts/merge`, { method: "POST", headers, body });
  assert.equal(response.status, 200);
  return Number(response.headers.get("Wellmet-Write"));
}

async function all(account: Account, path: string): Promise<any[]> {
  const items = [];
  for (let cursor: string | null = ""; cursor !== null; ) {
    const page: any = (await get(account, `${path}limit=200${cursor && `&cursor=${encodeURIComponent(cursor)}`}`)).body;
    items.push(...page.items);
    cursor = page.next_cursor;
  }
  return items;
}

const path = (entity: Entity) => `/v1/${entity}s`;

/** One device or both are used; then both have the same. */
async function run(seed: number, acting: 1 | 2) {
  const chance = random(seed);
  const account = await register();
  const network = new Network(chance);
  const phones = [new Phone(account, network, chance), new Phone(account, network, chance)] as const;
  network.on = false;
  for (const phone of phones) await phone.signIn();
  network.on = true;

  const ledger: Done[] = [];
  let markers = 0;
  /** Something a user does. Counts once the app has stored it, even if it was killed then and has not confirmed it. */
  const act = async (phone: Phone, marker: string | undefined, action: (device: Device) => Write) => {
    const before = new Set(phone.device.outbox.map(({ id }) => id));
    const confirmed = await phone.survive(() => action(phone.device));
    const write = confirmed ?? phone.device.outbox.find(({ id }) => !before.has(id));
    if (!write) return;
    const seen = write.does === "edit" && "headline" in write.body ? trimmed(write.base?.headline) : undefined;
    ledger.push({ write, phone, marker, seen });
  };
  /** The user sees what is there now, and insists or gives in. */
  const decide = async (phone: Phone, one: SetAside, insists: boolean) => {
    assert(acting > 1 || one.code !== "collision", "nobody collides with what they did themselves");
    const done = ledger.find(({ write }) => write.id === one.write.id);
    const seen = trimmed(phone.device.get("contact", one.write.record)?.headline);
    await phone.survive(() => (insists ? phone.device.retry(one) : phone.device.forget(one)));
    const isThere = phone.device.outbox.some((write) => write.id === one.write.id);
    if (done && insists && isThere && done.seen !== undefined) done.seen = seen;
    if (done && !insists && !phone.device.setAside.some(({ write }) => write.id === one.write.id)) done.dropped = one.code;
  };

  for (let step = 0; step < steps; step += 1) {
    const phone = phones[Math.floor(chance() * acting)]!;
    const { device } = phone;
    const marker = `m${seed}-${(markers += 1)}`;
    // Mostly the same few, so that the devices get in each other's way.
    const contacts = device.list("contact").filter((one) => !one.is_self);
    const contact = phone.pick(chance() < 0.7 ? contacts.slice(0, 4) : contacts);
    const interaction = phone.pick(device.list("interaction"));
    const what = chance();
    if (what < 0.1) await act(phone, marker, () => device.create("contact", { given_name: marker }));
    else if (what < 0.2 && contact) {
      const body = { kind: "call", occurred_on: "2026-03-02", subject: marker, contact_ids: [contact.id] };
      await act(phone, marker, () => device.create("interaction", body));
    } else if (what < 0.38 && contact) {
      const headline = `${marker} `; // The server trims it.
      await act(phone, marker, () => device.edit("contact", contact.id, { headline }));
    }
    else if (what < 0.46 && contact) await act(phone, marker, () => device.edit("contact", contact.id, { add_tags: [marker] }));
    else if (what < 0.5 && contact) {
      const emails = { [phone.pick(["work", "home"])!]: { value: `${marker}@example.com` } };
      await act(phone, marker, () => device.edit("contact", contact.id, { emails }));
    } else if (what < 0.54 && interaction) {
      await act(phone, marker, () => device.edit("interaction", interaction.id, { summary: marker }));
    } else if (what < 0.57 && contact) await act(phone, undefined, () => device.delete("contact", contact.id));
    else if (what < 0.59 && interaction) await act(phone, undefined, () => device.delete("interaction", interaction.id));
    else if (what < 0.66 && acting > 1) {
      const own = phone.pick(ledger.slice(-12).filter((one) => one.phone === phone && one.write.does !== "undo"));
      if (own) await act(phone, undefined, () => device.undo(own.write));
    } else if (what < 0.68) {
      phone.disk.change(({ login }) => (login.expiresAt = 0));
      phone.start();
      network.count("expiredToken");
    } else if (what < 0.685) {
      phone.disk.change(({ login }) => (login.tokens = { refresh_token: "lost", access_token: "lost" }));
      phone.start();
      network.count("lostLogin");
    } else if (what < 0.69) {
      const { next_cursor } = (await get(account, "/v1/changes?entity=tag")).body;
      phone.disk.change((state) => (state.cursor = next_cursor));
      phone.start();
      network.count("expiredCursor");
    } else if (what < 0.7 && acting > 1) {
      const [keep, other] = (await all(account, "/v1/contacts?archived=any&known=any&")).sort(() => chance() - 0.5);
      if (other) {
        network.merges.add(await merge(account, keep.id, other.id));
        network.count("merge");
      }
    } else if (what < 0.75) await network.deliverLate(2);
    else {
      const other = phone === phones[0] ? phones[1] : phones[0];
      network.meanwhile = () => other.survive(() => other.device.sync());
      await phone.survive(() => device.sync());
      network.meanwhile = undefined;
    }
    const undecided = phone.pick(phone.device.setAside);
    if (undecided && chance() < 0.2) await decide(phone, undecided, chance() < 0.5);
  }

  // The network is good again, and whoever is left has to decide.
  network.on = false;
  await network.deliverLate(Infinity);
  for (let rounds = 0; phones.some(({ device }) => device.outbox.length + device.setAside.length > 0); rounds += 1) {
    assert(rounds < 20, "the devices come to an end");
    for (const phone of phones) {
      await phone.survive(() => phone.device.sync());
      for (const one of [...phone.device.setAside]) await decide(phone, one, false);
    }
  }
  for (const phone of phones) await phone.device.sync();
  await check(account, phones, network, ledger);
  return { seed, did: ledger.length, dropped: ledger.filter((one) => one.dropped).length };
}

async function check(account: Account, phones: readonly [Phone, Phone], network: Network, ledger: Done[]) {
  const [one, other] = phones.map(({ disk }) => JSON.parse(disk.state ?? "{}"));
  const fresh = new Phone(account, network, () => 1);
  await fresh.signIn();
  await fresh.device.sync();
  assert.deepEqual(one.records, other.records, "both devices have the same records");
  assert.deepEqual(one.records, JSON.parse(fresh.disk.state ?? "{}").records, "and so has a new device");

  // The same as the server.
  for (const entity of ["contact", "interaction"] as const) {
    const listed = await all(account, `${path(entity)}?${entity === "contact" ? "archived=any&known=any&" : ""}`);
    const stored = Object.entries<Data>(one.records).filter(([key]) => key.startsWith(`${entity} `)).map(([, data]) => data);
    const byId = (items: Data[]) => Object.fromEntries(items.map((item) => [item.id, item]));
    const others = stored.filter((data) => !data.is_self); // The user's own contact is not in the list.
    assert.deepEqual(byId(others), byId(listed), `the devices have each ${entity} of the server`);
    for (const data of stored) {
      assert.deepEqual((await get(account, `${path(entity)}/${data.id}`)).body, data);
    }
    // Nothing was created twice.
    const names = listed.map((item) => item.given_name ?? item.subject);
    assert.equal(new Set(names).size, names.length, `each ${entity} was created once`);
  }

  const histories = new Map<string, Change[]>();
  const historyOf = async (key: string) => {
    if (!histories.has(key)) {
      const { status } = await get(account, `${key}/history`);
      histories.set(key, status === 200 ? await all(account, `${key}/history?`) : []);
    }
    return histories.get(key)!;
  };
  for (const { write, phone, marker, seen, dropped } of ledger) {
    const name = `${write.does} ${write.entity} ${marker ?? ""}`;
    const { merged, numbers: { [write.id]: number } } = JSON.parse(phone.disk.state ?? "{}");
    const history: Change[] = [];
    for (let id = write.record; id; id = merged[id]) history.push(...(await historyOf(`${path(write.entity)}/${id}`)));
    const others = new Set([...network.reverts, ...network.merges]);
    const mine = history.filter((item) => isBy(item, marker) && !others.has(item.write));
    if (dropped) assert.match(dropped, EXPECTED, `${name} was refused with a reason`);
    // An edit that is undone before it is sent is not sent, and neither is its undo.
    if ((dropped || (write.does === "edit" && isUndone(ledger, write))) && number === undefined) assert(mine.length <= 1, `${name} was done once at most`);
    else if (marker) {
      assert.equal(mine.length, 1, `${name} was done once`);
      const [change] = mine;
      assert.equal(change!.write, number, `${name} was confirmed with its number`);
      // The user may have seen an edit of theirs that was undone before it was sent.
      const before = change!.from?.headline ?? null;
      const unsent = ledger.find((one) => one.marker === seen && one.write.record === write.record);
      const isUnsent = unsent !== undefined && before !== seen && isUndone(ledger, unsent.write);
      if (seen !== undefined) assert.equal(before, isUnsent ? unsent.seen : seen, `${name} overwrote what its user had seen`);
    } else if (write.does === "undo") {
      const isOfEdit = ledger.some((one) => one.write.id === write.of && one.write.does === "edit");
      assert(network.reverts.has(number) || (isOfEdit && number === undefined), `${name} was done`);
    }
    else if (write.does === "delete") {
      // Unless it was never created, since what it refers to was gone.
      assert(history.length === 0 || history.some(({ op }) => op === "deleted"), `${name} was done by one of the devices`);
    }
  }
}

const isUndone = (ledger: Done[], { id }: Write) => ledger.some(({ write }) => write.does === "undo" && write.of === id);

/** Why a write may be refused on these two devices. */
const EXPECTED = /^(collision|not_written|not_found|invalid|merged|revert_blocked)$/;

const trimmed = (text: unknown) => (typeof text === "string" ? text.trim() : null);

/** Whether it was this change that brought the marker. */
function isBy(change: Change, marker: string | undefined): boolean {
  const [from, to] = [JSON.stringify(change.from), JSON.stringify(change.to)];
  const has = (text: string) => marker !== undefined && new RegExp(`"${marker}["@]`).test(text);
  return has(to) && !has(from);
}

const begun = Date.now();
for (const seed of seeds) {
  for (const acting of [1, 2] as const) {
    const { did, dropped } = await run(seed, acting).catch((error: unknown) => {
      console.error(`With SEEDS=${seed} STEPS=${steps}, on ${acting} of the devices:`);
      throw error;
    });
    const devices = acting === 1 ? "one device" : "two devices";
    console.log(`Seed ${seed}, ${devices}: of ${did} writes, ${did - dropped} are there, ${dropped} were given up by their users.`);
  }
}
for (const [fault, times] of Object.entries(faults)) assert(times > 0, `${fault} has occurred`);
const seconds = Math.round((Date.now() - begun) / 1000);
console.log(`Nothing was lost, and nothing done twice, in ${seconds} s:`, JSON.stringify(faults));
