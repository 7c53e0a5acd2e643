// Asks a person for what the service asks for: the password of a PDF, an API key.

import { at } from "./dom.js";
import { onLanguage, say } from "./words.js";

const STORE = "shizi.key";

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
  const dialog = at("ask");
  at("ask-value").value = "";
  const show = () => {
    const { title, text, label } = words();
    at("ask-title").textContent = title;
    at("ask-text").textContent = text;
    at("ask-value").setAttribute("aria-label", label);
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
      const value = at("ask-value").value;
      at("ask-value").value = "";
      resolve(dialog.returnValue === "ok" && value ? value : null);
    }, { once: true });
  });
}

// Says the words of an open dialog again when the language changes.
let retell = null;
onLanguage(() => retell?.());
