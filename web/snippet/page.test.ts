import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Browser, pass } from "./browser.fake";
import { sessionGap } from "./session";

let browser: Browser;
beforeEach(() => {
  browser = new Browser();
});
afterEach(() => {
  browser.close();
});

const paths = (): (string | undefined)[] =>
  browser.service.messages
    .filter((m) => m.type === "page")
    .map((m) => m.properties?.["path"] as string);

describe("page views", () => {
  it("are the load and each change of the route, once", async () => {
    document.title = "Home";
    browser.open();
    for (const path of ["/a", "/a", "/a#place", "/b?x=1", "/b?x=2", "/"]) {
      history.pushState(null, "", path);
      await pass(10);
    }
    history.replaceState(null, "", "/replaced");
    await pass(10);
    history.replaceState({ scroll: 10 }, "");
    await pass(10);
    history.pushState(null, "", "/replaced#/router/route");
    await pass(2000);
    expect(paths()).toEqual([
      "/",
      "/a",
      "/b",
      "/b",
      "/",
      "/replaced",
      "/replaced",
    ]);
    const views = browser.service.messages;
    expect(views[0]).toMatchObject({
      type: "page",
      properties: { title: "Home", search: "", referrer: "" },
      context: { page: { title: "Home", path: "/" } },
    });
    expect(views[3]?.properties?.["search"]).toBe("?x=2");
    expect(views[1]?.properties?.["referrer"]).toBe("http://localhost:3000/");
    expect(views[2]?.properties?.["referrer"]).toBe("http://localhost:3000/a");
  });

  it("come before what is done on the page", async () => {
    const muster = browser.open();
    history.pushState(null, "", "/a");
    muster.push(["do", "track", ["on a"]]);
    await pass(2000);
    expect(browser.service.said).toEqual(["page", "page", "on a"]);
    expect(browser.service.messages[2]?.context.page).toEqual(
      browser.service.messages[1]?.context.page,
    );
  });

  it("of a redirect are one, with the title it ends with", async () => {
    browser.open();
    history.pushState(null, "", "/old");
    history.replaceState(null, "", "/new");
    document.title = "New";
    await pass(2000);
    expect(paths()).toEqual(["/", "/new"]);
    expect(browser.service.messages[1]?.properties?.["title"]).toBe("New");
  });

  it("follow back and forward, and the return from the cache", async () => {
    browser.open();
    history.pushState(null, "", "/a");
    await pass(10);
    browser.address("/");
    dispatchEvent(new Event("popstate"));
    await pass(10);
    const shown = new Event("pageshow");
    dispatchEvent(shown);
    await pass(10);
    Object.defineProperty(shown, "persisted", { value: true });
    dispatchEvent(shown);
    await pass(2000);
    expect(paths()).toEqual(["/", "/a", "/", "/"]);
  });

  it("follow a router that uses the Navigation API", async () => {
    const navigation = new EventTarget();
    vi.stubGlobal("navigation", navigation);
    browser.open();
    browser.address("/a");
    navigation.dispatchEvent(new Event("currententrychange"));
    await pass(2000);
    expect(paths()).toEqual(["/", "/a"]);
  });

  it("name the campaign, and no more of an address than fits", async () => {
    history.replaceState(
      null,
      "",
      `/?utm_source=news&utm_campaign=may&x=${"y".repeat(5000)}`,
    );
    browser.open();
    await pass(2000);
    const context = browser.service.messages[0]?.context;
    expect(context?.campaign).toEqual({ source: "news", name: "may" });
    expect(context?.page.url).toHaveLength(2048);
  });
});

describe("sessions", () => {
  it("end when nothing happens for half an hour", async () => {
    const muster = browser.open();
    await pass(sessionGap);
    muster.push(["do", "track", ["still there"]]);
    await pass(sessionGap - 10);
    browser.leave();
    browser.open();
    await pass(sessionGap + 10);
    browser.leave();
    browser.open();
    await pass(2000);
    const sessions = browser.service.messages.map((m) => m.context.session);
    expect(sessions.map((s) => s.number)).toEqual([1, 1, 1, 2]);
    expect(new Set(sessions.map((s) => s.id)).size).toBe(2);
  });

  it("are one for what is told late, and end with a clock that ran ahead", async () => {
    const now = Date.now();
    const muster = browser.open({ manual: true }, ["do", "track", ["early"]]);
    await pass(sessionGap + 1000);
    muster.push(["do", "start"], ["do", "track", ["late"]]);
    await pass(2000);
    browser.leave();
    vi.setSystemTime(now + 366 * 86_400_000);
    browser.open();
    await pass(2000);
    browser.leave();
    vi.setSystemTime(now + 86_400_000);
    browser.open();
    await pass(2000);
    const sessions = browser.service.messages.map((m) => m.context.session);
    expect(sessions.map((s) => s.number)).toEqual([1, 1, 1, 2, 3]);
  });

  it("begin anew where somebody broke what was stored", async () => {
    const error = vi.spyOn(console, "error");
    localStorage.setItem("muster.wk.session", "{");
    localStorage.setItem("muster.wk.attributes", "[]");
    browser.open({}, ["set", "user:attributes", [{ plan: "pro" }]]);
    await pass(2000);
    expect(browser.service.messages[1]?.context.session.number).toBe(1);
    expect(error).not.toHaveBeenCalled();
  });
});
