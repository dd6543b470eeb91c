import type { Config } from "./config";
import type { Visitor } from "./visitor";

/** A segment that is visible to the browser. */
export interface Segment {
  id: string;
  name: string;
}

/** Asks which live segments the visitor is in; null when the service does not say. */
export async function segmentsOf(
  config: Config,
  visitor: Visitor,
): Promise<Segment[] | null> {
  const userId = visitor.userId();
  const signature = visitor.signature();
  const query = new URLSearchParams(
    userId === null
      ? { anonymous_id: visitor.anonymousId() }
      : { user_id: userId },
  );
  if (signature !== null) {
    query.set("signature", signature);
  }
  // A key in a header would cost a question in advance, a CORS preflight.
  query.set("writeKey", config.writeKey);
  try {
    const response = await fetch(
      `${config.host}/v1/me/segments?${query.toString()}`,
      { credentials: "omit" },
    );
    if (!response.ok) {
      return null;
    }
    const answer = (await response.json()) as { segments?: Segment[] };
    return answer.segments ?? null;
  } catch {
    return null;
  }
}
