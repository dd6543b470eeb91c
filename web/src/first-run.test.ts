import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Api } from "./api";
import { firstRunView, installSnippet } from "./first-run";
import { usersView } from "./users";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  document.body.replaceChildren();
});

/** An API that answers by path; what it is asked for is kept. */
function fake(answers: Record<string, () => unknown>): {
  api: Api;
  asked: string[];
} {
  const asked: string[] = [];
  const fetcher = (path: string): Promise<Response> => {
    asked.push(path);
    return Promise.resolve(Response.json(answers[path]?.() ?? {}));
  };
  return { api: new Api("sk", fetcher as typeof fetch), asked };
}

const project = (): unknown => ({
  name: "default",
  time_zone: "UTC",
  write_keys: ["wk_1"],
});
const nobody = (): unknown => ({ users: [], total: 0, next: null });

it("an empty project shows the snippet with its key and address", async () => {
  const { api } = fake({
    "/api/v1/project": project,
    "/api/v1/users/query": nobody,
  });
  const view = usersView(api);
  document.body.append(view);
  await vi.advanceTimersByTimeAsync(0);
  expect(view.querySelector("pre")?.textContent).toBe(
    installSnippet(location.origin, "wk_1"),
  );
  expect(view.textContent).toContain(`curl -u wk_1: ${location.origin}/v1/`);
  expect(view.querySelector(".warning")).toBeNull();
  expect(view.querySelector("script")).toBeNull();
});

it("the snippet can be copied", async () => {
  const write = vi
    .spyOn(navigator.clipboard, "writeText")
    .mockResolvedValue(undefined);
  const { api } = fake({ "/api/v1/project": project });
  const view = firstRunView(api, "https://muster.example", vi.fn());
  await vi.advanceTimersByTimeAsync(0);
  const copy = view.querySelector("button");
  copy?.click();
  await vi.advanceTimersByTimeAsync(0);
  expect(write).toHaveBeenCalledWith(
    installSnippet("https://muster.example", "wk_1"),
  );
  expect(copy?.textContent).toBe("Copied");
});

it("a key this server does not know is asked for", async () => {
  const { api } = fake({
    "/api/v1/project": () => ({ write_keys: [] }),
  });
  const view = firstRunView(api, "https://muster.example", vi.fn());
  await vi.advanceTimersByTimeAsync(0);
  expect(view.querySelector(".warning")).not.toBeNull();
  expect(view.querySelector("pre")?.textContent).toContain(
    'data-write-key="WRITE_KEY"',
  );
});

it("makes room for the first user, and asks no longer than it is seen", async () => {
  let total = 0;
  const { api, asked } = fake({
    "/api/v1/project": project,
    "/api/v1/users/query": () => ({ users: [], total, next: null }),
  });
  const arrived = vi.fn();
  const view = firstRunView(api, "https://muster.example", arrived);
  document.body.append(view);
  await vi.advanceTimersByTimeAsync(5000);
  expect(arrived).not.toHaveBeenCalled();
  total = 1;
  await vi.advanceTimersByTimeAsync(5000);
  expect(arrived).toHaveBeenCalledOnce();

  const other = firstRunView(api, "https://muster.example", arrived);
  document.body.append(other);
  await vi.advanceTimersByTimeAsync(0);
  other.remove();
  const before = asked.length;
  await vi.advanceTimersByTimeAsync(60_000);
  expect(asked).toHaveLength(before);
});
