// The picture of the current file, or a blank sheet of its page, with the lines' boxes over it.

import { pageCount, pageOf } from "./answer.js";
import { boxesOf, extentOf } from "./boxes.js";
import { at } from "./dom.js";
import { onLanguage, say } from "./words.js";
import { Zoom } from "./zoom.js";

export class Viewer {
  #shapes = new Map();
  #shown = null;

  constructor(files) {
    this.files = files;
    this.zoom = new Zoom();
    files.on("current", () => this.show());
    files.on("item", (item) => item === files.current && item.answer !== this.#shown && this.show());
    files.on("page", () => this.show());
    files.on("text", () => this.show());
    files.on("line", () => this.#showSelection());
    onLanguage(() => this.show());
    this.#connectPicture();
    this.#connectBoxes();
    this.#connectButtons();
  }

  show() {
    const item = this.files.current;
    this.#shown = item?.answer;
    at("viewer").hidden = !item;
    if (!item) return;
    at("viewer-title").textContent = item.name;
    at("viewer-title").title = item.name;
    const address = item.url ?? "";
    if (at("picture").getAttribute("src") !== address) at("picture").setAttribute("src", address);
    this.#showPages(item);
    this.#draw(item);
  }

  // Marks the line under the pointer, in concert with the list.
  hover(index) {
    for (const [own, shape] of this.#shapes) shape.classList.toggle("hover", own === index);
  }

  turn(by) {
    const item = this.files.current;
    if (item) this.files.turnTo(item.page + by);
  }

  #draw(item) {
    const page = item.answer && pageOf(item.answer, item.page);
    const drawn = isDrawn(item, page);
    const size = page ?? (drawn ? natural() : null);
    at("sheet").hidden = !size;
    at("sheet").classList.toggle("blank", !drawn);
    at("picture").hidden = !drawn;
    at("no-preview").hidden = Boolean(size) || item.drawable === null;
    at("sheet-note").hidden = drawn || !page;
    this.zoom.setSize(size);
    this.#shapes = page ? boxesOf(item, !drawn) : new Map();
    if (page) at("boxes").setAttribute("viewBox", `0 0 ${page.width} ${page.height}`);
    at("boxes").replaceChildren(...this.#shapes.values());
    this.#showSelection();
  }

  #showPages(item) {
    const pages = pageCount(item.answer);
    at("pager").hidden = pages < 2;
    at("page-now").textContent = say("pageOf", item.page, pages);
    at("page-back").disabled = item.page <= 1;
    at("page-on").disabled = item.page >= pages;
  }

  #showSelection() {
    const item = this.files.current;
    for (const [index, shape] of this.#shapes) {
      shape.classList.toggle("active", index === item.line);
    }
    const selected = this.#shapes.get(item?.line);
    if (!selected) return;
    selected.parentNode.append(selected); // over its neighbours
    this.zoom.reveal(extentOf(item.answer.results[item.line].box));
  }

  // Whether the browser can draw the file shows when it has tried.
  #connectPicture() {
    const tried = (drawable) => {
      const item = this.files.current;
      if (!item?.url || at("picture").getAttribute("src") !== item.url) return;
      item.drawable = drawable;
      this.show();
    };
    at("picture").addEventListener("load", () => tried(true));
    at("picture").addEventListener("error", () => tried(false));
  }

  #connectBoxes() {
    const indexAt = (event) => {
      const index = event.target.closest("[data-index]")?.dataset.index;
      return index === undefined ? -1 : Number(index);
    };
    at("stage").addEventListener("click", (event) => {
      if (at("stage").classList.contains("dragged")) return;
      const index = indexAt(event);
      if (index >= 0) this.files.selectLine(index);
    });
    at("boxes").addEventListener("mouseover", (event) => this.onHover?.(indexAt(event)));
    at("boxes").addEventListener("mouseleave", () => this.onHover?.(-1));
    at("boxes").addEventListener("dblclick", (event) => {
      if (indexAt(event) >= 0) this.onEdit?.(indexAt(event));
    });
  }

  #connectButtons() {
    at("zoom-in").addEventListener("click", () => this.zoom.step(1));
    at("zoom-out").addEventListener("click", () => this.zoom.step(-1));
    at("zoom-fit").addEventListener("click", () => this.zoom.fit());
    at("zoom-full").addEventListener("click", () => this.zoom.full());
    at("page-back").addEventListener("click", () => this.turn(-1));
    at("page-on").addEventListener("click", () => this.turn(1));
  }
}

// The picture stands for the page only where the two agree in shape: of a file with several
// frames the browser draws the first.
function isDrawn(item, page) {
  if (item.drawable !== true) return false;
  const { width, height } = natural();
  if (!page) return width > 0;
  return item.page === 1 && Math.abs((width / height) / (page.width / page.height) - 1) < 0.02;
}

function natural() {
  return { width: at("picture").naturalWidth, height: at("picture").naturalHeight };
}
