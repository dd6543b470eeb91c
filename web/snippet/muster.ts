import { type Attributes, flatten, isRecord } from "./attributes";
import type { Config } from "./config";
import { newId } from "./id";
import { call, type Callback, Listeners } from "./listeners";
import { Outbox } from "./outbox";
import { pageNow, Routes } from "./page";
import { type Moment, Recorder } from "./recorder";
import { segmentsOf } from "./segments";
import { Sender } from "./sender";
import { Store } from "./store";
import { Visitor } from "./visitor";

/** What a page may push: `[verb, name, values]`, the verb being one of do, set, get, on and off. */
export type Command = unknown[];

/** The event that tells what a user did with an experience. */
const experienceEvent = "$experience";
const experienceParts = ["type", "interaction", "question", "answer"];

/** The snippet on one page: `window.muster`, where it was an array before. */
export class Muster {
  private readonly store: Store;
  private readonly visitor: Visitor;
  private readonly listeners = new Listeners();
  private readonly sender: Sender;
  private readonly recorder: Recorder;
  private readonly routes = new Routes(() => {
    this.viewed();
  });
  /** Commands given before the start, each with its moment; null from the start on. */
  private waiting: [Command, Moment][] | null = [];

  constructor(private readonly config: Config) {
    this.store = new Store(
      `muster.${config.writeKey}.`,
      !config.identifiedOnly,
    );
    this.visitor = new Visitor(this.store);
    const outbox = new Outbox(this.store, newId(), (messages) => {
      this.listeners.tell("dropped", messages, "outbox full");
    });
    this.sender = new Sender(
      config.host,
      config.writeKey,
      outbox,
      this.listeners,
    );
    this.recorder = new Recorder(
      config,
      this.store,
      this.visitor,
      outbox,
      this.sender,
      this.listeners,
    );
  }

  /** Does what a page asks for, in order. Nothing a page gives makes it throw. */
  push(...commands: unknown[]): void {
    for (const command of commands) {
      this.routes.settle();
      const at = this.moment();
      if (!Array.isArray(command)) {
        console.error("muster: a command is a list:", command);
      } else if (command[0] === "do" && command[1] === "start") {
        this.start();
      } else if (this.waiting !== null) {
        this.waiting.push([command, at]);
      } else {
        this.run(command, at);
      }
    }
  }

  /** Begins to watch and to send, once; then does what was asked for before. */
  start(): void {
    const waiting = this.waiting;
    if (waiting === null) {
      return;
    }
    this.waiting = null;
    addEventListener("pagehide", () => {
      this.routes.settle(); // before the sender hears that the page ends
    });
    this.sender.start();
    this.routes.start();
    for (const [command, at] of waiting) {
      this.run(command, at);
    }
    this.listeners.tell("ready");
  }

  private run(command: Command, at: Moment): void {
    try {
      const [verb, name, values] = command;
      // `["get", "user:id", callback]` and `["get", "user:id", [callback]]` are the same.
      const given: unknown[] = Array.isArray(values)
        ? values
        : command.slice(2);
      const done =
        verb === "do"
          ? this.do(name, given, at)
          : verb === "set"
            ? this.set(name, given, at)
            : verb === "get"
              ? this.get(name, given)
              : this.listen(verb, name, given);
      if (!done) {
        console.error("muster: not understood:", command);
      }
    } catch (error) {
      console.error("muster: a command failed:", command, error);
    }
  }

  private do(name: unknown, given: unknown[], at: Moment): boolean {
    switch (name) {
      case "identify":
        return this.identify(given, at);
      case "track":
        return this.track(given[0], given[1], at);
      case "experience":
        return this.experience(given[0], at);
      case "reset":
        this.visitor.forget();
        this.recorder.forget();
        this.listeners.tell("reset");
        return true;
    }
    return false;
  }

  private identify([id, callback, signature]: unknown[], at: Moment): boolean {
    const userId = typeof id === "number" ? String(id) : id;
    if (typeof userId !== "string" || userId === "") {
      return false;
    }
    this.visitor.identify(
      userId,
      typeof signature === "string" ? signature : null,
    );
    this.recorder.record({ type: "identify", traits: {} }, at);
    this.listeners.tell("identify", userId);
    if (typeof callback === "function") {
      call(callback as Callback, userId);
    }
    return true;
  }

  private track(event: unknown, properties: unknown, at: Moment): boolean {
    if (typeof event !== "string" || event === "") {
      return false;
    }
    this.recorder.record(
      {
        type: "track",
        event,
        properties: isRecord(properties) ? properties : {},
      },
      at,
    );
    return true;
  }

  private experience(given: unknown, at: Moment): boolean {
    if (!isRecord(given) || given["id"] === undefined) {
      return false;
    }
    const properties: Record<string, unknown> = { experience: given["id"] };
    for (const part of experienceParts) {
      properties[part] = given[part];
    }
    return this.track(experienceEvent, properties, at);
  }

  private set(name: unknown, values: unknown[], at: Moment): boolean {
    const [value, options] = values;
    switch (name) {
      case "user:email":
      case "user:name":
      case "core:language":
        if (value === undefined) {
          return false;
        }
        this.attributes({ [name.split(":")[1] ?? ""]: value }, at);
        return true;
      case "user:attributes": {
        if (!isRecord(value)) {
          return false;
        }
        this.attributes(
          flatten(value),
          at,
          isRecord(options) && options["removeUnspecified"] === true,
        );
        return true;
      }
    }
    return false;
  }

  /** Says attributes of the user, and perhaps that all the others are unset. */
  private attributes(traits: Attributes, at: Moment, only = false): void {
    this.visitor.remember(traits, only);
    this.recorder.record(
      {
        type: "identify",
        traits,
        ...(only ? { options: { removeUnspecified: true } } : {}),
      },
      at,
    );
  }

  private get(name: unknown, [callback]: unknown[]): boolean {
    if (typeof callback !== "function") {
      return false;
    }
    const answer = (value: unknown): void => {
      call(callback as Callback, value);
    };
    switch (name) {
      case "user:id":
        answer(this.visitor.userId());
        return true;
      case "user:attributes":
        answer(this.visitor.attributes());
        return true;
      case "user:segments":
        void segmentsOf(this.config, this.visitor).then(answer);
        return true;
    }
    return false;
  }

  private listen(
    verb: unknown,
    topic: unknown,
    [callback]: unknown[],
  ): boolean {
    if (typeof topic !== "string") {
      return false;
    }
    const listener =
      typeof callback === "function" ? (callback as Callback) : undefined;
    if (verb === "off") {
      this.listeners.off(topic, listener);
    } else if (verb === "on" && listener !== undefined) {
      this.listeners.on(topic, listener);
    } else {
      return false;
    }
    return true;
  }

  /** Records that the page there is now was viewed. */
  private viewed(): void {
    const at = this.moment();
    this.recorder.record({ type: "page", properties: at.page }, at);
  }

  private moment(): Moment {
    return { time: new Date(), page: pageNow(this.routes.referrer) };
  }
}
