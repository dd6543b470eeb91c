import { newId } from "./id";
import type { Store } from "./store";

/** A visit of one browser; number counts its visits from 1. */
export interface Session {
  id: string;
  number: number;
}

/** How long nothing happens before what follows is another session. */
export const sessionGap = 30 * 60_000;

/** A session that was last seen so far ahead was so by a clock that has been set right since. */
const maxAhead = 24 * 3_600_000;

/** The session that something done at a time (unix milliseconds) belongs to. All tabs share it. */
export function sessionAt(store: Store, now: number): Session {
  const kept = store.object("session") as Partial<Session & { last: number }>;
  let { id, number = 0, last = 0 } = kept;
  const idle = now - last;
  if (id === undefined || idle > sessionGap || idle < -maxAhead) {
    id = newId();
    number++;
    last = now;
  }
  last = Math.max(last, now); // what is told late, as after a manual start, was earlier
  store.set("session", JSON.stringify({ id, number, last }));
  return { id, number };
}
