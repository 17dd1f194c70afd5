// How a write that waits changes what the user sees, and whether it collides with what somebody else has written.
import type { Data, Fields, Write } from "./sync.js";

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

/** What the user saw, with what the server has made of an edit of their own. */
export function rebased(base: unknown, patch: Fields, now: unknown): Fields {
  const result: Fields = isObject(base) ? { ...base } : {};
  for (const [field, mine] of Object.entries(patch)) {
    const made = isObject(now) ? now[field] : undefined;
    result[field] = isObject(mine) && isObject(made) ? rebased(result[field], mine, made) : made;
  }
  return result;
}

/** Whether somebody else has changed what this patch changes, to something else, since the user saw it. */
export function collides(patch: Fields, base: unknown, now: unknown): boolean {
  return Object.entries(patch).some(([field, mine]) => {
    const [before, theirs] = [base, now].map((record) => (isObject(record) ? record[field] : null));
    return isObject(mine) ? collides(mine, before, theirs) : !same(before, theirs) && !same(mine, theirs);
  });
}
