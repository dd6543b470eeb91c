import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Browser, pass } from "./browser.fake";
import { outboxLimits } from "./outbox";

let browser: Browser;
beforeEach(() => {
  browser = new Browser();
});
afterEach(() => {
  browser.close();
});

const track = (name: string): unknown[] => ["do", "track", [name]];

/** What waits in the storage to be sent. */
function waiting(): number {
  return Object.keys(localStorage).filter((key) =>
    key.startsWith("muster.wk.m."),
  ).length;
}

describe("a batch", () => {
  it("is what comes within two seconds", async () => {
    const sent = vi.fn();
    const muster = browser.open({}, ["on", "sent", sent], track("a"));
    await pass(1900);
    muster.push(track("b"));
    expect(browser.service.requests).toEqual([]);
    await pass(100);
    expect(browser.service.said).toEqual(["page", "a", "b"]);
    expect(browser.service.bodies[0]?.sentAt).toBe("2026-05-01T12:00:02.000Z");
    expect(sent.mock.calls).toEqual([[3]]);
    expect(waiting()).toBe(0);

    const { url, init } = browser.service.requests[0] ?? {};
    expect(url).toBe("https://muster.example/v1/b");
    expect(init).toMatchObject({
      headers: { "Content-Type": "text/plain" },
      credentials: "omit",
      keepalive: false,
    });
    await pass(60_000);
    expect(browser.service.requests).toHaveLength(1);
  });

  it("is sent at once when there are twenty", async () => {
    browser.open().push(...Array.from({ length: 20 }, () => track("a")));
    await pass(0);
    expect(browser.service.messages).toHaveLength(21);
  });

  it("is no larger than the door takes", async () => {
    const muster = browser.open();
    const text = "é".repeat(15_000);
    for (let i = 0; i < 30; i++) {
      muster.push(["do", "track", ["large", { text }]]);
    }
    await pass(2000);
    const { bodies, messages, requests } = browser.service;
    expect(bodies).toHaveLength(3);
    expect(messages).toHaveLength(31);
    for (const { init } of requests) {
      expect(new Blob([init.body as string]).size).toBeLessThan(500 << 10);
    }
  });

  it("says which messages the service did not take", async () => {
    vi.spyOn(console, "warn").mockReturnValue();
    const rejected = vi.fn();
    const refusal = { index: 1, code: "event_reserved", detail: "…" };
    browser.service.answers.push(
      Response.json({ accepted: 1, rejected: [refusal] }),
    );
    browser.open({}, ["on", "rejected", rejected], track("$mine"));
    await pass(2000);
    expect(rejected.mock.calls).toEqual([[[refusal]]]);
    expect(waiting()).toBe(0);
  });
});

describe("what fails", () => {
  it("is sent again, as it was, after longer and longer pauses", async () => {
    browser.service.answers.push(
      new Error("no network"),
      new Response("", { status: 500 }),
      new Response("", { status: 429 }),
      new Response("", { status: 408 }),
    );
    browser.open({}, track("a"));
    const times: number[] = [];
    const start = Date.now();
    while (times.length < 5) {
      await pass(100);
      if (browser.service.requests.length > times.length) {
        times.push(Math.floor((Date.now() - start) / 1000));
      }
    }
    expect(times).toEqual([2, 3, 5, 9, 17]);
    const { bodies } = browser.service;
    expect(new Set(bodies.map((b) => JSON.stringify(b.batch))).size).toBe(1);
    expect(new Set(bodies.map((b) => b.sentAt)).size).toBe(5);
    expect(waiting()).toBe(0);
  });

  it("waits as long as the service asks", async () => {
    browser.service.answers.push(
      new Response("", { status: 503, headers: { "Retry-After": "40" } }),
      new Response("", {
        status: 429,
        headers: { "Retry-After": "Fri, 01 May 2026 12:02:00 GMT" },
      }),
    );
    const muster = browser.open();
    await pass(2000);
    muster.push(...Array.from({ length: 30 }, () => track("a")));
    dispatchEvent(new Event("online"));
    dispatchEvent(new Event("pagehide"));
    await pass(39_000);
    expect(browser.service.requests).toHaveLength(1);
    await pass(1000);
    expect(browser.service.requests).toHaveLength(2);
    await pass(77_000);
    expect(browser.service.requests).toHaveLength(2);
    await pass(1000);
    expect(browser.service.requests).toHaveLength(3);
    expect(waiting()).toBe(0);
  });

  it.each([400, 401, 404, 413])("with %i is not sent again", async (status) => {
    vi.spyOn(console, "error").mockReturnValue();
    const dropped = vi.fn();
    browser.service.answers.push(new Response("", { status }));
    const muster = browser.open({}, ["on", "dropped", dropped]);
    await pass(600_000);
    expect(browser.service.requests).toHaveLength(1);
    expect(dropped.mock.calls).toEqual([[1, status]]);
    expect(waiting()).toBe(0);
    muster.push(track("next"));
    await pass(2000);
    expect(browser.service.said).toEqual(["page", "next"]);
  });

  it("is given up after half a minute without an answer, and sent again", async () => {
    browser.open();
    browser.service.answers.push(new Promise(() => undefined));
    await pass(2000);
    const { signal } = browser.service.requests[0]?.init ?? {};
    expect(signal?.aborted).toBe(false);
    await pass(30_000);
    expect(signal?.aborted).toBe(true);
  });

  it("is sent as soon as the browser is online again", async () => {
    browser.service.answers.push(
      ...Array.from({ length: 9 }, () => new Error("no network")),
    );
    browser.open();
    await pass(400_000);
    const before = browser.service.requests.length;
    browser.service.answers.length = 0;
    dispatchEvent(new Event("online"));
    await pass(0);
    expect(browser.service.requests).toHaveLength(before + 1);
    expect(waiting()).toBe(0);
  });
});

describe("while the service is away", () => {
  const away = (): void => {
    browser.service.answers.push(
      ...Array.from({ length: 50 }, () => new Error("no network")),
    );
  };

  it("what is done lasts from page to page", async () => {
    away();
    browser.open({}, track("first page"));
    await pass(2000);
    browser.leave();
    browser.service.answers.length = browser.service.requests.length = 0;
    await pass(3_600_000);
    browser.open({}, track("second page"));
    await pass(2000);
    expect(browser.service.said).toEqual([
      "page",
      "first page",
      "page",
      "second page",
    ]);
  });

  it("what was done under a clock that ran ahead is not left behind", async () => {
    away();
    browser.open();
    await pass(2000);
    browser.leave();
    browser.service.answers.length = browser.service.requests.length = 0;
    vi.setSystemTime(Date.now() - 86_400_000);
    browser.open();
    await pass(2000);
    expect(browser.service.said).toEqual(["page", "page"]);
  });

  it("the newest thousand messages are kept", async () => {
    away();
    const dropped = vi.fn();
    const muster = browser.open({}, ["on", "dropped", dropped]);
    for (let i = 1; i < outboxLimits.messages; i++) {
      muster.push(track(String(i)));
    }
    expect(dropped).not.toHaveBeenCalled();
    muster.push(track("1000"), track("1001"));
    expect(dropped.mock.calls).toEqual([
      [1, "outbox full"],
      [1, "outbox full"],
    ]);
    expect(waiting()).toBe(outboxLimits.messages);
    await pass(60_000);
    browser.service.answers.length = browser.service.requests.length = 0;
    dispatchEvent(new Event("online"));
    await pass(100);
    const { said } = browser.service;
    expect([said.length, said[0], said.at(-1)]).toEqual([1000, "2", "1001"]);
  });

  it("the newest million characters are kept", () => {
    away();
    const dropped = vi.fn();
    const muster = browser.open({}, ["on", "dropped", dropped]);
    for (let i = 0; i < 40; i++) {
      muster.push(["do", "track", ["large", { text: "x".repeat(30_000) }]]);
    }
    const characters = Object.values(localStorage).join("").length;
    expect(characters).toBeGreaterThan(outboxLimits.characters - 32_000);
    expect(characters).toBeLessThan(outboxLimits.characters + 1000); // and the visitor's own entries
    expect(dropped).toHaveBeenCalled();
  });
});

describe("a browser that stores nothing", () => {
  const refuse = (): never => {
    throw new Error("refused");
  };
  const full = { getItem: () => null, setItem: refuse, removeItem: vi.fn() };
  it.each([
    ["is full", full],
    ["is forbidden", new Proxy({}, { get: refuse, ownKeys: refuse })],
  ])("because its storage %s, sends all the same", async (_, storage) => {
    vi.stubGlobal("localStorage", storage);
    const muster = browser.open({}, ["do", "identify", ["ann"]]);
    await pass(2000);
    muster.push(track("a"));
    await pass(60_000);
    const { said, messages } = browser.service;
    expect(said).toEqual(["page", "identify", "a"]);
    expect(messages.at(-1)?.userId).toBe("ann");
    expect(new Set(messages.map((m) => m.anonymousId)).size).toBe(1);
    expect(new Set(messages.map((m) => m.context.session.id)).size).toBe(1);
  });
});

describe("two tabs", () => {
  it("send each its own, once, and are one visitor in one session", async () => {
    const first = browser.open();
    const second = browser.open();
    first.push(track("first"));
    second.push(track("second"), ["do", "identify", ["ann"]]);
    first.push(track("known here, too"));
    await pass(2000);
    const { bodies, messages, said } = browser.service;
    expect(bodies).toHaveLength(2);
    expect(said.sort()).toEqual(
      ["first", "identify", "known here, too", "page", "page", "second"].sort(),
    );
    expect(new Set(messages.map((m) => m.anonymousId)).size).toBe(1);
    expect(new Set(messages.map((m) => m.context.session.id)).size).toBe(1);
    expect(messages.find((m) => m.event === "known here, too")?.userId).toBe(
      "ann",
    );
    await pass(600_000);
    expect(messages).toHaveLength(6);
  });

  it("take over what a tab that ended left behind, once it is old", async () => {
    browser.service.answers.push(new Error("no network"));
    browser.open({}, track("left"));
    await pass(2000);
    browser.leave();
    browser.service.requests.length = 0;
    browser.open();
    await pass(2000);
    expect(browser.service.said).toEqual(["page"]);
    await pass(30_000);
    expect(browser.service.said).toEqual(["page", "page", "left"]);
    expect(waiting()).toBe(0);
  });
});

describe("a page that ends", () => {
  const keepalive = (): (boolean | undefined)[] =>
    browser.service.requests.map(({ init }) => init.keepalive);

  it("sends what waits in a request that outlives it", async () => {
    browser.open({}, track("a"));
    history.pushState(null, "", "/next");
    dispatchEvent(new Event("pagehide"));
    expect(browser.service.said).toEqual(["page", "a", "page"]);
    expect(keepalive()).toEqual([true]);
    await pass(60_000);
    expect(browser.service.requests).toHaveLength(1);
    expect(waiting()).toBe(0);
  });

  it("sends again what was being sent, for that request ends with it", async () => {
    browser.service.answers.push(new Promise(() => undefined));
    browser.open({}, track("a"));
    await pass(2000);
    dispatchEvent(new Event("pagehide"));
    const [first, second] = browser.service.bodies;
    expect(second?.batch).toEqual(first?.batch);
    expect(keepalive()).toEqual([false, true]);
  });

  it("keeps what has no room in such a request", async () => {
    const muster = browser.open();
    for (let i = 0; i < 4; i++) {
      muster.push(["do", "track", ["large", { text: "é".repeat(10_000) }]]);
    }
    dispatchEvent(new Event("pagehide"));
    expect(browser.service.said).toEqual(["page", "large", "large"]);
    const body = browser.service.requests[0]?.init.body as string;
    expect(new Blob([body]).size).toBeLessThan(64 << 10);
    await pass(0);
    expect(waiting()).toBe(2);
  });

  it("that is only hidden sends what waits, and nothing twice", async () => {
    const muster = browser.open();
    browser.service.answers.push(new Promise(() => undefined));
    await pass(2000);
    muster.push(track("a"));
    vi.spyOn(document, "visibilityState", "get").mockReturnValue("hidden");
    document.dispatchEvent(new Event("visibilitychange"));
    document.dispatchEvent(new Event("visibilitychange"));
    await pass(0);
    expect(browser.service.said).toEqual(["page", "a"]);
    expect(keepalive()).toEqual([false, true]);
    expect(waiting()).toBe(1);
  });

  it("whose last request failed leaves it to the next page", async () => {
    browser.open();
    browser.service.answers.push(new Error("no network"));
    dispatchEvent(new Event("pagehide"));
    browser.leave();
    await pass(20_000);
    browser.open();
    await pass(2000);
    expect(browser.service.said).toEqual(["page", "page", "page"]);
    expect(new Set(browser.service.messages.map((m) => m.messageId)).size).toBe(
      2,
    );
    expect(waiting()).toBe(0);
  });
});
