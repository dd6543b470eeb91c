import { describe, expect, it, vi } from "vitest";
import { Api, Problem } from "./api";
import { builderView, debounced } from "./builder";
import { linesOf, nameOf, shareOf, valueOf } from "./format";
import { takeKey } from "./key";
import { finished } from "./segments";

function answering(status: number, body: unknown): typeof fetch {
  return vi.fn(() =>
    Promise.resolve(new Response(JSON.stringify(body), { status })),
  );
}

describe("the key", () => {
  it("is taken out of the address and kept for the session", () => {
    const storage = new Map<string, string>();
    const kept = {
      getItem: (k: string) => storage.get(k) ?? null,
      setItem: (k: string, v: string) => void storage.set(k, v),
    } as unknown as Storage;
    const replaceState = vi.fn();
    const at = (hash: string): Location =>
      ({ hash, pathname: "/", search: "" }) as Location;
    const history = { replaceState } as unknown as History;
    expect(takeKey(at("#key=sk_1"), history, kept)).toBe("sk_1");
    expect(replaceState).toHaveBeenCalledWith(null, "", "/");
    expect(takeKey(at(""), history, kept)).toBe("sk_1");
  });
});

describe("the api", () => {
  it("sends the key and the body", async () => {
    const fetcher = answering(200, { users: [], total: 0, next: null });
    await new Api("sk_1", fetcher).users({ limit: 5 });
    expect(fetcher).toHaveBeenCalledWith("/api/v1/users/query", {
      method: "POST",
      headers: {
        Authorization: "Bearer sk_1",
        "Content-Type": "application/json",
      },
      body: '{"limit":5}',
    });
  });

  it("says where a definition is wrong and what is near", async () => {
    const api = new Api(
      "sk_1",
      answering(400, {
        code: "invalid_definition",
        detail: "the definition is refused",
        errors: [
          {
            pointer: "/definition/op",
            detail: '"equal" is no operator',
            suggestion: "equals",
          },
        ],
      }),
    );
    const error = await api.preview({}).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(Problem);
    expect(linesOf(error)).toEqual([
      '/definition/op: "equal" is no operator (did you mean "equals"?)',
    ]);
  });

  it("survives an answer that is no problem document", async () => {
    const fetcher: typeof fetch = () =>
      Promise.resolve(new Response("<html>", { status: 502 }));
    const error = await new Api("k", fetcher)
      .segments()
      .catch((e: unknown) => e);
    expect(linesOf(error)).toEqual(["The service answers 502."]);
  });
});

describe("an export", () => {
  it("is waited for", async () => {
    const states = ["running", "done"];
    const fetcher: typeof fetch = () =>
      Promise.resolve(
        Response.json({ id: "e", status: states.shift(), files: [] }),
      );
    const done = await finished(
      new Api("k", fetcher),
      { id: "e", status: "queued", files: [] },
      1,
    );
    expect(done.status).toBe("done");
  });

  it("that failed says why", async () => {
    await expect(
      finished(new Api("k"), {
        id: "e",
        status: "failed",
        files: [],
        error: "disk full",
      }),
    ).rejects.toThrow("disk full");
  });
});

describe("the builder", () => {
  it("previews the example and shows names as text", async () => {
    const fetcher = answering(200, {
      count: 2,
      of: 8,
      sentence: "plan is pro",
      warnings: [],
      elapsed_ms: 3,
      rows_read: 10,
      sample: [
        {
          user: "1",
          user_id: "u1",
          anonymous_id: null,
          attributes: { name: "<b>Ann</b>" },
        },
      ],
    });
    const view = builderView(new Api("k", fetcher), () => undefined);
    await vi.waitFor(() => {
      expect(view.textContent).toContain("2 of 8 users, 25.0%");
    });
    expect(view.querySelector("li")?.textContent).toBe("<b>Ann</b>");
    expect(view.querySelector("b")).toBeNull();
  });

  it("waits for the typing to end", () => {
    vi.useFakeTimers();
    const work = vi.fn();
    const later = debounced(work, 100);
    later();
    vi.advanceTimersByTime(60);
    later();
    vi.advanceTimersByTime(60);
    expect(work).not.toHaveBeenCalled();
    vi.advanceTimersByTime(60);
    expect(work).toHaveBeenCalledOnce();
    vi.useRealTimers();
  });
});

describe("formats", () => {
  it("names a user by what is known", () => {
    expect(
      nameOf({ user: "a", user_id: null, anonymous_id: "x", attributes: {} }),
    ).toBe("x");
    expect(
      nameOf({
        user: "a",
        user_id: "u",
        anonymous_id: "x",
        attributes: { name: "" },
      }),
    ).toBe("u");
  });

  it("shows values of every kind", () => {
    expect(["a", 1.5, true, ["a", "b"], null].map(valueOf)).toEqual([
      "a",
      "1.5",
      "true",
      "a, b",
      "",
    ]);
    expect(shareOf(1, 0)).toBe("");
  });
});
