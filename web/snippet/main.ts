// Our snippet, as `GET /snippet.js` serves it:
//
//   <script>window.muster = window.muster || [];</script>
//   <script async src="https://HOST/snippet.js" data-write-key="KEY"></script>
//
// What a page pushed to the array before is done in order; from then on `push` does it at once.
import { type Config, readConfig } from "./config";
import { Muster } from "./muster";

declare global {
  interface Window {
    muster?: unknown[] | Muster;
    musterConfig?: Partial<Config>;
  }
}

function load(): void {
  const queue = window.muster ?? [];
  if (!Array.isArray(queue)) {
    return; // the page has the snippet twice
  }
  const current = document.currentScript;
  const config = readConfig(
    current instanceof HTMLScriptElement
      ? current
      : document.querySelector<HTMLScriptElement>("script[data-write-key]"),
    window.musterConfig,
  );
  if (config === null) {
    console.error("muster: the script's tag needs a data-write-key");
    return;
  }
  const muster = new Muster(config);
  window.muster = muster;
  muster.push(...queue);
  if (config.manual) {
    return;
  }
  // A page the browser makes in advance is nobody's visit yet.
  if ("prerendering" in document && document.prerendering === true) {
    document.addEventListener(
      "prerenderingchange",
      () => {
        muster.start();
      },
      { once: true },
    );
  } else {
    muster.start();
  }
}

load();
