// An offline client: what the user does is stored on the device and shown at once, and is sent when there is a connection.
// docs/mobile.md explains it. It needs `fetch`, and the types that openapi-typescript makes of the document; nothing else.
import { Connection, Later, type Answer } from "./connection.js";
import { collides, inEffect, mergedIds, rebase, rebased, shown } from "./merge.js";
import { COLLECTIONS, State } from "./state.js";
import type { Data, Entity, Fields, Operation, SetAside, Storage, Write } from "./state.js";
import type { components } from "./wellmet.js";

type Schemas = components["schemas"];

export class Device {
  private readonly state: State;
  private readonly connection: Connection;
  private lastTurn: Promise<void> = Promise.resolve();
  private syncing: Promise<void> | undefined;
  /** Called with each change that was received, and whether this device made it. */
  received: (change: Schemas["Change"], own: boolean) => void = () => {};

  constructor(url: string, private readonly storage: Storage, send: typeof fetch = (...request) => fetch(...request)) {
    this.state = Object.assign(new State(), JSON.parse(storage.load() ?? "{}"));
    this.connection = new Connection(url, send, this.state.login, () => this.save());
  }

  /** What waits to be sent, and what the user has to decide. */
  get outbox(): readonly Write[] { return this.state.outbox; }
  get setAside(): readonly SetAside[] { return this.state.setAside; }

  get(entity: Entity, id: string): Data | undefined {
    const record = this.kept(id);
    const writes = this.state.outbox.filter((write) => this.kept(write.record) === record && write.entity === entity);
    return inEffect(writes).reduce<Data | undefined>(shown, this.state.records[`${entity} ${record}`]);
  }

  /** The id of the record that this one was merged into, if it was. */
  private kept(id: string): string {
    const kept = this.state.merged[id];
    return kept === undefined ? id : this.kept(kept);
  }

  list(entity: Entity): Data[] {
    const stored = Object.keys(this.state.records).filter((key) => key.startsWith(`${entity} `));
    const queued = this.state.outbox.filter((write) => write.entity === entity).map((write) => this.kept(write.record));
    const ids = new Set([...stored.map((key) => key.slice(entity.length + 1)), ...queued]);
    return [...ids].map((id) => this.get(entity, id)).filter((record) => record !== undefined);
  }

  create(entity: Entity, body: Fields): Write {
    const id = uuid();
    return this.queue({ id: uuid(), entity, record: id, does: "create", body: { ...body, id } });
  }
  edit(entity: Entity, id: string, body: Fields): Write {
    const base = this.get(entity, id);
    return this.queue({ id: uuid(), entity, record: this.kept(id), does: "edit", body, base });
  }
  delete(entity: Entity, id: string): Write {
    return this.queue({ id: uuid(), entity, record: this.kept(id), does: "delete" });
  }
  undo({ id, entity, record }: Write): Write {
    return this.queue({ id: uuid(), entity, record, does: "undo", of: id });
  }
  private queue(write: Write): Write {
    this.state.outbox.push(write);
    try {
      this.save();
    } catch (error) {
      this.state.outbox.pop(); // The user is told that it is not done.
      throw error;
    }
    return write;
  }

  /** Queues a write that was set aside again. The user has seen the current record. */
  retry({ write }: SetAside) {
    const base = write.does === "edit" ? { base: this.get(write.entity, write.record) } : {};
    // The user has deleted the other record, not the one that it was merged into.
    const record = write.does === "delete" ? write.record : this.kept(write.record);
    this.forget({ write }, { ...write, record, ...base });
  }
  forget({ write }: Pick<SetAside, "write">, again?: Write) {
    this.state.setAside = this.state.setAside.filter((one) => one.write.id !== write.id);
    if (again) this.state.outbox.push(again);
    this.save();
  }

  signIn(email: string, password: string): Promise<void> {
    return this.inTurn(async () => {
      const previous = this.state.login.userId;
      try {
        await this.connection.signIn(email, password);
      } finally {
        const { login } = this.state;
        // What one user has stored is not for another.
        if (previous && previous !== login.userId) Object.assign(this.state, new State(), { login });
        this.save();
      }
    });
  }

  /** Receives what has changed and sends what waits, until there is no more. */
  sync(): Promise<void> {
    const run = async () => {
      do await this.pull();
      while (await this.push());
    };
    return (this.syncing ??= this.inTurn(run).finally(() => (this.syncing = undefined)));
  }

  /** One at a time: what a sync receives belongs to whoever was signed in when it began. */
  private inTurn(action: () => Promise<void>): Promise<void> {
    const turn = this.lastTurn.then(action);
    this.lastTurn = turn.catch(() => {});
    return turn;
  }

  private async pull() {
    for (let more = true; more; ) {
      const { state } = this;
      const since = state.cursor === null ? "" : `&since=${encodeURIComponent(state.cursor)}`;
      const answer = await this.connection.request("GET", `/v1/changes?limit=1000${since}`);
      if (answer.status === 410) {
        // The cursor is too old: begin again. The user keeps the stored records, and the outbox stays.
        Object.assign(state, { stale: Object.keys(state.records), cursor: null });
        continue;
      }
      if (answer.status !== 200) throw new Error(`${answer.status} ${answer.body.code}: ${answer.body.detail}`);
      const page: Schemas["ChangePage"] = answer.body;
      if (state.etagPrefix !== page.etag_prefix) {
        // The server was restored from a backup, or has a new release: a number may be that of somebody else's write by now.
        const undoes = state.outbox.some((write) => write.does === "undo" && state.sending?.writes.includes(write.id));
        Object.assign(state, { numbers: {}, sending: undoes ? null : state.sending });
      }
      const stale = new Set(state.stale);
      for (const { entity, id, data, merged_into } of page.items) {
        stale.delete(`${entity} ${id}`);
        const record: Data | undefined = Object.values(data ?? {})[0];
        if (record) state.records[`${entity} ${id}`] = record;
        else delete state.records[`${entity} ${id}`];
        if (merged_into) state.merged[id] = merged_into;
        else if (entity !== "contact_activity") delete state.merged[id]; // That has the id of its contact.
      }
      state.stale = [...stale];
      more = page.has_more;
      if (!more) {
        for (const key of state.stale.splice(0)) delete state.records[key];
        // What the server has done is in `records` now.
        state.outbox = state.outbox.filter((write) => !write.done);
        for (const write of state.outbox) {
          // The user has deleted the other record, not the one that was kept.
          const isOther = write.does === "delete" && write.record in state.merged;
          if (isOther) this.putAside(write, "merged", "It was merged into another record.");
        }
      }
      Object.assign(state, { cursor: page.next_cursor, etagPrefix: page.etag_prefix });
      this.save(); // The records together with the cursor.
      const isOwn = (change: Schemas["Change"]) => state.login.sessions.includes(change.actor.session_id ?? "");
      for (const change of page.items) this.received(change, isOwn(change));
    }
  }

  /** Sends one request; false if nothing waits. */
  private async push(limit = 100): Promise<boolean> {
    const sending = (this.state.sending ??= this.nextRequest(limit));
    this.save(); // Before it is sent: it is sent again as it is, with the same key, until it is answered.
    if (!sending) return false;
    const headers = { ...sending.headers, "Idempotency-Key": sending.key };
    const answer = await this.connection.request(sending.method, sending.path, sending.body, headers);
    this.state.sending = null;
    const isBatch = sending.path === "/v1/batch";
    if (isBatch && answer.status !== 207) return this.push(Math.ceil(sending.writes.length / 2)); // 413: too large.
    const results: Answer[] = isBatch
      ? answer.body.results.map((one: Schemas["BatchResult"]) => ({ ...one, headers: new Headers(one.headers) }))
      : [answer];
    const waits = sending.writes.filter((id, index) => this.settle(id, results[index]!));
    this.save();
    if (waits.length === sending.writes.length) throw new Later("The server is busy.");
    return true;
  }

  /** The writes at the head of the outbox, as one request. In their order: later ones build on earlier ones. */
  private nextRequest(limit: number): State["sending"] {
    this.dropUndone();
    const writes: Write[] = [];
    for (const queued of this.state.outbox) {
      const write = this.redirected(queued);
      // The second edit of a record needs the version that the first one makes.
      if (writes.length === limit || writes.some((one) => one.record === write.record)) break;
      const now = this.state.records[`${write.entity} ${write.record}`];
      if (write.does === "edit" && now && collides(write.body, write.base, now)) {
        this.putAside(queued, "collision", "Somebody else has changed the same.");
      } else if (write.does === "undo" && !(write.of in this.state.numbers)) {
        this.putAside(queued, "not_written", "It has no number to undo it by.");
      } else writes.push(write);
    }
    const operations = writes.map((write) => this.operation(write));
    if (operations.length === 0) return null;
    const batch = { method: "POST" as const, path: "/v1/batch", headers: {}, body: { operations } };
    const request = operations.length === 1 ? operations[0]! : batch;
    return { ...request, key: uuid(), writes: writes.map((write) => write.id) };
  }

  /** An edit that was undone before it was sent needs neither to be sent nor to be asked about. */
  private dropUndone() {
    const kept = new Set(inEffect(this.state.outbox));
    for (const edit of this.state.outbox.filter((write) => write.does === "edit" && !write.done && !kept.has(write))) {
      this.takeOut(edit);
      this.state.outbox = this.state.outbox.filter((write) => write.does !== "undo" || write.of !== edit.id);
    }
  }

  /** With the ids of the records that were kept. The queue has the old ones: a merge can be undone before this is sent. */
  private redirected<Value>(value: Value): Value {
    const kept = (_: string, part: unknown) => (typeof part === "string" ? this.kept(part) : part);
    return JSON.parse(JSON.stringify(value, kept));
  }

  private operation(write: Write): Operation {
    const collection = `/v1/${COLLECTIONS[write.entity]}`;
    const path = `${collection}/${write.record}`;
    // No record has version 0, so if it is missing here, the answer says why.
    const version = this.state.records[`${write.entity} ${write.record}`]?.version ?? 0;
    const headers = { "If-Match": `"${this.state.etagPrefix}.${version}"` };
    switch (write.does) {
      case "create": return { method: "POST", path: collection, headers: {}, body: write.body };
      case "edit": return { method: "PATCH", path, headers, body: write.body };
      case "delete": return { method: "DELETE", path, headers };
      case "undo": return { method: "POST", path: `/v1/changes/${this.state.numbers[write.of]}/revert`, headers: {} };
    }
  }

  /** What the answer to a write means for it. True if it is to be sent later. */
  private settle(id: string, { status, headers, body }: Answer): boolean {
    const write = this.state.outbox.find((one) => one.id === id);
    if (!write) return false;
    const code: string = body?.code;
    const exists = write.does === "create" && ["id_taken", "deleted", "merged"].includes(code); // Under the id it chose.
    const isGone = write.does === "delete" && code === "not_found";
    const merged = mergedIds(write, body);
    const known = new Set(Object.keys(this.state.records).map((key) => key.split(" ")[1]));
    // For known records, trust the changes: this answer may be a repeated one.
    for (const [id, kept] of Object.entries(merged)) if (!known.has(id) && this.kept(kept) !== id) this.state.merged[id] = kept;
    if (status < 300 || exists || isGone) {
      write.done = true; // It is shown until the next pull has it.
      const number = headers.get("Wellmet-Write");
      if (number) this.state.numbers[id] = Number(number);
      if (status < 300 && (write.does === "create" || write.does === "edit")) {
        rebase(this.state.outbox, write, body);
        write.body = write.does === "create" ? body : rebased(write.body, write.body, body);
      }
    } else if (status === 429 || status >= 500 || code === "operation_running") {
      return true;
    } else if (status !== 412 && Object.keys(merged).length === 0) {
      this.putAside(write, code, body.detail);
    } // Else it is sent again after the next pull, as what it has to be then.
    return false;
  }

  private putAside(write: Write, code: string, detail: string) {
    this.takeOut(write);
    this.state.setAside.push({ write, code, detail });
  }

  /** Removes a write as if the user had never made it. */
  private takeOut(write: Write) {
    if (write.does === "edit" && write.base) rebase(this.state.outbox, write, write.base);
    this.state.outbox = this.state.outbox.filter((one) => one !== write);
  }

  private save() {
    this.storage.save(JSON.stringify(this.state));
  }
}

/** A UUID v7: it begins with the time, so that what was created together is stored together. */
function uuid(): string {
  const time = Date.now().toString(16).padStart(12, "0");
  return `${time.slice(0, 8)}-${time.slice(8)}-7${crypto.randomUUID().slice(15)}`;
}
