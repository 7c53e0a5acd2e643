// The lines of a page as shapes over it; on a blank sheet also their text, where it was found.

import { levelOf } from "./answer.js";
import { makeSvg } from "./dom.js";
import { textOf } from "./edits.js";
import { say } from "./words.js";

// Gives the shapes of the page that is shown, by index of the line.
export function boxesOf(item, onSheet) {
  const shapes = new Map();
  item.answer.results.forEach((line, index) => {
    if (line.page === item.page && line.box) shapes.set(index, shape(item, line, index, onSheet));
  });
  return shapes;
}

export function extentOf(box) {
  const xs = box.map(([x]) => x);
  const ys = box.map(([, y]) => y);
  return {
    left: Math.min(...xs), right: Math.max(...xs), top: Math.min(...ys), bottom: Math.max(...ys),
  };
}

function shape(item, line, index, onSheet) {
  const text = textOf(item, index);
  const percent = `${(line.confidence * 100).toFixed(1)}%`;
  const polygon = makeSvg("polygon", { points: line.box.map((point) => point.join()).join(" ") });
  const group = makeSvg("g", { class: `box ${levelOf(line.confidence)}`, "data-index": index },
    ...(onSheet && text ? [written(line, text)] : []),
    polygon,
    makeSvg("title", {}, `${text}\n${say("confidence", percent)}`));
  return group;
}

// The text stretched along its box, which begins where the text does.
function written(line, text) {
  const [start, end, , below] = line.box;
  const long = Math.hypot(end[0] - start[0], end[1] - start[1]);
  const high = Math.hypot(below[0] - start[0], below[1] - start[1]);
  const turn = (Math.atan2(end[1] - start[1], end[0] - start[0]) * 180) / Math.PI;
  const place = `translate(${start.join()}) rotate(${turn.toFixed(2)})`;
  if (line.direction === "v") {
    return makeSvg("text", {
      transform: place, x: long / 2, y: 0, "font-size": long * 0.8, textLength: high,
      "writing-mode": "vertical-rl", lengthAdjust: "spacingAndGlyphs",
    }, text);
  }
  return makeSvg("text", {
    transform: place, x: 0, y: high * 0.78, "font-size": high * 0.8, textLength: long,
    lengthAdjust: "spacingAndGlyphs",
  }, text);
}
