// Draws both versions over time: failures, seconds, confidence, and the share.

import { at, make, makeSvg } from "../dom.js";
import { say } from "../words.js";

const percent = (value) => `${(value * 100).toFixed(1)} %`;
const CURVES = [
  ["failureCurve", (mark) => (mark.requests ? mark.faults / mark.requests : null), percent],
  ["secondsCurve", (mark) => mark.median_s, (value) => `${value.toFixed(2)} s`],
  ["confidenceCurve", (mark) => mark.confidence, percent],
];

export function drawCurves(points) {
  const share = points.map((point) => [point.at_s, point.ratio_bp / 10000]);
  const figures = CURVES.map(([name, value, told]) => figure(name, {
    s: points.map((point) => [point.at_s, value(point.stable)]),
    c: points.map((point) => [point.at_s, value(point.canary)]),
  }, told));
  figures.push(figure("shareCurve", { c: share }, percent, 1));
  at("curves").replaceChildren(...figures);
}

function figure(name, lines, told, most) {
  const known = Object.values(lines).flat().filter(([, value]) => value !== null);
  const times = known.map(([at_s]) => at_s);
  const [from, to] = [Math.min(...times), Math.max(...times)];
  const high = most ?? Math.max(0.01, ...known.map(([, value]) => value));
  const place = ([at_s, value]) => (
    `${(100 * (at_s - from) / (to - from || 1)).toFixed(2)} ${(58 - 56 * value / high).toFixed(2)}`);
  const drawing = makeSvg("svg", {
    viewBox: "0 0 100 60", preserveAspectRatio: "none", role: "img", "aria-label": say(name),
  });
  for (const [kind, line] of Object.entries(lines)) {
    const seen = line.filter(([, value]) => value !== null);
    if (seen.length) drawing.append(makeSvg("path", { class: kind, d: `M${seen.map(place).join("L")}` }));
  }
  const latest = Object.entries(lines).map(([kind, line]) => {
    const value = line.findLast(([, v]) => v !== null)?.[1];
    return make("span", { class: kind === "s" ? "stable" : "canary" }, value === undefined ? "–" : told(value));
  });
  return make("figure", {}, make("figcaption", {}, say(name)), drawing,
    make("div", { class: "span" }, ...latest, make("span", {}, known.length ? `≤ ${told(high)}` : "")));
}
