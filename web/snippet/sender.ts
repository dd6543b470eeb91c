import type { Listeners } from "./listeners";
import type { Outbox } from "./outbox";

/** A message waits this long for others to be sent with, in milliseconds, … */
export const batchWait = 2000;
/** … or until there are so many. */
export const batchMessages = 20;

/** Of one request. The door takes 500 KiB, … */
const maxBody = 400_000;
/** … and a browser 64 KiB in all requests that outlive their page. */
const maxLeaving = 60_000;

const requestTimeout = 30_000;
/** How often a tab looks for what other tabs left behind. */
const orphanCheck = 10_000;
const firstRetry = 1000;
const lastRetry = 5 * 60_000;
const maxRetryAfter = 24 * 3_600_000;

interface Batch {
  names: string[];
  body: string;
}

/** Sends what is in the outbox, in batches, until the service has it. */
export class Sender {
  private timer: ReturnType<typeof setTimeout> | undefined;
  private wakes = Infinity; // when the timer fires
  private waiting = 0; // messages added since the last flush
  private sending = new Set<string>(); // names in requests that end with the page
  private leaving = new Set<string>(); // names in requests that outlive it
  private failures = 0;
  private backoff = 0; // our own pause ends then
  private pause = 0; // the pause the service asked for ends then

  constructor(
    private readonly host: string,
    private readonly writeKey: string,
    private readonly outbox: Outbox,
    private readonly listeners: Listeners,
  ) {}

  /** Sends what earlier pages left, and tries again whenever the browser is online again. */
  start(): void {
    addEventListener("online", () => {
      this.backoff = 0;
      this.wake(0);
    });
    addEventListener("pagehide", () => {
      this.leave(true);
    });
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "hidden") {
        this.leave(false); // on phones the last thing a page hears
      }
    });
    if (this.outbox.due().length > 0) {
      this.wake(0);
    }
    setInterval(() => {
      if (this.outbox.due().length > 0) {
        this.wake(batchWait);
      }
    }, orphanCheck);
  }

  /** Says that a message was added to the outbox. */
  added(): void {
    this.waiting++;
    this.wake(this.waiting >= batchMessages ? 0 : batchWait);
  }

  /** Flushes after so many milliseconds, or earlier where that is planned already, but never in a pause. */
  private wake(wait: number): void {
    const now = Date.now();
    const at = Math.max(now + wait, this.backoff, this.pause);
    if (at >= this.wakes && this.wakes >= now) {
      return;
    }
    clearTimeout(this.timer);
    this.wakes = at;
    this.timer = setTimeout(() => {
      this.wakes = Infinity;
      void this.flush();
    }, at - now);
  }

  private async flush(): Promise<void> {
    if (this.sending.size > 0) {
      return; // its answer wakes us
    }
    if (Date.now() < Math.max(this.backoff, this.pause)) {
      this.wake(0);
      return;
    }
    this.waiting = 0;
    const batch = this.batch(
      this.outbox.due().filter((name) => !this.leaving.has(name)),
      maxBody,
    );
    if (batch === null) {
      return;
    }
    this.sending = new Set(batch.names);
    await this.post(batch, false);
    this.sending.clear();
    if (this.outbox.due().some((name) => !this.leaving.has(name))) {
      this.wake(
        this.waiting > 0 && this.waiting < batchMessages ? batchWait : 0,
      );
    }
  }

  /**
   * Sends what there is in requests that outlive the page; with `closing`, also what is being sent, for that request ends
   * with the page. What has no room there stays for the next page.
   */
  leave(closing: boolean): void {
    if (Date.now() < this.pause) {
      return;
    }
    const names = this.outbox
      .due()
      .filter(
        (name) =>
          !this.leaving.has(name) && (closing || !this.sending.has(name)),
      );
    const batch = this.batch(names, maxLeaving);
    if (batch === null) {
      return;
    }
    for (const name of batch.names) {
      this.leaving.add(name);
    }
    void this.post(batch, true).then(() => {
      for (const name of batch.names) {
        this.leaving.delete(name);
      }
      this.wake(batchWait); // here only when the page lives on
    });
  }

  /** As many of the messages as fit in one body of so many bytes, the oldest first; null when there is none. */
  private batch(names: string[], limit: number): Batch | null {
    const taken: string[] = [];
    const messages: string[] = [];
    let room = limit - 200; // for what is around the messages
    for (const name of names) {
      const message = this.outbox.read(name);
      if (message === null) {
        continue;
      }
      room -= byteLength(message) + 1;
      if (room < 0) {
        break;
      }
      taken.push(name);
      messages.push(message);
    }
    if (taken.length === 0) {
      return null;
    }
    const head = JSON.stringify({
      sentAt: new Date().toISOString(),
      writeKey: this.writeKey,
    });
    return {
      names: taken,
      body: `${head.slice(0, -1)},"batch":[${messages.join(",")}]}`,
    };
  }

  /** Sends a batch and does what its answer asks for. It never throws. */
  private async post(batch: Batch, keepalive: boolean): Promise<void> {
    const abort = new AbortController();
    const timer = setTimeout(() => {
      abort.abort();
    }, requestTimeout);
    let status = 0;
    try {
      // A text needs no question in advance (a CORS preflight), which a page that ends has no time for.
      const response = await fetch(this.host + "/v1/b", {
        method: "POST",
        body: batch.body,
        headers: { "Content-Type": "text/plain" },
        credentials: "omit",
        keepalive,
        signal: abort.signal,
      });
      status = response.status;
      if (response.ok) {
        this.acknowledged(batch, await rejectedOf(response));
        return;
      }
      this.pause = Date.now() + retryAfter(response);
    } catch {
      // No answer. What was acknowledged all the same is sent again, and is the same message.
    } finally {
      clearTimeout(timer);
    }
    if (status === 0 || status === 408 || status === 429 || status >= 500) {
      const wait = Math.min(lastRetry, firstRetry * 2 ** this.failures++);
      this.backoff = Date.now() + wait * (0.5 + Math.random() / 2);
      return;
    }
    // The service will never take it.
    this.outbox.remove(batch.names);
    console.error(`muster: the service answers ${String(status)}`);
    this.listeners.tell("dropped", batch.names.length, status);
  }

  private acknowledged(batch: Batch, rejected: unknown[]): void {
    this.failures = 0;
    this.outbox.remove(batch.names);
    if (rejected.length > 0) {
      console.warn("muster: messages were not accepted:", rejected);
      this.listeners.tell("rejected", rejected);
    }
    this.listeners.tell("sent", batch.names.length - rejected.length);
  }
}

/** How many bytes a text is in UTF-8. */
export function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}

async function rejectedOf(response: Response): Promise<unknown[]> {
  try {
    const answer = (await response.json()) as { rejected?: unknown[] };
    return answer.rejected ?? [];
  } catch {
    return []; // a proxy's own body; the status is what counts
  }
}

/** The milliseconds the service asks to wait: its header has seconds or a date. */
function retryAfter(response: Response): number {
  const text = response.headers.get("Retry-After") ?? "";
  const wait = /^\d+$/.test(text)
    ? Number(text) * 1000
    : Date.parse(text) - Date.now();
  return Math.min(Math.max(wait || 0, 0), maxRetryAfter);
}
