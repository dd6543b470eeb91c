/** Attributes by their dotted names, as the service keeps them. */
export type Attributes = Record<string, unknown>;

/** Gives nested objects dotted names: `{company: {name}}` is `company.name`. */
export function flatten(nested: object, prefix = ""): Attributes {
  const flat: Attributes = {};
  for (const [name, value] of Object.entries(nested) as [string, unknown][]) {
    if (isRecord(value)) {
      Object.assign(flat, flatten(value, `${prefix}${name}.`));
    } else if (value !== undefined) {
      flat[prefix + name] = value;
    }
  }
  return flat;
}

/** A plain object; a Date is a value, and so is a list. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return Object.prototype.toString.call(value) === "[object Object]";
}

/** Native attributes have commands of their own, and are not unset with those a page left out. */
const native = new Set([
  "email",
  "name",
  "language",
  "created_at",
  "createdAt",
]);

/** Those that a message leaves as they are though it unsets what it does not name: as the service does. */
export function unremovable(all: Attributes): Attributes {
  return Object.fromEntries(
    Object.entries(all).filter(
      ([name]) => native.has(name) || name.startsWith("group."),
    ),
  );
}
