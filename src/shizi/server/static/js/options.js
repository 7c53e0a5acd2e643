// The panel of options. They live in its fields and nowhere else: a reload forgets them.

import { at } from "./dom.js";

// Form fields of POST /ocr as the service names them, without those that are left as they are.
export function fields(isDocument, ownPassword) {
  const password = isDocument ? ownPassword || at("password").value : "";
  const chosen = {
    effort: at("effort").value,
    decoder: at("decoder").value,
    words: at("expected").value.trim(),
    password,
  };
  return Object.fromEntries(Object.entries(chosen).filter(([, value]) => value));
}
