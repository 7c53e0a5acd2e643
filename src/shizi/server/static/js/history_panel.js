// The dialog with the history: its switch, its entries, its way out.

import { copy } from "./clipboard.js";
import { at, button, make } from "./dom.js";
import { plainText } from "./export.js";
import { editedAnswer } from "./edits.js";
import * as history from "./history.js";
import { announce } from "./notice.js";
import { onLanguage, say, spoken } from "./words.js";

export function connectHistory(files) {
  at("open-history").addEventListener("click", () => {
    show();
    at("history").showModal();
  });
  at("history-on").addEventListener("change", () => {
    history.switchTo(at("history-on").checked);
    show();
  });
  at("history-clear").addEventListener("click", () => {
    history.clear();
    show();
    announce("historyCleared");
  });
  files.on("item", (item) => {
    if (item.state === "done" && item.kept !== item.answer) keep(item);
  });
  files.on("text", keep);
  onLanguage(show);
}

function keep(item) {
  if (!history.isOn()) return;
  if (item.kept !== item.answer) Object.assign(item, { kept: item.answer, keptAt: Date.now() });
  const entry = {
    id: `${item.keptAt}-${item.id}`,
    name: item.name,
    time: item.keptAt,
    text: plainText(editedAnswer(item), false),
  };
  if (!history.keep(entry)) announce("historyFull");
  show();
}

function show() {
  const isOn = history.isOn();
  const entries = isOn ? history.entries() : [];
  at("history-on").checked = isOn;
  at("history-clear").disabled = entries.length === 0;
  at("history-empty").hidden = entries.length > 0;
  at("history-empty").textContent = say(isOn ? "historyEmpty" : "historyOff");
  at("history-list").replaceChildren(...entries.map(entryItem));
}

function entryItem(entry) {
  const when = new Date(entry.time);
  const language = spoken() === "zh" ? "zh-CN" : "en";
  const drop = () => {
    history.drop(entry.id);
    show();
  };
  return make("li", {},
    make("strong", { title: entry.name }, entry.name),
    make("time", { datetime: when.toISOString() }, when.toLocaleString(language)),
    make("p", {}, entry.text.slice(0, 300)),
    make("div", { class: "group" },
      button(say("copyLine"), { "aria-label": say("of", say("copyLine"), entry.name) },
        () => copy(entry.text, "copied")),
      button(say("remove"), { "aria-label": say("of", say("remove"), entry.name) }, drop)));
}
