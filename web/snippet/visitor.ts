import { type Attributes, unremovable } from "./attributes";
import { newId } from "./id";
import type { Store } from "./store";

/**
 * Who is at the browser, as all its tabs know: everything is read when asked, so a tab sees at once who another
 * tab identified.
 */
export class Visitor {
  constructor(private readonly store: Store) {}

  /** The id a visitor has by itself, made when it is first asked for. */
  anonymousId(): string {
    let id = this.store.get("anonymous_id");
    if (id === null) {
      id = newId();
      this.store.set("anonymous_id", id);
    }
    return id;
  }

  userId(): string | null {
    return this.store.get("user_id");
  }

  /** What proves the user id to a project that demands a proof, or null. */
  signature(): string | null {
    return this.store.get("signature");
  }

  /** Says who it is. Another user at the same browser is another visitor. */
  identify(userId: string, signature: string | null): void {
    const before = this.userId();
    if (before !== null && before !== userId) {
      this.forget();
    }
    this.store.set("user_id", userId);
    if (signature !== null) {
      this.store.set("signature", signature);
    }
  }

  /** The attributes this browser has sent, with their last values. */
  attributes(): Attributes {
    return this.store.object("attributes");
  }

  /** Remembers attributes, and perhaps that the others are unset. */
  remember(attributes: Attributes, only: boolean): void {
    const before = this.attributes();
    const all = { ...(only ? unremovable(before) : before), ...attributes };
    for (const [name, value] of Object.entries(all)) {
      if (value === null) {
        Reflect.deleteProperty(all, name);
      }
    }
    this.store.set("attributes", JSON.stringify(all));
  }

  /** Makes the visitor a new one, with a session of its own. */
  forget(): void {
    for (const name of [
      "user_id",
      "signature",
      "attributes",
      "anonymous_id",
      "session",
    ]) {
      this.store.remove(name);
    }
  }
}
