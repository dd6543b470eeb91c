import { newId } from "./id";
import type { Store } from "./store";

/** A visit of one browser; number counts its visits from 1. */
export interface Session {
  id: string;
  number: number;
}

/** How long nothing happens before what follows is another session. */
export const sessionGap = 30 * 60_000;

/** The session that something done at a time (unix milliseconds) belongs to. All tabs share it. */
export function sessionAt(store: Store, now: number): Session {
  const kept = store.object("session") as Partial<Session & { last: number }>;
  let { id, number = 0, last = 0 } = kept;
  if (id === undefined || now - last > sessionGap) {
    id = newId();
    number++;
  }
  last = Math.max(last, now);
  store.set("session", JSON.stringify({ id, number, last }));
  return { id, number };
}
