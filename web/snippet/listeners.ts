export type Callback = (...values: unknown[]) => void;

/** What a page can listen for. */
export type Topic =
  | "ready" // the snippet has started; a late listener is told at once
  | "identify" // userId
  | "reset"
  | "sent" // how many messages the service has
  | "rejected" // the service's list of what it did not take: [{index, code, detail}]
  | "dropped"; // how many messages are lost, and why

/** Calls what a page gave us; its errors are its own. */
export function call(callback: Callback, ...values: unknown[]): void {
  try {
    callback(...values);
  } catch (error) {
    console.error("muster: a callback failed:", error);
  }
}

/** The page's listeners. */
export class Listeners {
  private readonly all = new Map<string, Set<Callback>>();
  private ready = false;

  on(topic: string, callback: Callback): void {
    const those = this.all.get(topic) ?? new Set();
    this.all.set(topic, those.add(callback));
    if (topic === "ready" && this.ready) {
      call(callback);
    }
  }

  /** Forgets a listener, or all of a topic. */
  off(topic: string, callback?: Callback): void {
    if (callback === undefined) {
      this.all.delete(topic);
    } else {
      this.all.get(topic)?.delete(callback);
    }
  }

  tell(topic: Topic, ...values: unknown[]): void {
    this.ready ||= topic === "ready";
    for (const callback of [...(this.all.get(topic) ?? [])]) {
      call(callback, ...values);
    }
  }
}
