/** How a page sets the snippet up. */
export interface Config {
  /** The project's write key. */
  writeKey: string;
  /** Where Muster answers, without a slash at its end. */
  host: string;
  /** Nothing is kept or sent before `["do", "start"]`. */
  manual: boolean;
  /** Nothing is kept or sent before the visitor is identified. */
  identifiedOnly: boolean;
}

/**
 * Reads the configuration from the attributes of the script's tag and, over these, from `window.musterConfig`, for
 * pages whose tag manager keeps no attributes. Without a write key there is none.
 */
export function readConfig(
  tag: HTMLScriptElement | null,
  given: Partial<Config> = {},
): Config | null {
  const data = tag?.dataset ?? {};
  const on = (value: string | undefined): boolean =>
    value !== undefined && value !== "false";
  const writeKey = given.writeKey ?? data["writeKey"] ?? "";
  const host =
    given.host ?? data["host"] ?? (tag?.src ? new URL(tag.src).origin : "");
  if (writeKey === "" || host === "") {
    return null;
  }
  return {
    writeKey,
    host: host.replace(/\/+$/, ""),
    manual: given.manual ?? on(data["manual"]),
    identifiedOnly: given.identifiedOnly ?? on(data["identifiedOnly"]),
  };
}
