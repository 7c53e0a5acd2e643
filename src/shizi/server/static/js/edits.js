// What a person changed in the lines of a file. The server's answer itself is never touched.

export function textOf(item, index) {
  return item.edits.get(index) ?? item.answer.results[index].text;
}

export const isEdited = (item, index) => item.edits.has(index);

// Gives whether anything changed.
export function edit(item, index, text) {
  const clean = text.replace(/\s*[\r\n\u2028\u2029]+\s*/g, " ");
  const before = textOf(item, index);
  if (clean === before) return false;
  item.changes.push({ index, before: item.edits.get(index) });
  put(item, index, clean);
  return true;
}

// Takes the last change back; gives the line it was on, or -1.
export function undo(item) {
  const last = item.changes.pop();
  if (!last) return -1;
  put(item, last.index, last.before);
  return last.index;
}

function put(item, index, text) {
  if (text === undefined || text === item.answer.results[index].text) item.edits.delete(index);
  else item.edits.set(index, text);
}

// Gives the answer as if the server had read what the person wrote.
export function editedAnswer(item) {
  const results = item.answer.results.map((line, index) => editedLine(item, line, index));
  return { ...item.answer, results, text: textOfPages(results) };
}

function editedLine(item, line, index) {
  if (!isEdited(item, index)) return line;
  const { chars: _, ...rest } = line; // characters of the old text would lie
  return { ...rest, text: textOf(item, index), edited: true };
}

// As the server writes `text`: a line feed between lines, a form feed between pages.
function textOfPages(lines) {
  return lines.map((line, k) => {
    if (k === 0) return line.text;
    return (line.page === lines[k - 1].page ? "\n" : "\f") + line.text;
  }).join("");
}
