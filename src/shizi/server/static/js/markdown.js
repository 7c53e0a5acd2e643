// Plain text into Markdown that shows it as it is.

// What means something anywhere in a line, and what does only at its beginning.
const INLINE = /[\\`*_[\]<>|~&$]/g;
const AT_START = /^(?:[#+\-=:>]|(\d{1,9})(?=[.)]))/;

export function escapeLine(text) {
  const line = text.replace(/\s+/g, " ").trim().replace(INLINE, "\\$&");
  return line.replace(AT_START, (mark, number) => (number ? `${number}\\` : `\\${mark}`));
}

export const heading = (level, text) => `${"#".repeat(level)} ${escapeLine(text)}`;

// Two spaces keep a break where Markdown would join the lines.
export const block = (lines) => lines.map(escapeLine).join("  \n");
