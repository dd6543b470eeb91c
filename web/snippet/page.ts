/** Longer texts of an address are cut: a message has an end, too. */
const maxText = 2048;

/** Where something was done. */
export interface Page {
  path: string;
  url: string;
  referrer: string;
  search: string;
  title: string;
}

export function pageNow(referrer: string): Page {
  const cut = (text: string): string => text.slice(0, maxText);
  return {
    path: cut(location.pathname),
    url: cut(location.href),
    referrer: cut(referrer),
    search: cut(location.search),
    title: cut(document.title),
  };
}

/** The parts of an address that make it another page; "#!" and "#/" begin the routes of some routers, other hashes are places in a page. */
function route(): string {
  return (
    location.pathname +
    location.search +
    (/^#[!/]/.test(location.hash) ? location.hash : "")
  );
}

/** Watches which page of a site the visitor is on, also where a script changes it without a load. */
export class Routes {
  /** The page before this one. */
  referrer = document.referrer;
  private route = "";
  private url = "";
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly viewed: () => void) {}

  /** Reports the page there is, and from now on every other one. */
  start(): void {
    this.route = route();
    this.url = location.href;
    const later = (): void => {
      // A redirect changes the route twice at once, and the title follows the route.
      this.timer ??= setTimeout(() => {
        this.settle();
      });
    };
    for (const name of ["pushState", "replaceState"] as const) {
      const original = history[name].bind(history);
      history[name] = (...given) => {
        original(...given);
        later();
      };
    }
    // The Navigation API changes routes without the history.
    if ("navigation" in window) {
      window.navigation.addEventListener("currententrychange", later);
    }
    addEventListener("popstate", later);
    addEventListener("hashchange", later);
    addEventListener("pageshow", (event) => {
      if (event.persisted) {
        this.viewed(); // back from the cache, where nothing loads
      }
    });
    this.viewed();
  }

  /** Reports a change of the route that is not reported yet. */
  settle(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (this.route === "" || this.route === route()) {
      return;
    }
    this.route = route();
    this.referrer = this.url;
    this.url = location.href;
    this.viewed();
  }
}
