import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Browser, pass } from "./browser.fake";
import { readConfig } from "./config";

let browser: Browser;
beforeEach(() => {
  browser = new Browser();
  vi.resetModules();
});
afterEach(() => {
  browser.close();
  document.head.replaceChildren();
  delete window.muster;
  delete window.musterConfig;
});

/** Puts the script's tag on the page, with the attributes given. */
function tag(attributes: Record<string, string>): HTMLScriptElement {
  const script = document.createElement("script");
  for (const [name, value] of Object.entries(attributes)) {
    script.setAttribute(name, value);
  }
  return script;
}

it("the tag says which project it is for, and where", () => {
  const script = tag({ "data-write-key": "wk" });
  Object.defineProperty(script, "src", {
    value: "https://muster.example/snippet.js",
  });
  expect(readConfig(script)).toEqual({
    writeKey: "wk",
    host: "https://muster.example",
    manual: false,
    identifiedOnly: false,
  });
  script.setAttribute("data-host", "https://proxy.example/m/");
  script.setAttribute("data-manual", "");
  script.setAttribute("data-identified-only", "true");
  expect(readConfig(script)).toEqual({
    writeKey: "wk",
    host: "https://proxy.example/m",
    manual: true,
    identifiedOnly: true,
  });
  script.setAttribute("data-manual", "false");
  expect(readConfig(script, { identifiedOnly: false })).toMatchObject({
    manual: false,
    identifiedOnly: false,
  });
  expect(readConfig(null, { writeKey: "wk" })).toBeNull();
});

it("the page's array becomes the snippet, once", async () => {
  window.musterConfig = { writeKey: "wk", host: "https://muster.example" };
  window.muster = [["do", "track", ["queued"]]];
  await import("./main");
  const muster = window.muster;
  window.muster.push(["do", "track", ["pushed"]]);
  vi.resetModules();
  await import("./main");
  expect(window.muster).toBe(muster);
  await pass(2000);
  expect(browser.service.said).toEqual(["page", "queued", "pushed"]);
});

it("a page made in advance is viewed when it is shown", async () => {
  window.musterConfig = { writeKey: "wk", host: "https://muster.example" };
  Object.defineProperty(document, "prerendering", {
    value: true,
    configurable: true,
  });
  await import("./main");
  await pass(5000);
  expect(browser.service.requests).toEqual([]);
  document.dispatchEvent(new Event("prerenderingchange"));
  await pass(2000);
  expect(browser.service.said).toEqual(["page"]);
  Reflect.deleteProperty(document, "prerendering");
});

it("without a key it says so and leaves the page alone", async () => {
  const error = vi.spyOn(console, "error").mockReturnValue();
  window.muster = [["do", "track", ["queued"]]];
  await import("./main");
  expect(window.muster).toEqual([["do", "track", ["queued"]]]);
  expect(error).toHaveBeenCalledOnce();
});
