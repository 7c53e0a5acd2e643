// The button that starts, the one that stops, and how far all files are.

import { at } from "./dom.js";
import { announce } from "./notice.js";
import { BUSY } from "./files.js";
import { onLanguage, say } from "./words.js";

export class Run {
  #wasBusy = false;

  constructor(files, queue) {
    this.files = files;
    this.queue = queue;
    at("upload").noValidate = true; // the list of files is ours, not the field's
    at("upload").addEventListener("submit", (event) => {
      event.preventDefault();
      this.start();
    });
    at("cancel-all").addEventListener("click", () => {
      for (const item of files.inState(...BUSY)) queue.cancel(item);
    });
    at("clear-files").addEventListener("click", () => {
      for (const item of [...files.items]) files.remove(item);
    });
    const show = () => this.#show();
    for (const kind of ["list", "item"]) files.on(kind, show);
    onLanguage(show);
  }

  start() {
    const waiting = this.files.inState("waiting");
    if (!waiting.length) return;
    if (!this.files.current?.answer) this.files.choose(waiting[0]);
    this.queue.start(waiting);
  }

  #show() {
    const { items } = this.files;
    const busy = this.files.inState(...BUSY).length;
    const done = this.files.inState("done").length;
    const failed = this.files.inState("failed").length;
    at("start").disabled = this.files.inState("waiting").length === 0;
    at("cancel-all").hidden = busy === 0;
    at("clear-files").hidden = busy > 0 || items.length === 0;
    at("run-count").textContent = items.length > 1 ? say("runCount", done + failed, items.length) : "";
    document.body.classList.toggle("empty", items.length === 0);
    if (this.#wasBusy && !busy && done + failed) announce("runEnded", done, failed);
    this.#wasBusy = busy > 0;
  }
}
