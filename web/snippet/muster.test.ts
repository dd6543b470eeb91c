import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Browser, pass } from "./browser.fake";

let browser: Browser;
beforeEach(() => {
  browser = new Browser();
});
afterEach(() => {
  browser.close();
});

describe("the queue", () => {
  it("is replayed in order, after the page itself", async () => {
    browser.open(
      {},
      ["do", "track", ["before", { n: 1 }]],
      ["do", "identify", ["ann"]],
      ["do", "track", ["after"]],
    );
    await pass(2000);
    const { messages, said, bodies } = browser.service;
    expect(said).toEqual(["page", "before", "identify", "after"]);
    expect(messages.map((m) => m.userId)).toEqual([
      undefined,
      undefined,
      "ann",
      "ann",
    ]);
    expect(new Set(messages.map((m) => m.anonymousId)).size).toBe(1);
    expect(new Set(messages.map((m) => m.messageId)).size).toBe(4);
    expect(messages[1]?.properties).toEqual({ n: 1 });
    expect(bodies).toHaveLength(1);
    expect(bodies[0]?.writeKey).toBe("wk");
  });

  it("does what a callback of identify asks for", async () => {
    const muster = browser.open();
    muster.push([
      "do",
      "identify",
      [
        "ann",
        (id: unknown) => {
          muster.push(["do", "track", [`inside ${String(id)}`]]);
        },
      ],
    ]);
    await pass(2000);
    expect(browser.service.said).toEqual(["page", "identify", "inside ann"]);
    expect(browser.service.messages[2]?.userId).toBe("ann");
  });

  it("goes on after what it does not understand", async () => {
    const error = vi.spyOn(console, "error").mockReturnValue();
    const round: Record<string, unknown> = {};
    round["round"] = round;
    const wrong = [
      "track",
      ["do", "dance"],
      ["do", "identify", [""]],
      ["do", "track", []],
      ["do", "track", ["round", round]],
      ["do", "experience", [{ type: "tour" }]],
      ["set", "user:email", []],
      ["set", "user:attributes", ["plan"]],
      ["get", "user:id"],
      ["on", "ready"],
      [],
    ];
    browser.open({}, ...wrong, ["do", "track", ["fine"]]);
    await pass(2000);
    expect(browser.service.said).toEqual(["page", "fine"]);
    expect(error).toHaveBeenCalledTimes(wrong.length);
  });
});

describe("identify", () => {
  it("carries the signature, and so do the attributes that follow", async () => {
    browser.open(
      {},
      ["do", "identify", ["ann", null, "5e1f"]],
      ["do", "track", ["x"]],
    );
    await pass(2000);
    browser.leave();
    browser.open({}, ["set", "user:name", ["Ann"]]);
    await pass(2000);
    expect(browser.service.messages.map((m) => [m.type, m.signature])).toEqual([
      ["page", undefined],
      ["identify", "5e1f"],
      ["track", undefined],
      ["page", undefined],
      ["identify", "5e1f"],
    ]);
  });

  it("takes a number as an id, and remembers it on the next page", async () => {
    browser.open({}, ["do", "identify", [7]]);
    await pass(2000);
    browser.leave();
    browser.open();
    await pass(2000);
    expect(browser.service.messages.at(-1)?.userId).toBe("7");
  });

  it("of another user begins another visitor", async () => {
    browser.open(
      {},
      ["do", "identify", ["ann", null, "5e1f"]],
      ["set", "user:attributes", [{ plan: "pro" }]],
      ["do", "identify", ["bob"]],
      ["do", "identify", ["bob"]],
    );
    await pass(2000);
    const [page, ann, , bob, again] = browser.service.messages;
    expect(page?.anonymousId).toBe(ann?.anonymousId);
    expect(bob?.anonymousId).not.toBe(ann?.anonymousId);
    expect(bob?.signature).toBeUndefined();
    expect(again?.anonymousId).toBe(bob?.anonymousId);
  });
});

describe("attributes", () => {
  it("become traits under their names", async () => {
    browser.open(
      {},
      ["set", "user:email", ["ann@example.com"]],
      ["set", "user:name", ["Ann"]],
      ["set", "core:language", ["fr"]],
      ["set", "user:attributes", [{ plan: "pro", company: { size: 3 } }]],
    );
    await pass(2000);
    expect(browser.service.messages.slice(1).map((m) => m.traits)).toEqual([
      { email: "ann@example.com" },
      { name: "Ann" },
      { language: "fr" },
      { plan: "pro", "company.size": 3 },
    ]);
  });

  it("that are left out are unset when the page says so", async () => {
    browser.open(
      {},
      ["set", "user:name", ["Ann"]],
      ["set", "user:attributes", [{ plan: "pro", seats: 3, company: "A" }]],
    );
    await pass(2000);
    expect(browser.service.messages.at(-1)?.options).toBeUndefined();
    browser.leave();
    const muster = browser.open();
    muster.push([
      "set",
      "user:attributes",
      [{ plan: "free", company: { name: "A" } }, { removeUnspecified: true }],
    ]);
    const known = vi.fn();
    muster.push(["get", "user:attributes", known]);
    await pass(2000);
    const said = browser.service.messages.at(-1);
    expect(said?.traits).toEqual({ plan: "free", "company.name": "A" });
    expect(said?.options).toEqual({ removeUnspecified: true });
    expect(known).toHaveBeenCalledWith({
      name: "Ann",
      plan: "free",
      "company.name": "A",
    });
  });
});

describe("an experience", () => {
  it("is an event with its parts", async () => {
    browser.open({}, [
      "do",
      "experience",
      [{ id: "nps", type: "survey", interaction: "answered", answer: 9 }],
    ]);
    await pass(2000);
    expect(browser.service.messages[1]).toMatchObject({
      type: "track",
      event: "$experience",
      properties: {
        experience: "nps",
        type: "survey",
        interaction: "answered",
        answer: 9,
      },
    });
  });
});

describe("reset", () => {
  it("begins another visitor and another session", async () => {
    const reset = vi.fn();
    const muster = browser.open(
      {},
      ["on", "reset", reset],
      ["do", "identify", ["ann"]],
      ["do", "reset"],
      ["do", "track", ["x"]],
    );
    const id = vi.fn();
    muster.push(["get", "user:id", [id]]);
    await pass(2000);
    const [, identify, track] = browser.service.messages;
    expect(track?.userId).toBeUndefined();
    expect(track?.anonymousId).not.toBe(identify?.anonymousId);
    expect(track?.context.session.id).not.toBe(identify?.context.session.id);
    expect(id).toHaveBeenCalledWith(null);
    expect(reset).toHaveBeenCalledOnce();
  });
});

describe("a manual start", () => {
  it("keeps and sends nothing before, and does all of it then", async () => {
    const ready = vi.fn();
    const muster = browser.open({ manual: true }, ["do", "track", ["early"]]);
    muster.push(["do", "identify", ["ann"]], ["on", "ready", ready]);
    history.pushState(null, "", "/consent");
    dispatchEvent(new Event("pagehide"));
    await pass(60_000);
    expect(browser.service.requests).toEqual([]);
    expect(localStorage).toHaveLength(0);
    expect(ready).not.toHaveBeenCalled();

    muster.push(["do", "start"], ["do", "start"], ["do", "track", ["late"]]);
    await pass(2000);
    expect(browser.service.said).toEqual(["page", "early", "identify", "late"]);
    expect(browser.service.messages[1]?.timestamp).toBe(
      "2026-05-01T12:00:00.000Z",
    );
    expect(browser.service.messages[1]?.context.page.path).toBe("/");
    expect(browser.service.messages[3]?.timestamp).toBe(
      "2026-05-01T12:01:00.000Z",
    );
    expect(ready).toHaveBeenCalledOnce();
  });
});

describe("identified only", () => {
  it("keeps and sends nothing of somebody unknown", async () => {
    const muster = browser.open({ identifiedOnly: true });
    muster.push(["do", "track", ["x"]], ["set", "user:name", ["Ann"]]);
    dispatchEvent(new Event("pagehide"));
    await pass(60_000);
    expect(browser.service.requests).toEqual([]);
    expect(localStorage).toHaveLength(0);
  });

  it("sends what the user did before, once identified", async () => {
    const muster = browser.open({ identifiedOnly: true });
    muster.push(["do", "track", ["x"]]);
    await pass(5000);
    muster.push(["do", "identify", ["ann"]]);
    await pass(2000);
    const { said, messages } = browser.service;
    expect(said).toEqual(["page", "x", "identify"]);
    expect(messages.map((m) => m.userId)).toEqual(["ann", "ann", "ann"]);
    expect(messages[1]?.timestamp).toBe("2026-05-01T12:00:00.000Z");
    const { session } = messages[2]?.context ?? {};
    expect(session).toEqual(messages[0]?.context.session);
  });

  it("knows a user of an earlier page, or of another tab", async () => {
    const muster = browser.open({ identifiedOnly: true });
    browser.open({ identifiedOnly: true }, ["do", "identify", ["ann"]]);
    muster.push(["do", "track", ["x"]]);
    const stored = Object.keys(localStorage).filter((k) => k.includes(".m."));
    expect(stored).toHaveLength(4);
    await pass(2000);
    browser.leave();
    browser.open({ identifiedOnly: true });
    await pass(2000);
    expect(browser.service.messages.map((m) => m.userId)).toEqual(
      Array.from({ length: 5 }, () => "ann"),
    );
  });

  it("knows nobody after a reset, and gives nothing to who comes next", async () => {
    const muster = browser.open({ identifiedOnly: true });
    muster.push(["do", "identify", ["ann"]]);
    await pass(2000);
    muster.push(["do", "reset"], ["do", "track", ["of nobody"]]);
    await pass(2000);
    expect(localStorage).toHaveLength(0);
    muster.push(["do", "reset"], ["do", "identify", ["bob"]]);
    await pass(2000);
    expect(browser.service.said).toEqual(["page", "identify", "identify"]);
  });

  it("holds no more than a thousand", async () => {
    const dropped = vi.fn();
    const muster = browser.open({ identifiedOnly: true }, [
      "on",
      "dropped",
      dropped,
    ]);
    for (let i = 0; i < 1000; i++) {
      muster.push(["do", "track", [`t${String(i)}`]]);
    }
    muster.push(["do", "identify", ["ann"]]);
    await pass(2000);
    expect(dropped).toHaveBeenCalledTimes(2); // the page for the last of them, and then one for the identify
    expect(browser.service.said[0]).toBe("t1");
    expect(browser.service.said.at(-1)).toBe("identify");
  });
});

describe("segments", () => {
  it("are asked for with the visitor's id", async () => {
    const muster = browser.open();
    browser.service.answers.push(
      Response.json({ segments: [{ id: "s1", name: "Pro" }], as_of: "x" }),
      new Response("", { status: 503 }),
      new Error("no network"),
    );
    const answers = vi.fn();
    muster.push(["get", "user:segments", answers]);
    await pass(0);
    muster.push(
      ["do", "identify", ["ann", null, "5e1f"]],
      ["get", "user:segments", [answers]],
    );
    await pass(0);
    muster.push(["get", "user:segments", answers]);
    await pass(0);
    expect(answers.mock.calls).toEqual([
      [[{ id: "s1", name: "Pro" }]],
      [null],
      [null],
    ]);
    const [first, second] = browser.service.requests;
    expect(first?.url).toMatch(
      /^https:\/\/muster\.example\/v1\/me\/segments\?anonymous_id=[0-9a-f]{32}&writeKey=wk$/,
    );
    expect(second?.url).toBe(
      "https://muster.example/v1/me/segments?user_id=ann&signature=5e1f&writeKey=wk",
    );
    expect(first?.init.headers).toBeUndefined();
  });
});

describe("listeners", () => {
  it("hear until they are taken off, and harm nobody", async () => {
    const error = vi.spyOn(console, "error").mockReturnValue();
    const [first, second, late] = [vi.fn(), vi.fn(), vi.fn()];
    const failing = (): void => {
      throw new Error("mine");
    };
    const muster = browser.open(
      {},
      ["on", "identify", failing],
      ["on", "identify", first],
      ["on", "identify", second],
      ["do", "identify", ["ann"]],
      ["off", "identify", first],
      ["do", "identify", ["ann"]],
      ["off", "identify"],
      ["do", "identify", ["ann"]],
    );
    muster.push(["on", "ready", late]);
    await pass(2000);
    expect(first.mock.calls).toEqual([["ann"]]);
    expect(second).toHaveBeenCalledTimes(2);
    expect(late).toHaveBeenCalledOnce();
    expect(error).toHaveBeenCalledTimes(2);
    expect(browser.service.said).toHaveLength(4);
  });
});

it("a message the door would refuse for its size is not kept", async () => {
  vi.spyOn(console, "error").mockReturnValue();
  const dropped = vi.fn();
  browser.open(
    {},
    ["on", "dropped", dropped],
    ["do", "track", ["large", { text: "é".repeat(20_000) }]],
    ["do", "track", ["small"]],
  );
  await pass(2000);
  expect(browser.service.said).toEqual(["page", "small"]);
  expect(dropped).toHaveBeenCalledWith(1, "too large");
});
