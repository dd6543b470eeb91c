import { Api, Problem, type Segment } from "./api";
import { builderView } from "./builder";
import { button, element } from "./dom";
import { linesOf } from "./format";
import { forgetKey, keepKey, takeKey } from "./key";
import { segmentsView } from "./segments";
import "./style.css";
import { usersView } from "./users";

const app = document.getElementById("app") ?? document.body;

function signIn(message: string): void {
  const key = element("input", {
    id: "key",
    type: "password",
    autocomplete: "off",
  });
  const form = element(
    "form",
    { class: "sign-in" },
    element("h1", {}, "Muster"),
    element("p", {}, message),
    element("label", { for: "key" }, "Secret key"),
    key,
    element("button", { type: "submit" }, "Sign in"),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    keepKey(sessionStorage, key.value.trim());
    void open(key.value.trim());
  });
  app.replaceChildren(form);
}

type Tab =
  { name: "users"; segment?: Segment } | { name: "segments" } | { name: "new" };

async function open(key: string): Promise<void> {
  const api = new Api(key);
  try {
    dashboard(api, await api.segments(), { name: "users" });
  } catch (error) {
    if (error instanceof Problem && error.status === 401) {
      forgetKey(sessionStorage);
      signIn(
        `${error.message}. The first start wrote the secret key to keys.json in the data directory.`,
      );
      return;
    }
    app.replaceChildren(
      ...linesOf(error).map((line) => element("p", { class: "error" }, line)),
    );
  }
}

function dashboard(api: Api, segments: Segment[], tab: Tab): void {
  const go = (next: Tab): void => {
    api.segments().then(
      (list) => {
        dashboard(api, list, next);
      },
      (error: unknown) => {
        app.replaceChildren(
          ...linesOf(error).map((line) =>
            element("p", { class: "error" }, line),
          ),
        );
      },
    );
  };
  const tabButton = (label: string, to: Tab): HTMLButtonElement => {
    const made = button(label, () => {
      go(to);
    });
    if (tab.name === to.name) {
      made.setAttribute("aria-current", "page");
    }
    return made;
  };
  const view = (): HTMLElement => {
    switch (tab.name) {
      case "users":
        return usersView(api, tab.segment);
      case "segments":
        return segmentsView(
          api,
          segments,
          () => {
            go({ name: "segments" });
          },
          (segment) => {
            go({ name: "users", segment });
          },
        );
      case "new":
        return builderView(api, () => {
          go({ name: "segments" });
        });
    }
  };
  app.replaceChildren(
    element(
      "header",
      {},
      element("h1", {}, "Muster"),
      element(
        "nav",
        {},
        tabButton("Users", { name: "users" }),
        tabButton(`Segments ${String(segments.length)}`, { name: "segments" }),
        tabButton("New segment", { name: "new" }),
      ),
    ),
    element("main", {}, view()),
  );
}

const key = takeKey(location, history, sessionStorage);
if (key === "") {
  signIn(
    "Sign in with the project's secret key: it is in keys.json in the data directory.",
  );
} else {
  void open(key);
}
