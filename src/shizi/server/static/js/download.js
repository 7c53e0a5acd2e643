// Hands a text to the browser as a file to keep.

import { make } from "./dom.js";

// Some browsers read the address after the click; long enough for any of them.
const KEPT_MS = 60_000;

export function download(name, text, type) {
  const url = URL.createObjectURL(new Blob([text], { type: `${type};charset=utf-8` }));
  const link = make("a", { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), KEPT_MS);
}
