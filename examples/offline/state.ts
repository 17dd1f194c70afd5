// What the device stores.
import type { Login } from "./connection.js";

export type Fields = { [field: string]: unknown };
/** A record of any kind. */
export type Data = Fields & { id: string; version: number };
/** The kinds of record that this app edits. It stores all kinds. */
export const COLLECTIONS = { contact: "contacts", interaction: "interactions", follow_up: "follow-ups" } as const;
export type Entity = keyof typeof COLLECTIONS;

/** What the user has done to a record, until the server has done the same. */
export type Write = { id: string; entity: Entity; record: string; done?: true } & (
  | { does: "create"; body: Fields }
  | { does: "edit"; body: Fields; base: Data | undefined } // With the record as the user saw it.
  | { does: "delete" }
  | { does: "undo"; of: string } // The `id` of another write.
);
/** A write that the server has refused, or that collides with somebody else's, and why. The user decides. */
export type SetAside = { write: Write; code: string; detail: string };
export type Operation = { method: "POST" | "PATCH" | "DELETE"; path: string; headers: Record<string, string>; body?: Fields };

/** All that the device stores. */
export class State {
  login: Login = { tokens: null, expiresAt: 0, userId: "", sessions: [] };
  records: { [entityAndId: string]: Data } = {}; // As the server has them.
  stale: string[] = []; // Keys of old records that a new snapshot has not returned yet.
  etagPrefix = "";
  cursor: string | null = null;
  merged: { [id: string]: string } = {}; // Ids that lead to another record.
  outbox: Write[] = [];
  sending: (Operation & { key: string; writes: string[] }) | null = null; // One request, until it is answered.
  setAside: SetAside[] = [];
  numbers: { [write: string]: number } = {}; // The `Wellmet-Write` of each, to undo it by.
}

/** Stores the state: all of it or nothing. On a phone this is a transaction of its database. */
export type Storage = { load(): string | undefined; save(state: string): void };
