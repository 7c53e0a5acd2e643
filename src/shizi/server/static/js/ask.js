// Asks a person for what the service asks for: the password of a PDF, an API key.

import { at, make } from "./dom.js";
import { onLanguage, say } from "./words.js";

const STORE = "shizi.key";

// The same on every page, so that no page needs to hold it.
const title = make("h2", { id: "ask-title" });
const text = make("p", { id: "ask-text" });
const value = make("input", { id: "ask-value", type: "password", autocomplete: "off", required: true });
const dialog = make("dialog", { id: "ask", "aria-labelledby": "ask-title" },
  make("form", { method: "dialog" }, title, text, value,
    make("div", { class: "ends" },
      make("button", { type: "button", "data-close": true, "data-text": "cancel" }),
      make("button", { type: "submit", value: "ok", class: "main", "data-text": "confirm" }))));
document.body.append(dialog);

// One dialog at a time; who comes while one is open waits.
let turn = Promise.resolve();

export const currentKey = () => sessionStorage.getItem(STORE) ?? "";

export function forgetKey() {
  sessionStorage.removeItem(STORE);
  showKey();
}

// Gives the password, or null where the person gave up.
export function password(name, wasWrong, signal) {
  return inTurn(async () => {
    if (signal.aborted) return null;
    return prompt("password", () => ({
      title: say("askPassword"),
      text: say(wasWrong ? "wrongPassword" : "askPasswordFor", name),
      label: say("password"),
    }), signal);
  });
}

// Gives whether there is now another key than the one that was refused.
export function key(refused, signal) {
  return inTurn(async () => {
    if (signal.aborted) return false;
    if (currentKey() !== refused) return true;
    const given = await prompt("key", () => ({
      title: say("askKey"),
      text: say(refused ? "wrongKey" : "askKeyFor"),
      label: say("key"),
    }), signal);
    if (!given) return false;
    sessionStorage.setItem(STORE, given.trim());
    showKey();
    return true;
  });
}

export function showKey() {
  at("key-note").hidden = !currentKey();
}

function inTurn(work) {
  const mine = turn.then(work);
  turn = mine.catch(() => null);
  return mine;
}

function prompt(kind, words, signal) {
  value.value = "";
  const show = () => {
    const told = words();
    title.textContent = told.title;
    text.textContent = told.text;
    value.setAttribute("aria-label", told.label);
  };
  show();
  dialog.dataset.kind = kind;
  dialog.returnValue = "";
  retell = show;
  dialog.showModal();
  return new Promise((resolve) => {
    const close = () => dialog.close();
    signal.addEventListener("abort", close);
    dialog.addEventListener("close", () => {
      signal.removeEventListener("abort", close);
      retell = null;
      const given = value.value;
      value.value = "";
      resolve(dialog.returnValue === "ok" && given ? given : null);
    }, { once: true });
  });
}

// Says the words of an open dialog again when the language changes.
let retell = null;
onLanguage(() => retell?.());
