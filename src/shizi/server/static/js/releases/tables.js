// The guards with their figures, and what happened so far.

import { at, make } from "../dom.js";
import { say, sayOr, spoken } from "../words.js";

const short = (value) => (value === null ? "–" : Number(value.toPrecision(3)).toString());

export function showGuards(readings) {
  at("guards").replaceChildren(...readings.map((reading) => {
    const state = stateOf(reading);
    const name = make("td", {}, sayOr(`guardNames.${reading.guard}`, reading.guard));
    if (reading.detail) name.append(make("small", {}, reading.detail));
    return make("tr", {}, name,
      make("td", { class: "number" }, short(reading.value)),
      make("td", { class: "number" }, short(reading.bound)),
      make("td", { class: "number" }, String(reading.samples)),
      make("td", { class: `state-${state}` }, say(`guardStates.${state}`)));
  }));
}

export function showLog(entries) {
  const locale = spoken() === "zh" ? "zh-CN" : "en";
  at("log").replaceChildren(...entries.toReversed().map((entry) => {
    const when = new Date(entry.at_s * 1000);
    const phase = say(`phases.${entry.phase}`);
    return make("li", {},
      make("time", { datetime: when.toISOString() }, when.toLocaleString(locale)),
      ` ${phase}, ${entry.ratio_bp / 100} % · ${entry.actor}: ${entry.reason}`);
  }));
}

function stateOf({ broken, crossed, value }) {
  if (broken) return "broken";
  if (crossed) return "crossed";
  return value === null ? "few" : "holds";
}
