// The line at the foot of the page that says what just happened, to eyes and screen readers.

import { at } from "./dom.js";
import { onLanguage, say } from "./words.js";

const SHOWN_MS = 5000;

let last = null;
let fading = 0;

// Says a word of the page, with its values; it stays when the language changes.
export function announce(key, ...values) {
  last = [key, ...values];
  show();
  clearTimeout(fading);
  at("status").classList.add("shown");
  fading = setTimeout(() => at("status").classList.remove("shown"), SHOWN_MS);
}

function show() {
  at("status").textContent = last ? say(...last) : "";
}

onLanguage(show);
