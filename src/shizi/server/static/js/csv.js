// Rows into CSV that a spreadsheet opens as text and nothing else.

// Excel takes UTF-8 for what it is only after this mark.
const BOM = "\ufeff";

// A cell that begins so may be run as a formula; the wide forms count in East Asian locales.
const FORMULA = /^[=+\-@\t\r\n＝＋－＠]/u;

// Numbers stay numbers; text that could be a formula gets the apostrophe spreadsheets hide.
export function toCell(value) {
  if (typeof value === "number") return String(value);
  const text = String(value ?? "");
  const safe = FORMULA.test(text) ? `'${text}` : text;
  return /[",\r\n\t]|^\s|\s$/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

export function toCsvText(rows) {
  return BOM + rows.map((row) => `${row.map(toCell).join(",")}\r\n`).join("");
}
