import type { Api, UsersPage } from "./api";
import { button, element, table } from "./dom";
import { firstRunView } from "./first-run";
import { countOf, linesOf, nameOf, timeOf, valueOf } from "./format";

const pageLength = 25;

/** The users tab: everyone, or the users a segment's definition holds for. */
export function usersView(
  api: Api,
  segment?: { id: string; name: string },
): HTMLElement {
  const view = element("section");
  const cursors: (string | undefined)[] = [undefined];

  const show = async (): Promise<void> => {
    const cursor = cursors.at(-1);
    view.replaceChildren(element("p", { class: "quiet" }, "Loading users…"));
    try {
      const page = await api.users({
        limit: pageLength,
        ...(cursor === undefined ? {} : { cursor }),
        ...(segment === undefined
          ? {}
          : { definition: { segment: segment.id } }),
      });
      view.replaceChildren(...content(page));
    } catch (error) {
      view.replaceChildren(
        ...linesOf(error).map((line) => element("p", { class: "error" }, line)),
      );
    }
  };

  const content = (page: UsersPage): Node[] => {
    if (page.total === 0) {
      return [
        segment === undefined
          ? firstRunView(api, location.origin, () => void show())
          : element("p", { class: "quiet" }, "Nobody is in it now."),
      ];
    }
    const back = button("Previous", () => {
      cursors.pop();
      void show();
    });
    back.disabled = cursors.length === 1;
    const next = button("Next", () => {
      cursors.push(page.next ?? undefined);
      void show();
    });
    next.disabled = page.next === null;
    return [
      element(
        "p",
        {},
        `${countOf(page.total)} ${page.total === 1 ? "user" : "users"}`,
        segment === undefined ? "" : ` in ${segment.name}`,
      ),
      table(
        [
          "Name",
          "User id",
          "Email",
          "Plan",
          "First seen",
          "Last seen",
          "Sessions",
        ],
        page.users.map((u) => [
          nameOf(u),
          u.user_id ?? "anonymous",
          valueOf(u.attributes["email"]),
          valueOf(u.attributes["plan"]),
          timeOf(u.attributes["first_seen"]),
          timeOf(u.attributes["last_seen"]),
          valueOf(u.attributes["sessions"]),
        ]),
        ["Sessions"],
      ),
      element("p", { class: "row" }, back, next),
    ];
  };

  void show();
  return view;
}
