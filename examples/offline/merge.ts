// What the writes that wait mean for what the user sees, for one another, and for what somebody else has written.
import type { Data, Fields, Write } from "./state.js";
import type { components } from "./wellmet.js";

const isObject = (value: unknown): value is Fields => typeof value === "object" && value !== null && !Array.isArray(value);
const same = (one: unknown, other: unknown) => JSON.stringify(one ?? null) === JSON.stringify(other ?? null);

/** The writes that are not undone. An undo that was itself undone does not count. */
export function inEffect(writes: readonly Write[]): Write[] {
  const undone = new Set<string>();
  for (const write of [...writes].reverse()) if (write.does === "undo" && !undone.has(write.id)) undone.add(write.of);
  return writes.filter((write) => !undone.has(write.id));
}

/** The record as the user is to see it, with a write that waits. */
export function shown(record: Data | undefined, write: Write): Data | undefined {
  if (write.does === "create") return record ?? { id: write.record, version: 0, ...patched({}, write.body) };
  if (write.does === "delete") return undefined;
  return record && write.does === "edit" ? { ...record, ...patched(record, write.body) } : record;
}

/** A JSON Merge Patch (RFC 7396), as the server applies it: maps are merged, null removes an entry, and the rest is replaced. */
function patched(record: Fields, { add_tags, remove_tags, ...patch }: Fields, isMap = false): Fields {
  const result = { ...record };
  for (const [field, value] of Object.entries(patch)) {
    const before = record[field];
    if (value === null && isMap) delete result[field];
    else result[field] = isObject(value) ? patched(isObject(before) ? before : {}, value, true) : value;
  }
  if (!Array.isArray(add_tags) && !Array.isArray(remove_tags)) return result;
  const [tags, added, removed] = [result.tags, add_tags, remove_tags].map((list) => (list ?? []) as string[]);
  return { ...result, tags: [...new Set([...tags!, ...added!])].filter((tag) => !removed!.includes(tag)) };
}

/** Updates the base of later edits with the result of a write, so that they do not collide with it: the server may trim a text. */
export function rebase(outbox: Write[], write: Write, made: Data) {
  for (const [index, later] of outbox.entries()) {
    if (later.does !== "edit" || later.record !== write.record || later.done || !later.base) continue;
    const before: Write[] = inEffect(outbox.slice(0, index)).filter((one) => one.record === write.record);
    if (!before.includes(write)) continue; // The user had undone it.
    if (write.does === "edit") later.base = rebased(later.base, write.body, made);
    else later.base = before.slice(before.indexOf(write) + 1).reduce<Data | undefined>(shown, made);
  }
}

/** What the user saw, with what has become of an edit of their own, except where they have changed the same again. */
export function rebased<Seen extends Fields>(seen: Seen, { add_tags, remove_tags, ...patch }: Fields, made: Fields): Seen {
  const result: Fields = { ...seen };
  for (const [field, mine] of Object.entries(patch)) {
    const [before, now] = [result[field], made[field] ?? null];
    if (isObject(mine) && isObject(before) && isObject(now)) result[field] = rebased(before, mine, now);
    else if (same(before, mine)) result[field] = now;
  }
  return result as Seen;
}

/** Whether somebody else has changed what this patch changes, to something else, since the user saw it. */
export function collides(patch: Fields, base: unknown, now: unknown): boolean {
  return Object.entries(patch).some(([field, mine]) => {
    const [before, theirs] = [base, now].map((record) => (isObject(record) ? record[field] : null));
    return isObject(mine) ? collides(mine, before, theirs) : !isAsSeen(before, theirs) && !same(mine, theirs);
  });
}

/** Whether what the user saw is still there. The server adds defaults to an entry that the user has made. */
function isAsSeen(before: unknown, now: unknown): boolean {
  if (!isObject(before) || !isObject(now)) return same(before, now);
  return Object.entries(before).every(([key, value]) => same(value, now[key]));
}

/** The ids in a write that lead to another record, as the server says: in the path, or in the body at a pointer. */
export function mergedIds(write: Write, problem: Partial<components["schemas"]["Problem"]> | null): { [id: string]: string } {
  const body = "body" in write ? write.body : {};
  const at = (pointer: string) => pointer.split("/").slice(1).reduce((value: any, key) => value?.[key], body);
  const inBody = problem?.errors?.flatMap(({ pointer, record }) => (record ? [[at(pointer), record.id]] : [])) ?? [];
  const inPath = problem?.code === "merged" && problem.record ? [[write.record, problem.record.id]] : [];
  return Object.fromEntries([...inBody, ...inPath]);
}
