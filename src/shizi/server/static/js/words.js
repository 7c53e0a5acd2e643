// The language of the page: which one is spoken, and every word of it.

import { EN } from "./words_en.js";
import { ZH } from "./words_zh.js";

const SETS = { zh: ZH, en: EN };
const listeners = new Set();
let language = "zh";

const look = (key) => key.split(".").reduce((words, part) => words?.[part], SETS[language]);

// Gives the word of a key ("copy", "state.done"), or the fallback where there is none.
export function say(key, ...values) {
  const word = look(key);
  return typeof word === "function" ? word(...values) : (word ?? key);
}

export function sayOr(key, fallback) {
  return look(key) ?? fallback;
}

// Adds the words of a further page: {zh: {…}, en: {…}}.
export function addWords(more) {
  for (const [code, words] of Object.entries(more)) Object.assign(SETS[code], words);
}

export const hasWord = (key) => look(key) !== undefined;

export const spoken = () => language;

export function languageOfBrowser() {
  return (navigator.language || "zh").toLowerCase().startsWith("zh") ? "zh" : "en";
}

export function onLanguage(listener) {
  listeners.add(listener);
}

export function setLanguage(code) {
  language = code;
  document.documentElement.lang = code === "zh" ? "zh-CN" : "en";
  translate(document);
  for (const listener of listeners) listener();
}

// The markup names its words: as text, as the name of a button that shows a sign, as a hint.
function translate(root) {
  for (const element of root.querySelectorAll("[data-text]")) {
    element.textContent = say(element.dataset.text);
  }
  for (const element of root.querySelectorAll("[data-label]")) {
    element.setAttribute("aria-label", say(element.dataset.label));
    element.title = say(element.dataset.label);
  }
  for (const element of root.querySelectorAll("[data-hint]")) {
    element.placeholder = say(element.dataset.hint);
  }
}
