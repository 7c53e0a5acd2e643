// The shortcuts. Where a person types, only Ctrl+Enter is one.

import { at, make, takesKeys } from "./dom.js";
import { textOf } from "./edits.js";
import { onLanguage, say } from "./words.js";

const HELP = [
  ["Ctrl+V", "paste"], ["Ctrl+Enter", "run"], ["↑ ↓", "lines"], ["← → / A D", "files"],
  ["[ ]", "pages"], ["Enter / F2", "edit"], ["Enter", "save"], ["Ctrl+Z", "undo"],
  ["Ctrl+C", "copy"], ["+ −", "zoom"], ["0 1", "fit"], ["Esc", "escape"], ["?", "help"],
];

export function connectKeys({ files, run, viewer, result }) {
  const { lines } = result;
  // By key; those of one character can be switched off, as people who dictate need it.
  const plain = {
    ArrowUp: () => lines.step(-1),
    ArrowDown: () => lines.step(1),
    ArrowLeft: () => files.step(-1),
    ArrowRight: () => files.step(1),
    F2: () => lines.edit(),
    Escape: () => files.current && files.selectLine(-1),
    a: () => files.step(-1),
    d: () => files.step(1),
    "+": () => viewer.zoom.step(1),
    "=": () => viewer.zoom.step(1),
    "-": () => viewer.zoom.step(-1),
    0: () => viewer.zoom.fit(),
    1: () => viewer.zoom.full(),
    "[": () => viewer.turn(-1),
    "]": () => viewer.turn(1),
    "?": () => at("help").showModal(),
    "？": () => at("help").showModal(),
  };
  const withControl = { Enter: () => run.start(), z: () => lines.undo() };
  document.addEventListener("keydown", (event) => {
    const act = actionOf(event, plain, withControl, lines);
    if (!act) return;
    event.preventDefault();
    act();
  });
  document.addEventListener("copy", (event) => copyLine(event, files));
  at("open-help").addEventListener("click", () => at("help").showModal());
  onLanguage(showHelp);
}

function actionOf(event, plain, withControl, lines) {
  if (event.isComposing || document.querySelector("dialog[open]")) return null;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (event.ctrlKey || event.metaKey) {
    const isTyping = takesKeys(event.target) && key !== "Enter";
    return event.altKey || event.shiftKey || isTyping ? null : withControl[key];
  }
  if (event.altKey || takesKeys(event.target)) return null;
  if (key === "Enter") return event.target.matches("#lines > li") ? () => lines.edit() : null;
  if (key.length === 1 && !at("single-keys").checked) return null;
  return Object.hasOwn(plain, key) ? plain[key] : null;
}

// Ctrl+C copies what is marked; where nothing is, the selected line.
function copyLine(event, files) {
  const item = files.current;
  const isMarked = !getSelection().isCollapsed;
  if (isMarked || takesKeys(event.target) || !item?.answer || item.line < 0) return;
  event.preventDefault();
  event.clipboardData.setData("text/plain", textOf(item, item.line));
}

function showHelp() {
  at("help-list").replaceChildren(...HELP.map(([keys, word]) =>
    make("div", {},
      make("dt", {}, ...keys.split(" ").map((part) => (part === "/" ? " / " : make("kbd", {}, part)))),
      make("dd", {}, say(`keys.${word}`)))));
}
