import type { Api, Export, Segment } from "./api";
import { button, element, table } from "./dom";
import { countOf, linesOf, timeOf } from "./format";

/** The segments tab: every segment with its newest run. */
export function segmentsView(
  api: Api,
  list: Segment[],
  changed: () => void,
  open: (s: Segment) => void,
): HTMLElement {
  const said = element("div", { role: "status" });
  const act = (work: () => Promise<void>) => () => {
    said.replaceChildren();
    work().catch((error: unknown) => {
      said.replaceChildren(
        ...linesOf(error).map((line) => element("p", { class: "error" }, line)),
      );
    });
  };
  const say = (...nodes: (Node | string)[]): void => {
    said.replaceChildren(element("p", {}, ...nodes));
  };
  if (list.length === 0) {
    return element(
      "section",
      {},
      element(
        "p",
        { class: "quiet" },
        "No segment is saved yet. Make the first one with “New segment”.",
      ),
    );
  }
  return element(
    "section",
    {},
    said,
    table(
      ["Segment", "Members", "Entered", "Exited", "Computed (UTC)", ""],
      list.map((s) => [
        element(
          "div",
          {},
          element("strong", {}, s.name),
          element("div", { class: "quiet" }, s.sentence),
        ),
        s.last_run === null ? "–" : countOf(s.last_run.size),
        s.last_run === null ? "" : countOf(s.last_run.entered),
        s.last_run === null ? "" : countOf(s.last_run.exited),
        timeOf(s.last_run?.finished_at),
        element(
          "div",
          { class: "row" },
          button("Users", () => {
            open(s);
          }),
          button(
            "Materialize",
            act(async () => {
              await api.materialize(s.id);
              changed();
            }),
          ),
          button(
            "Export",
            act(async () => {
              say("Exporting…");
              await download(
                api,
                await finished(api, await api.export(s.id, ["email", "plan"])),
                say,
              );
            }),
          ),
          button(
            "Delete",
            act(async () => {
              if (confirm(`Delete the segment “${s.name}”?`)) {
                await api.delete(s.id);
                changed();
              }
            }),
          ),
        ),
      ]),
      ["Members", "Entered", "Exited"],
    ),
  );
}

/** Waits for an export to be done or to fail. */
export async function finished(
  api: Api,
  asked: Export,
  pause = 300,
): Promise<Export> {
  let now = asked;
  while (now.status === "queued" || now.status === "running") {
    await new Promise((wake) => setTimeout(wake, pause));
    now = await api.exported(now.id);
  }
  if (now.status === "failed") {
    throw new Error(now.error ?? "The export failed.");
  }
  return now;
}

/** Fetches the files of an export and offers them as links. */
async function download(
  api: Api,
  done: Export,
  say: (...nodes: (Node | string)[]) => void,
): Promise<void> {
  const links: (Node | string)[] = ["Exported: "];
  const names = done.files.map((f) => f.name);
  for (const name of done.manifest === undefined
    ? names
    : [...names, done.manifest]) {
    const url = URL.createObjectURL(await api.file(done.id, name));
    links.push(element("a", { href: url, download: name }, name), " ");
  }
  say(...links);
}
