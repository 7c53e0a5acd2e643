// The part beside the picture: the lines with their summary, or why there are none yet.

import { at, button, make } from "./dom.js";
import { failureParts } from "./failure.js";
import { BUSY } from "./files.js";
import { Lines } from "./lines.js";
import { onLanguage, say, sayOr } from "./words.js";

export class Result {
  #shown = {};

  constructor(files, queue) {
    this.files = files;
    this.queue = queue;
    this.lines = new Lines(files);
    files.on("current", () => this.show());
    files.on("item", (item) => item === files.current && this.#isOther(item) && this.show());
    files.on("text", () => this.merges() && this.lines.show(true));
    for (const choice of document.getElementsByName("breaks")) {
      choice.addEventListener("change", () => this.show());
    }
    onLanguage(() => this.show());
  }

  merges() {
    return at("merge").checked;
  }

  show() {
    const item = this.files.current;
    at("result").hidden = !item;
    if (!item) return;
    this.#shown = { item, state: item.state, answer: item.answer };
    const isDone = item.state === "done";
    for (const id of ["result-tools", "lines", "details"]) at(id).hidden = !isDone;
    at("note").hidden = isDone && item.answer.results.length > 0;
    at("note").className = `note ${BUSY.has(item.state) ? "busy" : item.state}`;
    at("note").replaceChildren(...this.#note(item));
    at("summary").textContent = isDone ? summary(item.answer) : "";
    at("warnings").replaceChildren(...(isDone ? warnings(item.answer) : []));
    if (isDone) this.#showAnswer(item);
  }

  // Progress changes nothing here: only another state or answer does.
  #isOther(item) {
    const shown = this.#shown;
    return shown.item !== item || shown.state !== item.state || shown.answer !== item.answer;
  }

  #showAnswer(item) {
    this.lines.show(this.merges());
    at("lines").hidden = item.answer.results.length === 0;
    at("details-list").replaceChildren(...details(item.answer));
  }

  #note(item) {
    if (item.state === "failed") {
      const again = () => this.queue.start([item]);
      return [...failureParts(item.failure), button(say("retry"), { class: "main" }, again)];
    }
    if (BUSY.has(item.state)) {
      const bones = Array.from({ length: 6 }, () => make("span", { class: "bone" }));
      return [make("p", { class: "what" }, say("working")), ...bones];
    }
    const [what, hint] = {
      done: ["nothing", "nothingHint"],
      cancelled: ["state.cancelled", "cancelledHint"],
    }[item.state] ?? ["notYet", "notYetHint"];
    return [make("p", { class: "what" }, say(what)), make("p", { class: "small" }, say(hint))];
  }
}

function summary(answer) {
  return say("summary", answer.results.length, seconds(answer.total_time));
}

function warnings(answer) {
  return (answer.warnings ?? []).map(({ code, detail, page }) => {
    const known = sayOr(`warnings.${code}`, null);
    const text = known ? `${known} (${detail})` : detail;
    return make("li", {}, page ? `${say("page", page)}: ${text}` : text);
  });
}

function details(answer) {
  const stages = Object.entries(answer.timing ?? {})
    .map(([stage, value]) => [sayOr(`stages.${stage}`, stage), say("seconds", seconds(value))]);
  const model = [answer.model?.name, answer.model?.version].filter(Boolean).join(" ");
  const rows = [
    ...stages,
    [say("total"), say("seconds", seconds(answer.total_time))],
    ...(model ? [[say("model"), model]] : []),
  ];
  return rows.map(([name, value]) =>
    make("div", {}, make("dt", {}, name), make("dd", {}, value)));
}

const seconds = (value) => (Number.isFinite(value) ? value.toFixed(2) : "–");
