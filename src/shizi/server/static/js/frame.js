// What every page of ours has around its own parts: the language, the key, dialogs that close.

import * as ask from "./ask.js";
import { at } from "./dom.js";
import { languageOfBrowser, setLanguage, spoken } from "./words.js";

// Comes last: the parts of the page are told of the language.
export function connectFrame() {
  for (const close of document.querySelectorAll("dialog [data-close]")) {
    close.addEventListener("click", () => close.closest("dialog").close());
  }
  at("forget-key").addEventListener("click", () => ask.forgetKey());
  at("language").addEventListener("click", () => setLanguage(spoken() === "zh" ? "en" : "zh"));
  ask.showKey();
  setLanguage(languageOfBrowser());
}
