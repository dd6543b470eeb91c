import type { Config } from "./config";
import { newId } from "./id";
import type { Listeners } from "./listeners";
import type { Outbox } from "./outbox";
import type { Page } from "./page";
import { byteLength, type Sender } from "./sender";
import { sessionAt } from "./session";
import type { Store } from "./store";
import type { Visitor } from "./visitor";

/** When and where something was done. */
export interface Moment {
  time: Date;
  page: Page;
}

/** What a message says besides who, when and where. */
export type Saying =
  | { type: "identify"; traits: object; options?: object }
  | { type: "track"; event: string; properties: object }
  | { type: "page"; properties: object };

type Draft = Saying & {
  timestamp: string;
  context: Record<string, unknown>;
};

/** The door takes no longer message, in bytes. */
const maxMessage = 32 << 10;
/** How much is held for a visitor who may still be identified. */
const maxHeld = 1000;

/** Says which client a message comes from; the version changes with what its messages look like. */
const library = { name: "muster.js", version: "1" };

/** Makes messages of what is done, as the Segment tracking API has them, and puts them in the outbox. */
export class Recorder {
  private held: Draft[] = [];

  constructor(
    private readonly config: Config,
    private readonly store: Store,
    private readonly visitor: Visitor,
    private readonly outbox: Outbox,
    private readonly sender: Sender,
    private readonly listeners: Listeners,
  ) {}

  /** Records what was done; where only the identified are wanted, it is held in memory until there is one. */
  record(saying: Saying, at: Moment): void {
    const draft: Draft = {
      ...saying,
      timestamp: at.time.toISOString(),
      context: {
        page: at.page,
        userAgent: navigator.userAgent,
        locale: navigator.language,
        timezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
        library,
        ...campaign(at.page.search),
        session: sessionAt(this.store, at.time.getTime()),
      },
    };
    if (this.config.identifiedOnly && this.visitor.userId() === null) {
      this.hold(draft);
      return;
    }
    // There is a user, perhaps since a moment ago or in another tab, and what was held was theirs.
    this.store.keep(true);
    for (const before of this.held.splice(0)) {
      this.put(before);
    }
    this.put(draft);
  }

  /** Forgets what is held: whoever comes next did not do it. */
  forget(): void {
    this.held = [];
    this.store.keep(!this.config.identifiedOnly);
  }

  private hold(draft: Draft): void {
    this.held.push(draft);
    if (this.held.length > maxHeld) {
      this.held.shift();
      this.listeners.tell("dropped", 1, "held");
    }
  }

  private put(draft: Draft): void {
    const userId = this.visitor.userId();
    const signature = this.visitor.signature();
    const message = JSON.stringify({
      ...draft,
      messageId: newId(),
      anonymousId: this.visitor.anonymousId(),
      ...(userId === null ? {} : { userId }),
      // Other messages neither say who somebody is nor what is true of them.
      ...(signature === null || draft.type !== "identify" ? {} : { signature }),
    });
    if (byteLength(message) > maxMessage) {
      console.error("muster: a message has more than 32 KiB:", draft);
      this.listeners.tell("dropped", 1, "too large");
      return;
    }
    this.outbox.add(message);
    this.sender.added();
  }
}

/** The campaign that an address names by its utm parameters. */
function campaign(search: string): { campaign?: Record<string, string> } {
  const named: Record<string, string> = {};
  new URLSearchParams(search).forEach((value, key) => {
    if (key.startsWith("utm_")) {
      named[key === "utm_campaign" ? "name" : key.slice(4)] = value;
    }
  });
  return Object.keys(named).length === 0 ? {} : { campaign: named };
}
