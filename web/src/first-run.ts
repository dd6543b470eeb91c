import type { Api, Project } from "./api";
import { button, element } from "./dom";
import { linesOf } from "./format";

/** How often an empty project is asked whether somebody came, in milliseconds. */
const patience = 2000;

/** What a person sees before the first message came: how to send one, with the project's own key and address. */
export function firstRunView(
  api: Api,
  host: string,
  arrived: () => void,
): HTMLElement {
  const view = element("section", { class: "first-run" });
  const show = async (): Promise<void> => {
    try {
      view.replaceChildren(...steps(await api.project(), host));
    } catch (error) {
      view.replaceChildren(
        ...linesOf(error).map((line) => element("p", { class: "error" }, line)),
      );
    }
  };
  const seen = (): boolean => view.isConnected; // not when the person went to another tab
  const look = async (): Promise<void> => {
    if (!seen()) {
      return;
    }
    const somebody = await api.users({ limit: 1 }).then(
      (page) => page.total > 0,
      () => false, // the next look may be luckier
    );
    if (somebody && seen()) {
      arrived();
    } else {
      setTimeout(() => void look(), patience);
    }
  };
  void show();
  setTimeout(() => void look(), patience);
  return view;
}

/** The markup that installs the snippet. */
export function installSnippet(host: string, writeKey: string): string {
  return `<script>window.muster = window.muster || [];</script>
<script async src="${host}/snippet.js"
  data-write-key="${writeKey}"></script>`;
}

function steps(project: Project, host: string): Node[] {
  const [known] = project.write_keys;
  const writeKey = known ?? "WRITE_KEY";
  return [
    element(
      "header",
      {},
      element("h2", {}, "Nobody is here yet"),
      element(
        "p",
        { class: "quiet" },
        "Users appear as soon as something is sent. Choose a way; each works beside the others.",
      ),
      ...(known === undefined
        ? [
            element(
              "p",
              { class: "warning" },
              "This server does not know the project's write key in plain text. Put it where WRITE_KEY stands; it is in keys.json of the data directory the project was made in.",
            ),
          ]
        : []),
    ),
    step(
      "From a web page",
      "Paste this into every page, before the end of its head. Visitors, their sessions and the pages they view are counted from then on.",
      installSnippet(host, writeKey),
    ),
    step(
      "Say who it is",
      "Anywhere on the page, once somebody is logged in. It works before the script has loaded, too.",
      `muster.push(["do", "identify", ["user-123"]]);
muster.push(["set", "user:email", ["ann@example.com"]]);
muster.push(["set", "user:attributes", [{ plan: "pro", seats: 5 }]]);
muster.push(["do", "track", ["report_created", { rows: 20 }]]);`,
    ),
    step(
      "From a server",
      "Any client of the Segment tracking API works when its host is this server. Or by hand:",
      `curl -u ${writeKey}: ${host}/v1/identify \\
  -H 'Content-Type: application/json' \\
  -d '{"userId":"user-123","traits":{"plan":"pro"}}'`,
      `import { Analytics } from "@segment/analytics-node";

const analytics = new Analytics({
  host: "${host}",
  writeKey: "${writeKey}",
});
analytics.track({ userId: "user-123", event: "report_created" });`,
    ),
    element(
      "p",
      { class: "quiet waiting", role: "status" },
      "Waiting for the first user…",
    ),
  ];
}

function step(title: string, text: string, ...codes: string[]): HTMLElement {
  return element(
    "article",
    {},
    element("h3", {}, title),
    element("p", {}, text),
    ...codes.map(copyable),
  );
}

/** A text with a button that copies it. */
function copyable(code: string): HTMLElement {
  const text = element("pre", { tabindex: "0" }, code);
  const copy = button("Copy", () => {
    navigator.clipboard.writeText(code).then(
      () => {
        copy.textContent = "Copied";
        setTimeout(() => (copy.textContent = "Copy"), 1500);
      },
      () => {
        getSelection()?.selectAllChildren(text); // not allowed here; the person copies it
      },
    );
  });
  return element("div", { class: "code" }, text, copy);
}
