import type { Store } from "./store";

/** How much waits at most while the service cannot be reached; past it the oldest messages are dropped. */
export const outboxLimits = { messages: 1000, characters: 1_000_000 };

/** When another tab takes a message over: its own tab has had the time to send it, and is gone or as stuck as this one. */
const orphanAge = 10_000;

/**
 * The messages the service has not acknowledged. Each is an entry of its own in the store, so that tabs that write at once
 * lose nothing; should two send the same one, its message id makes the second harmless.
 */
export class Outbox {
  private count = 0;
  /** How much this tab can add before it must look what all tabs together have. */
  private room = { messages: 0, characters: 0 };

  constructor(
    private readonly store: Store,
    private readonly tab: string,
    private readonly dropped: (messages: number) => void,
  ) {}

  add(message: string): void {
    // Times have eight digits in base 36 until 2059, so names sort by time.
    const turn = (this.count++ % 46_656).toString(36).padStart(3, "0");
    const name = `m.${Date.now().toString(36)}.${turn}.${this.tab}`;
    this.store.set(name, message);
    this.room.messages--;
    this.room.characters -= message.length;
    if (this.room.messages < 0 || this.room.characters < 0) {
      this.limit();
    }
  }

  /** The names of the messages this tab is to send, the oldest first. */
  due(): string[] {
    const before = Date.now() - orphanAge;
    return this.store.names("m.").filter(
      (name) =>
        name.endsWith("." + this.tab) ||
        parseInt(name.slice(2), 36) < before ||
        parseInt(name.slice(2), 36) > Date.now() + orphanAge, // the clock was set back
    );
  }

  /** A message, or null when another tab has sent it meanwhile. */
  read(name: string): string | null {
    return this.store.get(name);
  }

  remove(names: string[]): void {
    for (const name of names) {
      this.store.remove(name);
    }
  }

  /** Drops the oldest messages that are too many. */
  private limit(): void {
    this.room = { ...outboxLimits };
    const over: string[] = [];
    for (const name of this.store.names("m.").reverse()) {
      this.room.messages--;
      this.room.characters -= this.store.get(name)?.length ?? 0;
      if (this.room.messages < 0 || this.room.characters < 0) {
        over.push(name);
      }
    }
    if (over.length > 0) {
      this.remove(over);
      this.dropped(over.length);
    }
  }
}
