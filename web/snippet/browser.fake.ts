// A browser's page and the service behind it, for the snippet's tests.
import { vi } from "vitest";
import type { Config } from "./config";
import { Muster } from "./muster";

/** A message as the snippet sends it. */
export interface Sent {
  type: string;
  event?: string;
  messageId: string;
  timestamp: string;
  anonymousId: string;
  userId?: string;
  signature?: string;
  traits?: Record<string, unknown>;
  options?: Record<string, unknown>;
  properties?: Record<string, unknown>;
  context: {
    page: { url: string; path: string; referrer: string; title: string };
    session: { id: string; number: number };
    campaign?: Record<string, string>;
  };
}

interface Body {
  writeKey: string;
  sentAt: string;
  batch: Sent[];
}

/** Answers as the service does: 200 unless told otherwise, each answer once. */
export class FakeService {
  readonly requests: { url: string; init: RequestInit }[] = [];
  /** What comes next: an answer, a broken connection, or an answer that takes time. */
  readonly answers: (Response | Error | Promise<Response>)[] = [];

  readonly fetch = (url: string, init: RequestInit): Promise<Response> => {
    this.requests.push({ url, init });
    const next =
      this.answers.shift() ?? Response.json({ accepted: 1, rejected: [] });
    return next instanceof Error ? Promise.reject(next) : Promise.resolve(next);
  };

  get bodies(): Body[] {
    return this.requests
      .filter(({ init }) => init.method === "POST")
      .map(({ init }) => JSON.parse(init.body as string) as Body);
  }

  get messages(): Sent[] {
    return this.bodies.flatMap((body) => body.batch);
  }

  /** The messages' events, and the types of those that have none. */
  get said(): string[] {
    return this.messages.map((m) => m.event ?? m.type);
  }
}

/** One test's browser: its clock, its storage, its network, and what its pages added to the window. */
export class Browser {
  readonly service = new FakeService();
  private readonly originals = {
    push: history.pushState.bind(history),
    replace: history.replaceState.bind(history),
  };
  private readonly added: [
    EventTarget,
    string,
    EventListenerOrEventListenerObject,
  ][] = [];

  constructor() {
    localStorage.clear();
    history.replaceState(null, "", "/");
    vi.useFakeTimers({ now: new Date("2026-05-01T12:00:00Z") });
    vi.stubGlobal("fetch", this.service.fetch);
    vi.spyOn(Math, "random").mockReturnValue(1); // no jitter: pauses are as long as they can be
    for (const target of [window, document]) {
      const add = target.addEventListener.bind(target);
      vi.spyOn(target, "addEventListener").mockImplementation(
        (name: string, listener: EventListenerOrEventListenerObject | null) => {
          if (listener !== null) {
            this.added.push([target, name, listener]);
            add(name, listener);
          }
        },
      );
    }
  }

  /** Loads a page with the snippet on it, started unless it is to be by hand. */
  open(config: Partial<Config> = {}, ...queue: unknown[]): Muster {
    const muster = new Muster({
      writeKey: "wk",
      host: "https://muster.example",
      manual: false,
      identifiedOnly: false,
      ...config,
    });
    muster.push(...queue);
    if (config.manual !== true) {
      muster.start();
    }
    return muster;
  }

  /** Changes the address as the browser does by itself, unseen by the page. */
  address(path: string): void {
    this.originals.replace(null, "", path);
  }

  /** Ends the page: nothing of it happens any more; what it stored stays. */
  leave(): void {
    const now = Date.now();
    vi.clearAllTimers(); // sets the clock back, too
    vi.setSystemTime(now);
    for (const [target, name, listener] of this.added.splice(0)) {
      target.removeEventListener(name, listener);
    }
    history.pushState = this.originals.push;
    history.replaceState = this.originals.replace;
  }

  close(): void {
    this.leave();
    vi.restoreAllMocks();
    vi.unstubAllGlobals();
    vi.useRealTimers();
  }
}

/** Lets so many milliseconds pass, and what happens in them happen. */
export async function pass(milliseconds: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(milliseconds);
}
