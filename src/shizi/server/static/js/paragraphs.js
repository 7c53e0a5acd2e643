// Lines into paragraphs, from where they stand and how they begin and end.

const GAP = 0.9; // of a line's height, between lines of one paragraph
const SIZE = 1.45; // heights of lines of one paragraph differ by less
const REACH = 2.2; // heights that a full line may end before the right edge
const INDENT = 1.2; // heights that lines of one paragraph may begin apart
const FIRST_INDENT = 4; // heights that its first line may be moved in

const WIDE = "[\\u2e80-\\u9fff\\uf900-\\ufaff\\ufe30-\\ufe4f\\uff00-\\uffef\\u3000-\\u303f“”‘’…—]";
const ENDS_WIDE = new RegExp(`${WIDE}$`, "u");
const BEGINS_WIDE = new RegExp(`^${WIDE}`, "u");
const BULLET = /^\s*(?:[-•·●■◆○*]|[(（]?(?:\d{1,3}|[一二三四五六七八九十]{1,3})[)）.、．]|[①-⑳])\s*\D/u;

// Gives groups of neighbouring lines' indices; every line is in one, in order.
export function paragraphs(lines) {
  const groups = [];
  lines.forEach((line, index) => {
    const group = groups.at(-1);
    if (group && goesOn(group.map((k) => lines[k]), line)) group.push(index);
    else groups.push([index]);
  });
  return groups;
}

// Joins the texts of one paragraph as they would have been written without a break.
export function joinTexts(texts) {
  return texts.reduce((whole, text) => {
    const next = text.trim();
    if (!whole) return next;
    if (/[a-z]-$/.test(whole) && /^[a-z]/.test(next)) return whole.slice(0, -1) + next;
    const gap = ENDS_WIDE.test(whole) || BEGINS_WIDE.test(next) ? "" : " ";
    return next ? whole + gap + next : whole;
  }, "");
}

function goesOn(group, line) {
  const last = group.at(-1);
  if (last.page !== line.page || last.direction !== line.direction) return false;
  if (!line.box || !last.box || BULLET.test(line.text)) return false;
  const frames = group.map(frameOf);
  return isBelow(frames.at(-1), frameOf(line)) && isFull(frames, frameOf(line));
}

// The next line of the same column: as high, not far down, not moved in.
function isBelow(above, below, height = Math.min(above.size, below.size)) {
  return Math.max(above.size, below.size) <= height * SIZE
    && below.top > above.top
    && Math.abs(below.top - above.bottom) <= height * GAP
    && below.left - above.left < height * INDENT;
}

// A paragraph goes on after lines that reach its right edge; only its first may be moved in.
function isFull(frames, below) {
  const above = frames.at(-1);
  const right = Math.max(below.right, ...frames.map((frame) => frame.right));
  const outdent = frames.length === 1 ? FIRST_INDENT : INDENT;
  return above.right >= right - above.size * REACH
    && above.left - below.left < above.size * outdent;
}

// Where a line stands, as if it were horizontal: columns of vertical text run from right to left.
function frameOf(line) {
  const xs = line.box.map(([x]) => x);
  const ys = line.box.map(([, y]) => y);
  const [left, right, top, bottom] =
    [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  if (line.direction !== "v") return { left, right, top, bottom, size: bottom - top };
  return { left: top, right: bottom, top: -right, bottom: -left, size: right - left };
}
