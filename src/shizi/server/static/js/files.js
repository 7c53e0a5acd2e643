// The files a person brought, which of them is shown, and which of its lines is selected.
// Whoever shows them listens to: "list", "item", "current", "line", "page", "text".

let lastId = 0;

function newItem(file) {
  lastId += 1;
  return {
    id: lastId,
    file,
    name: file.name,
    url: isDocument(file) ? null : URL.createObjectURL(file),
    drawable: isDocument(file) ? false : null, // null: not known yet
    state: "waiting",
    progress: 0,
    pause: null,
    failure: null,
    answer: null,
    edits: new Map(),
    changes: [],
    line: -1,
    page: 1,
    password: "",
    abort: null,
  };
}

export function isDocument(file) {
  return file.type === "application/pdf" || /\.pdf$/i.test(file.name);
}

// States of a file that is with the queue.
export const BUSY = new Set(["queued", "uploading", "reading", "pausing", "asking"]);

export class Files extends EventTarget {
  items = [];
  current = null;

  on(kind, listener) {
    this.addEventListener(kind, (event) => listener(event.detail));
  }

  tell(kind, item = this.current) {
    this.dispatchEvent(new CustomEvent(kind, { detail: item }));
  }

  add(files) {
    const items = files.map(newItem);
    this.items.push(...items);
    this.tell("list");
    // The first new file is shown, unless a result is being looked at.
    if (items.length && !this.current?.answer) this.choose(items[0]);
    return items;
  }

  remove(item) {
    const place = this.items.indexOf(item);
    if (place < 0) return;
    item.abort?.abort();
    if (item.url) URL.revokeObjectURL(item.url);
    this.items.splice(place, 1);
    this.tell("list");
    if (this.current === item) this.choose(this.items[Math.min(place, this.items.length - 1)]);
  }

  choose(item) {
    this.current = item ?? null;
    this.tell("current");
  }

  step(by) {
    const next = this.items[this.items.indexOf(this.current) + by];
    if (next) this.choose(next);
  }

  change(item, fields) {
    Object.assign(item, fields);
    if (this.items.includes(item)) this.tell("item", item);
  }

  // Shows another answer of a file, or none; what was changed in the last one is gone.
  setAnswer(item, answer) {
    this.change(item, { answer, edits: new Map(), changes: [], line: -1, page: 1 });
  }

  selectLine(index) {
    const item = this.current;
    const line = item?.answer?.results[index];
    item.line = line ? index : -1;
    if (line && line.page !== item.page) this.turnTo(line.page);
    this.tell("line");
  }

  turnTo(page) {
    if (!this.current.answer?.pages.some((each) => each.page === page)) return;
    this.current.page = page;
    this.tell("page");
  }

  inState(...states) {
    return this.items.filter((item) => states.includes(item.state));
  }
}
