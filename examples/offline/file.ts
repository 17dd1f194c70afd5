// Stores the state of a device in a file.
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import type { Storage } from "./state.js";

export function file(path: string): Storage {
  const load = () => readFileSync(path, { encoding: "utf8", flag: "a+" }) || undefined;
  const save = (state: string) => (writeFileSync(`${path}.new`, state, { flush: true }), renameSync(`${path}.new`, path));
  return { load, save };
}
