// The API as the dashboard uses it. Every call carries the project's secret key.

export interface Project {
  name: string;
  time_zone: string;
  write_keys: string[];
}

export interface User {
  user: string;
  user_id: string | null;
  anonymous_id: string | null;
  attributes: Record<string, unknown>;
}

export interface UsersPage {
  users: User[];
  total: number;
  next: string | null;
}

export interface Run {
  size: number;
  entered: number;
  exited: number;
  finished_at: string;
}

export interface Segment {
  id: string;
  name: string;
  sentence: string;
  live: boolean;
  last_run: Run | null;
}

export interface Warning {
  code: string;
  detail: string;
  suggestion?: string;
}

export interface Preview {
  count: number;
  of: number;
  sample: User[];
  sentence: string;
  warnings: Warning[];
  elapsed_ms: number;
  rows_read: number;
}

export interface Place {
  pointer: string;
  detail: string;
  suggestion?: string;
}

export interface Export {
  id: string;
  status: "queued" | "running" | "done" | "failed";
  files: { name: string; bytes: number }[];
  manifest?: string;
  error?: string;
}

interface ProblemDocument {
  code?: string;
  detail?: string;
  hint?: string;
  errors?: Place[];
}

/** A problem document (RFC 9457), as the service answers what it refuses. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    detail: string,
    readonly places: Place[],
    readonly hint: string,
  ) {
    super(detail);
  }
}

/** Reads a problem from an answer, whatever its body is. */
async function problemOf(response: Response): Promise<Problem> {
  let document: ProblemDocument = {};
  try {
    document = (await response.json()) as ProblemDocument;
  } catch {
    // A proxy in between may answer with a page; the status says enough.
  }
  return new Problem(
    response.status,
    document.code ?? "unknown",
    document.detail ?? `The service answers ${String(response.status)}.`,
    document.errors ?? [],
    document.hint ?? "",
  );
}

export class Api {
  constructor(
    private readonly key: string,
    private readonly fetcher: typeof fetch = (...args) => fetch(...args),
  ) {}

  project(): Promise<Project> {
    return this.json("GET", "/project");
  }

  users(body: {
    cursor?: string;
    definition?: unknown;
    limit: number;
  }): Promise<UsersPage> {
    return this.json("POST", "/users/query", body);
  }

  async segments(): Promise<Segment[]> {
    const list = await this.json<{ segments: Segment[] }>("GET", "/segments");
    return list.segments;
  }

  create(name: string, definition: unknown): Promise<Segment> {
    return this.json("POST", "/segments", { name, definition, live: true });
  }

  async delete(id: string): Promise<void> {
    await this.send("DELETE", `/segments/${id}`);
  }

  materialize(id: string): Promise<Run> {
    return this.json("POST", `/segments/${id}/materialize`);
  }

  preview(definition: unknown): Promise<Preview> {
    return this.json("POST", "/segments/preview", { definition, sample: 5 });
  }

  export(segment: string, attributes: string[]): Promise<Export> {
    return this.json("POST", "/exports", {
      dataset: "members",
      segment,
      attributes,
      format: "parquet",
    });
  }

  exported(id: string): Promise<Export> {
    return this.json("GET", `/exports/${id}`);
  }

  async file(id: string, name: string): Promise<Blob> {
    const response = await this.send("GET", `/exports/${id}/files/${name}`);
    return response.blob();
  }

  private async json<T>(
    method: string,
    path: string,
    body?: unknown,
  ): Promise<T> {
    const response = await this.send(method, path, body);
    return (await response.json()) as T;
  }

  private async send(
    method: string,
    path: string,
    body?: unknown,
  ): Promise<Response> {
    const headers: Record<string, string> = {
      Authorization: `Bearer ${this.key}`,
    };
    const init: RequestInit = { method, headers };
    if (body !== undefined) {
      headers["Content-Type"] = "application/json";
      init.body = JSON.stringify(body);
    }
    const response = await this.fetcher(`/api/v1${path}`, init);
    if (!response.ok) {
      throw await problemOf(response);
    }
    return response;
  }
}
