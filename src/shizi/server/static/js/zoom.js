// How large the sheet is drawn in its stage, and which part of it is seen.

import { at } from "./dom.js";

const STEP = 1.25;
const LEAST = 0.02;
const MOST = 12;
const FIT_MOST = 2; // a small picture is not blown up further than this to fill the stage
const MARGIN_PX = 24;
const DRAG_PX = 4; // less is a click

export class Zoom {
  #size = null; // of the page, in its own pixels
  #scale = 1;
  #fits = true;

  constructor() {
    this.stage = at("stage");
    this.sheet = at("sheet");
    new ResizeObserver(() => this.#fits && this.fit()).observe(this.stage);
    this.stage.addEventListener("wheel", (event) => this.#turnWheel(event), { passive: false });
    this.#connectDrag();
  }

  // A page of this size is shown, all of it.
  setSize(size) {
    const isSame = this.#size?.width === size?.width && this.#size?.height === size?.height;
    this.#size = size;
    if (size && !isSame) this.fit();
  }

  fit() {
    if (!this.#size) return;
    this.#fits = true;
    const wide = (this.stage.clientWidth - MARGIN_PX) / this.#size.width;
    const high = (this.stage.clientHeight - MARGIN_PX) / this.#size.height;
    this.#apply(Math.min(wide, high, FIT_MOST));
  }

  full() {
    this.#to(1);
  }

  step(direction) {
    this.#to(this.#scale * STEP ** direction);
  }

  // Moves a part of the page into the stage where it is not in it; bounds in pixels of the page.
  reveal({ left, right, top, bottom }) {
    const { stage, sheet } = this;
    const [x, y] = [sheet.offsetLeft, sheet.offsetTop];
    const move = (from, to, seen, length) => {
      if (from >= seen && to <= seen + length) return seen;
      return (from + to - length) / 2;
    };
    stage.scrollTo({
      left: move(x + left * this.#scale, x + right * this.#scale, stage.scrollLeft, stage.clientWidth),
      top: move(y + top * this.#scale, y + bottom * this.#scale, stage.scrollTop, stage.clientHeight),
    });
  }

  // Keeps the point under (x, y) of the stage where it is.
  #to(scale, x = this.stage.clientWidth / 2, y = this.stage.clientHeight / 2) {
    if (!this.#size) return;
    this.#fits = false;
    const { stage, sheet } = this;
    const column = (stage.scrollLeft + x - sheet.offsetLeft) / this.#scale;
    const row = (stage.scrollTop + y - sheet.offsetTop) / this.#scale;
    this.#apply(scale);
    stage.scrollLeft = column * this.#scale + sheet.offsetLeft - x;
    stage.scrollTop = row * this.#scale + sheet.offsetTop - y;
  }

  #apply(scale) {
    this.#scale = Math.min(MOST, Math.max(LEAST, scale));
    this.sheet.style.width = `${this.#size.width * this.#scale}px`;
    this.sheet.style.height = `${this.#size.height * this.#scale}px`;
    at("zoom-now").textContent = `${Math.round(this.#scale * 100)}%`;
  }

  #turnWheel(event) {
    if (!this.#size) return;
    event.preventDefault();
    const frame = this.stage.getBoundingClientRect();
    const turned = event.deltaMode === 0 ? event.deltaY / 100 : event.deltaY / 3;
    const factor = STEP ** -Math.max(-3, Math.min(3, turned));
    this.#to(this.#scale * factor, event.clientX - frame.left, event.clientY - frame.top);
  }

  // A finger scrolls the stage by itself; a mouse drags it.
  #connectDrag() {
    const { stage } = this;
    let start = null;
    stage.addEventListener("pointerdown", (event) => {
      if (event.pointerType !== "mouse" || event.button !== 0) return;
      start = { x: event.clientX, y: event.clientY, left: stage.scrollLeft, top: stage.scrollTop };
    });
    window.addEventListener("pointermove", (event) => {
      if (!start) return;
      const [x, y] = [event.clientX - start.x, event.clientY - start.y];
      if (Math.hypot(x, y) > DRAG_PX) stage.classList.add("dragged");
      if (stage.classList.contains("dragged")) stage.scrollTo(start.left - x, start.top - y);
    });
    window.addEventListener("pointerup", () => {
      start = null;
      // The click that ends a drag comes after this; it chooses nothing.
      setTimeout(() => stage.classList.remove("dragged"));
    });
  }
}
