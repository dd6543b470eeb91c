import { isRecord } from "./attributes";

/**
 * What the snippet remembers for one project: in localStorage, which all tabs of a site share, and in memory where
 * the browser refuses or the visitor is not to be remembered yet.
 */
export class Store {
  private readonly memory = new Map<string, string>();

  constructor(
    private readonly prefix: string,
    private lasting: boolean,
  ) {}

  get(name: string): string | null {
    return (
      this.memory.get(name) ??
      onDisk((disk) => disk.getItem(this.prefix + name)) ??
      null
    );
  }

  /** An object that was set; empty where there is none, or somebody broke it. */
  object(name: string): Record<string, unknown> {
    try {
      const kept: unknown = JSON.parse(this.get(name) ?? "");
      return isRecord(kept) ? kept : {};
    } catch {
      return {};
    }
  }

  set(name: string, value: string): void {
    const written =
      this.lasting &&
      onDisk((disk) => {
        disk.setItem(this.prefix + name, value);
        return true;
      });
    if (written === true) {
      this.memory.delete(name);
    } else {
      this.memory.set(name, value);
    }
  }

  remove(name: string): void {
    this.memory.delete(name);
    onDisk((disk) => {
      disk.removeItem(this.prefix + name);
    });
  }

  /** The names that begin so, sorted. */
  names(start: string): string[] {
    const names = new Set(this.memory.keys());
    onDisk((disk) => {
      for (const key of Object.keys(disk)) {
        if (key.startsWith(this.prefix)) {
          names.add(key.slice(this.prefix.length));
        }
      }
    });
    return [...names].filter((name) => name.startsWith(start)).sort();
  }

  /** From now on everything lasts, and so does what memory has; or nothing more does. */
  keep(lasting: boolean): void {
    this.lasting = lasting;
    if (lasting) {
      for (const [name, value] of this.memory) {
        this.set(name, value);
      }
    }
  }
}

/** Uses localStorage; undefined where the browser forbids it or it is full. */
function onDisk<T>(use: (disk: Storage) => T): T | undefined {
  try {
    return use(localStorage);
  } catch {
    return undefined;
  }
}
