// What leaves the page by a person's hand: copied text and exported files.

import { copy } from "./clipboard.js";
import { at } from "./dom.js";
import { download } from "./download.js";
import { editedAnswer } from "./edits.js";
import { fileName, plainText, toCsv, toJson, toMarkdown, toTxt } from "./export.js";
import { announce } from "./notice.js";
import { onLanguage, say } from "./words.js";

const KINDS = {
  txt: { type: "text/plain", write: (documents, merge) => toTxt(documents, merge) },
  json: { type: "application/json", write: (documents) => toJson(documents) },
  csv: { type: "text/csv", write: (documents) => toCsv(documents) },
  md: {
    type: "text/markdown",
    write: (documents, merge) => toMarkdown(documents, merge, (page) => say("page", page)),
  },
};

export function connectTakeaway(files, result) {
  at("copy").addEventListener("click", () => {
    copy(plainText(editedAnswer(files.current), result.merges()), "copied");
  });
  for (const choice of document.querySelectorAll("[data-export]")) {
    choice.addEventListener("click", () => save(choice.dataset.export, files, result.merges()));
  }
  const show = () => showScope(files);
  files.on("item", show);
  files.on("list", show);
  onLanguage(show);
}

function save(extension, files, merge) {
  const documents = chosen(files).map((item) => ({ name: item.name, answer: editedAnswer(item) }));
  const name = fileName(documents, extension);
  const { type, write } = KINDS[extension];
  download(name, write(documents, merge), type);
  announce("exported", name);
}

function chosen(files) {
  const all = files.inState("done");
  return all.length > 1 && at("scope").value === "all" ? all : [files.current];
}

// With one file there is nothing to choose.
function showScope(files) {
  const count = files.inState("done").length;
  at("scope-part").hidden = count < 2;
  at("scope-all").textContent = say("scopeAll", count);
}
