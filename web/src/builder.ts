import type { Api, Preview } from "./api";
import { button, element } from "./dom";
import { countOf, linesOf, nameOf, shareOf } from "./format";

const example = {
  all: [
    { attribute: "plan", op: "in", value: ["pro", "team"] },
    { event: "report_created", count: { op: "gte", value: 5 }, within: "30d" },
  ],
};

/** Calls the last of several calls that come quickly after each other. */
export function debounced(work: () => void, wait: number): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(work, wait);
  };
}

/** The form of a new segment: a definition with a preview that follows the typing. */
export function builderView(api: Api, saved: () => void): HTMLElement {
  const name = element("input", {
    id: "segment-name",
    type: "text",
    maxlength: "200",
    placeholder: "Paying users, active last 30d",
  });
  const text = element("textarea", {
    id: "segment-definition",
    rows: "14",
    spellcheck: "false",
  });
  text.value = JSON.stringify(example, null, 2);
  const result = element("div", { role: "status", class: "preview" });
  let asked = 0;

  const fail = (error: unknown): void => {
    result.replaceChildren(
      ...linesOf(error).map((line) => element("p", { class: "error" }, line)),
    );
  };
  const preview = async (): Promise<void> => {
    const mine = ++asked;
    try {
      const answer = await api.preview(JSON.parse(text.value));
      if (mine === asked) {
        result.replaceChildren(...previewed(answer));
      }
    } catch (error) {
      if (mine === asked) {
        fail(error);
      }
    }
  };
  const later = debounced(() => void preview(), 400);
  text.addEventListener("input", later);
  const save = async (): Promise<void> => {
    try {
      const segment = await api.create(name.value, JSON.parse(text.value));
      await api.materialize(segment.id);
      saved();
    } catch (error) {
      fail(error);
    }
  };
  void preview();
  return element(
    "section",
    { class: "builder" },
    element(
      "div",
      {},
      element("label", { for: "segment-name" }, "Name"),
      name,
      element("label", { for: "segment-definition" }, "Definition"),
      text,
      element(
        "p",
        { class: "row" },
        button("Save segment", () => void save()),
      ),
    ),
    result,
  );
}

function previewed(p: Preview): Node[] {
  return [
    element(
      "p",
      { class: "figure" },
      countOf(p.count),
      element(
        "span",
        { class: "quiet" },
        ` of ${countOf(p.of)} users, ${shareOf(p.count, p.of)}`,
      ),
    ),
    element("p", {}, p.sentence),
    ...p.warnings.map((w) =>
      element(
        "p",
        { class: "warning" },
        w.detail +
          (w.suggestion === undefined || w.suggestion === ""
            ? ""
            : ` – did you mean “${w.suggestion}”?`),
      ),
    ),
    element("ul", {}, ...p.sample.map((u) => element("li", {}, nameOf(u)))),
    element(
      "p",
      { class: "quiet" },
      `${String(p.elapsed_ms)} ms, ${countOf(p.rows_read)} rows read`,
    ),
  ];
}
