// Puts text on the clipboard, also where the page was served without encryption.

import { make } from "./dom.js";
import { announce } from "./notice.js";

export async function copy(text, told) {
  announce((await written(text)) ? told : "notCopied");
}

async function written(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return writtenBySelection(text);
  }
}

// Outside https and localhost the clipboard is closed to scripts, but not to a selection.
function writtenBySelection(text) {
  const field = make("textarea", { class: "offstage", readonly: true });
  field.value = text;
  const before = document.activeElement;
  document.body.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  before?.focus?.();
  return done;
}
