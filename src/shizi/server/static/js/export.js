// Answers into files of text. A document is {name, answer}, its answer already with the edits.

import { toCsvText } from "./csv.js";
import { block, heading } from "./markdown.js";
import { joinTexts, paragraphs } from "./paragraphs.js";
import { pageCount } from "./answer.js";

const CORNERS = [1, 2, 3, 4].flatMap((corner) => [`x${corner}`, `y${corner}`]);
const COLUMNS = [
  "file", "page", "line", "text", "confidence", "direction", "edited", ...CORNERS,
];

// Gives the texts of one answer: a list of pages, each a list of paragraphs, each a list of lines.
// Where breaks are kept, a paragraph is all the lines of its page.
function textsOf(answer, merge) {
  const pages = linesByPage(answer.results);
  return [...pages.values()].map((lines) => {
    if (!merge) return [lines.map((line) => line.text)];
    return paragraphs(lines).map((group) => [joinTexts(group.map((k) => lines[k].text))]);
  });
}

function linesByPage(lines) {
  const pages = new Map();
  for (const line of lines) pages.set(line.page, [...(pages.get(line.page) ?? []), line]);
  return pages;
}

// What is copied, and what a text file says of one document.
export function plainText(answer, merge) {
  return textsOf(answer, merge)
    .map((page) => page.map((lines) => lines.join("\n")).join("\n\n"))
    .join("\n\n");
}

export function toTxt(documents, merge) {
  if (documents.length === 1) return `${plainText(documents[0].answer, merge)}\n`;
  return documents
    .map(({ name, answer }) => `===== ${name} =====\n\n${plainText(answer, merge)}\n`)
    .join("\n");
}

export function toJson(documents) {
  const [first] = documents;
  // Several are named as the command line names them.
  const content = documents.length === 1
    ? first.answer
    : documents.map(({ name, answer }) => ({ image: name, ...answer }));
  return `${JSON.stringify(content, null, 2)}\n`;
}

export function toCsv(documents) {
  const rows = documents.flatMap(({ name, answer }) => answer.results.map((line) => [
    name, line.page, line.line, line.text, line.confidence, line.direction,
    line.edited ? 1 : 0, ...(line.box ?? []).flat(),
  ]));
  return toCsvText([COLUMNS, ...rows]);
}

// `pageWord` names a page in the reader's language.
export function toMarkdown(documents, merge, pageWord) {
  const several = documents.length > 1;
  const parts = documents.flatMap(({ name, answer }) => [
    ...(several ? [heading(1, name)] : []),
    ...pagesToMarkdown(answer, merge, several ? 2 : 1, pageWord),
  ]);
  return `${parts.join("\n\n")}\n`;
}

function pagesToMarkdown(answer, merge, level, pageWord) {
  const numbers = [...new Set(answer.results.map((line) => line.page))];
  return textsOf(answer, merge).flatMap((page, k) => [
    ...(pageCount(answer) > 1 ? [heading(level, pageWord(numbers[k]))] : []),
    ...page.map(block),
  ]);
}

// A file's name for one document or several; without what a file system may refuse.
export function fileName(documents, extension) {
  const stem = documents.length === 1 ? documents[0].name.replace(/\.[^.]{1,5}$/, "") : "shizi";
  const clean = stem.replace(/[\\/:*?"<>|\u0000-\u001f\u202a-\u202e\u2066-\u2069]/g, "_").trim();
  return `${clean.slice(0, 100) || "shizi"}.${extension}`;
}
