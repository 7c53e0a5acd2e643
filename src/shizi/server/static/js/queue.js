// Sends waiting files to the service, few at a time, and tries again where that makes sense.

import { failureOf } from "./answer.js";
import { send } from "./api.js";
import { isDocument } from "./files.js";

const AT_ONCE = 2;
const TRIES = 4;
// Longer than this nobody looks at a countdown: the file fails and says why.
const LONGEST_PAUSE_S = 120;
const TICK_MS = 1000;

export class Queue {
  #active = 0;

  // `ask` gets passwords and keys from the person; `options` gives the form fields.
  constructor(files, ask, options) {
    this.files = files;
    this.ask = ask;
    this.options = options;
  }

  start(items) {
    for (const item of items) {
      this.files.change(item, {
        state: "queued", progress: 0, failure: null, abort: new AbortController(),
      });
    }
    this.#fill();
  }

  cancel(item) {
    item.abort?.abort();
    // Reading again may be given up; the answer from before is still there.
    const state = item.answer ? "done" : "cancelled";
    this.files.change(item, { state, pause: null, abort: null });
  }

  #fill() {
    for (const item of this.files.inState("queued")) {
      if (this.#active >= AT_ONCE) return;
      this.#work(item);
    }
  }

  async #work(item) {
    this.#active += 1;
    const { signal } = item.abort;
    try {
      const { answer, failure } = await this.#read(item, signal);
      // Canceled, or removed: whatever came is of no interest any more.
      if (signal.aborted) return;
      item.abort = null;
      if (answer) this.files.setAnswer(item, answer);
      this.files.change(item, answer ? { state: "done" } : { state: "failed", failure });
    } finally {
      this.#active -= 1;
      this.#fill();
    }
  }

  async #read(item, signal) {
    for (let attempt = 1; ; attempt += 1) {
      const outcome = await this.#send(item, signal);
      if (outcome.answer || signal.aborted) return outcome;
      if (!(await this.#mayRetry(item, outcome, attempt, signal))) return outcome;
    }
  }

  async #send(item, signal) {
    this.files.change(item, { state: "uploading", progress: 0, pause: null });
    const fields = this.options.fields(isDocument(item.file), item.password);
    const key = this.ask.currentKey();
    const outcome = await send(item.file, fields, {
      key,
      signal,
      onProgress: (progress) => this.files.change(item, { progress }),
      onSent: () => this.files.change(item, { state: "reading", progress: 1 }),
    }).catch(() => ({ failure: failureOf("unreachable") }));
    return { ...outcome, key, password: fields.password };
  }

  async #mayRetry(item, { failure, key, password }, attempt, signal) {
    if (failure.code === "encrypted_pdf") return this.#askPassword(item, Boolean(password), signal);
    if (failure.status === 401) return this.#askKey(item, key, signal);
    const pauseS = failure.retryAfterS ?? 2 ** attempt;
    const isBusy = failure.status === 429 || failure.status === 503;
    if (!isBusy || attempt >= TRIES || pauseS > LONGEST_PAUSE_S) return false;
    await this.#pause(item, pauseS, attempt, signal);
    return !signal.aborted;
  }

  async #askPassword(item, wasWrong, signal) {
    this.files.change(item, { state: "asking" });
    const password = await this.ask.password(item.name, wasWrong, signal);
    if (password) item.password = password;
    return Boolean(password) && !signal.aborted;
  }

  async #askKey(item, key, signal) {
    this.files.change(item, { state: "asking" });
    return (await this.ask.key(key, signal)) && !signal.aborted;
  }

  // Waits as long as the service asked, counting down in words.
  #pause(item, pauseS, attempt, signal) {
    return new Promise((resolve) => {
      const until = Date.now() + pauseS * 1000;
      const show = () => this.files.change(item, {
        state: "pausing",
        pause: { seconds: Math.ceil(Math.max(0, until - Date.now()) / 1000), attempt, of: TRIES - 1 },
      });
      const end = () => {
        clearInterval(ticking);
        clearTimeout(waiting);
        resolve();
      };
      const ticking = setInterval(show, TICK_MS);
      const waiting = setTimeout(end, pauseS * 1000);
      signal.addEventListener("abort", end, { once: true });
      show();
    });
  }
}
