// The list of lines: what each says, how sure that is, and the changes a person makes.

import { levelOf, pageCount } from "./answer.js";
import { copy } from "./clipboard.js";
import { at, button, make } from "./dom.js";
import { edit, isEdited, textOf, undo } from "./edits.js";
import { openEditor } from "./line_editor.js";
import { announce } from "./notice.js";
import { paragraphs } from "./paragraphs.js";
import { say } from "./words.js";

export class Lines {
  #rows = [];
  #selected = -1;

  constructor(files) {
    this.files = files;
    const list = at("lines");
    const indexAt = (event) => {
      const index = event.target.closest("[data-index]")?.dataset.index;
      return index === undefined ? -1 : Number(index);
    };
    list.addEventListener("click", (event) => {
      if (indexAt(event) >= 0) files.selectLine(indexAt(event));
    });
    list.addEventListener("dblclick", (event) => this.edit(indexAt(event)));
    list.addEventListener("mouseover", (event) => this.onHover?.(indexAt(event)));
    list.addEventListener("mouseleave", () => this.onHover?.(-1));
    files.on("line", () => this.#showSelection());
  }

  // Shows the lines of the current file; with `merge`, where paragraphs begin.
  show(merge) {
    const item = this.files.current;
    const { results } = item.answer;
    const begins = new Set(merge ? paragraphs(results).map(([first]) => first) : []);
    const several = pageCount(item.answer) > 1;
    this.#rows = results.map((line, index) => this.#newRow(item, index, begins.has(index)));
    const children = this.#rows.flatMap((row, index) => {
      const isFirst = several && results[index].page !== results[index - 1]?.page;
      return isFirst ? [pageRow(results[index].page), row] : [row];
    });
    at("lines").replaceChildren(...children);
    at("lines").classList.toggle("merged", merge);
    this.#showSelection();
  }

  hover(index) {
    this.#rows.forEach((row, own) => row.classList.toggle("hover", own === index));
  }

  // Selects the line before or after, and puts the keyboard on it.
  step(by) {
    const item = this.files.current;
    if (!item?.answer || !this.#rows.length) return;
    const next = item.line < 0 && by < 0 ? this.#rows.length - 1 : item.line + by;
    this.files.selectLine(Math.max(0, Math.min(this.#rows.length - 1, next)));
    this.#rows[item.line].focus({ preventScroll: true });
  }

  edit(index = this.files.current?.line ?? -1) {
    const row = this.#rows[index];
    if (!row || row.classList.contains("editing")) return;
    const item = this.files.current;
    this.files.selectLine(index);
    row.classList.add("editing");
    openEditor(row.querySelector(".text"), textOf(item, index), (text, byKey) => {
      const changed = text !== null && edit(item, index, text);
      this.#renew(item, index);
      if (changed) {
        announce("saved");
        this.files.tell("text", item);
      }
      if (byKey) this.#rows[index]?.focus({ preventScroll: true });
    });
  }

  undo() {
    const item = this.files.current;
    const index = item?.answer ? undo(item) : -1;
    if (index < 0) {
      announce("nothingToUndo");
      return;
    }
    this.#renew(item, index);
    this.files.selectLine(index);
    this.files.tell("text", item);
    announce("undone");
  }

  copySelected() {
    const item = this.files.current;
    if (item?.answer && item.line >= 0) copy(textOf(item, item.line), "lineCopied");
  }

  // Another file may have been chosen while the editor was open: its rows stay as they are.
  #renew(item, index) {
    if (item !== this.files.current || !this.#rows[index]) return;
    const row = this.#newRow(item, index, this.#rows[index].classList.contains("begins"));
    this.#rows[index].replaceWith(row);
    this.#rows[index] = row;
    this.#showSelection();
  }

  #newRow(item, index, begins) {
    const line = item.answer.results[index];
    const text = make("span", { class: "text", role: "gridcell" }, textOf(item, index));
    if (line.direction === "v") text.classList.add("was-vertical");
    const row = make("li", { role: "row", tabindex: -1, "data-index": index, "aria-selected": "false" },
      text, ...marks(item, index), this.#tools(index));
    row.classList.toggle("begins", begins);
    row.classList.toggle("edited", isEdited(item, index));
    return row;
  }

  #tools(index) {
    const run = (act) => (event) => {
      event.stopPropagation();
      this.files.selectLine(index);
      act();
    };
    return make("span", { class: "tools", role: "gridcell" },
      button(say("editLine"), { tabindex: -1, class: "sign" }, run(() => this.edit(index))),
      button(say("copyLine"), { tabindex: -1, class: "sign" }, run(() => this.copySelected())));
  }

  #showSelection() {
    const index = this.files.current?.answer ? this.files.current.line : -1;
    this.#mark(this.#rows[this.#selected], false);
    this.#selected = index;
    const row = this.#rows[index];
    this.#mark(row, true);
    // One row is on the way of the tab key: the selected one, or the first.
    if (!row && this.#rows[0]) this.#rows[0].tabIndex = 0;
    row?.scrollIntoView({ block: "nearest" });
  }

  #mark(row, isSelected) {
    if (!row) return;
    if (isSelected) this.#rows[0].tabIndex = -1;
    row.classList.toggle("active", isSelected);
    row.setAttribute("aria-selected", String(isSelected));
    row.tabIndex = isSelected ? 0 : -1;
    for (const tool of row.querySelectorAll("button")) tool.tabIndex = row.tabIndex;
  }
}

function marks(item, index) {
  const { confidence, text } = item.answer.results[index];
  const percent = `${(confidence * 100).toFixed(1)}%`;
  const number = make("span", {
    class: `confidence ${levelOf(confidence)}`, role: "gridcell",
    title: say("confidence", percent),
  }, percent);
  if (!isEdited(item, index)) return [number];
  const mark = make("span", { class: "mark", role: "gridcell", title: say("original", text) },
    say("editedMark"));
  return [mark, number];
}

function pageRow(number) {
  return make("li", { class: "page", role: "row" },
    make("span", { role: "gridcell" }, say("page", number)));
}
