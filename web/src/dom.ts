type Child = Node | string;

/** Makes an element; text is never read as markup. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Record<string, string> = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

export function button(label: string, press: () => void): HTMLButtonElement {
  const made = element("button", { type: "button" }, label);
  made.addEventListener("click", press);
  return made;
}

/** A table with a header row; numeric columns are named in numbers. */
export function table(
  headers: string[],
  rows: Child[][],
  numbers: string[] = [],
): HTMLElement {
  const cell = (header: string | undefined): Record<string, string> =>
    header !== undefined && numbers.includes(header) ? { class: "number" } : {};
  return element(
    "div",
    { class: "scroll" },
    element(
      "table",
      {},
      element(
        "thead",
        {},
        element(
          "tr",
          {},
          ...headers.map((h) => element("th", { scope: "col", ...cell(h) }, h)),
        ),
      ),
      element(
        "tbody",
        {},
        ...rows.map((row) =>
          element(
            "tr",
            {},
            ...row.map((child, i) => element("td", cell(headers[i]), child)),
          ),
        ),
      ),
    ),
  );
}
