import { Problem, type User } from "./api";

/** What a user is called: the name or the best of the ids. */
export function nameOf(user: User): string {
  const name = user.attributes["name"];
  if (typeof name === "string" && name !== "") {
    return name;
  }
  return user.user_id ?? user.anonymous_id ?? user.user;
}

/** An attribute's value in a table's cell. */
export function valueOf(value: unknown): string {
  if (value === undefined || value === null) {
    return "";
  }
  if (Array.isArray(value)) {
    return value.map(valueOf).join(", ");
  }
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** A time without its seconds, in UTC. */
export function timeOf(value: unknown): string {
  if (typeof value !== "string") {
    return "";
  }
  return value.slice(0, 16).replace("T", " ");
}

export function countOf(n: number): string {
  return n.toLocaleString("en-US");
}

export function shareOf(part: number, whole: number): string {
  return whole === 0 ? "" : `${((100 * part) / whole).toFixed(1)}%`;
}

/** What went wrong, one line a place. */
export function linesOf(error: unknown): string[] {
  if (error instanceof Problem) {
    const lines = error.places.map(
      (p) =>
        `${p.pointer}: ${p.detail}` +
        (p.suggestion !== undefined && p.suggestion !== ""
          ? ` (did you mean "${p.suggestion}"?)`
          : ""),
    );
    if (lines.length === 0) {
      lines.push(error.message);
    }
    return error.hint === "" ? lines : [...lines, error.hint];
  }
  return [error instanceof Error ? error.message : String(error)];
}
