// Results kept in this browser, only after a person said so: name, time, text; never pictures.

const SWITCH = "shizi.history.on";
const STORE = "shizi.history";
const MOST_ENTRIES = 50;
const MOST_CHARACTERS = 500_000; // of all entries together; browsers give about five millions

export const isOn = () => localStorage.getItem(SWITCH) === "yes";

export function switchTo(on) {
  if (on) localStorage.setItem(SWITCH, "yes");
  else {
    localStorage.removeItem(SWITCH);
    clear();
  }
}

export const clear = () => localStorage.removeItem(STORE);

// Newest first.
export function entries() {
  try {
    const kept = JSON.parse(localStorage.getItem(STORE) ?? "[]");
    return Array.isArray(kept) ? kept.filter(isEntry) : [];
  } catch {
    return [];
  }
}

// Keeps an entry, or puts it in place of that with its id; gives whether there was room.
export function keep(entry) {
  if (!isOn()) return true;
  const others = entries().filter((each) => each.id !== entry.id);
  return store(trimmed([entry, ...others].sort((a, b) => b.time - a.time)));
}

export function drop(id) {
  store(entries().filter((entry) => entry.id !== id));
}

// Lets the oldest go until the rest is within the bounds.
export function trimmed(all) {
  let room = MOST_CHARACTERS;
  const kept = [];
  for (const entry of all.slice(0, MOST_ENTRIES)) {
    room -= entry.text.length + entry.name.length;
    if (room < 0) break;
    kept.push(entry);
  }
  return kept;
}

function store(kept) {
  try {
    localStorage.setItem(STORE, JSON.stringify(kept));
    return true;
  } catch {
    return false;
  }
}

const isEntry = (entry) =>
  typeof entry?.text === "string" && typeof entry.name === "string" && Number.isFinite(entry.time);
