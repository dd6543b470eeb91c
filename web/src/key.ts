// The secret key comes in the fragment of the address, which no server sees, and stays for the browser's session.

const slot = "muster.key";

/** Takes the key out of the address, or returns the one that was given before. */
export function takeKey(
  location: Location,
  history: History,
  storage: Storage,
): string {
  const given = new URLSearchParams(location.hash.slice(1)).get("key");
  if (given !== null && given !== "") {
    storage.setItem(slot, given);
    history.replaceState(null, "", location.pathname + location.search);
  }
  return storage.getItem(slot) ?? "";
}

export function keepKey(storage: Storage, key: string): void {
  storage.setItem(slot, key);
}

export function forgetKey(storage: Storage): void {
  storage.removeItem(slot);
}
