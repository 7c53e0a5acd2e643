// The list of files: thumbnail, name, state, progress, and what can be done with each.

import { at, button, make } from "./dom.js";
import { failureText } from "./failure.js";
import { BUSY } from "./files.js";
import { onLanguage, say } from "./words.js";

const rows = new Map(); // by item: the elements that change

export function connectFileList(files, queue) {
  const actions = { files, queue };
  files.on("list", () => list(actions));
  files.on("item", (item) => showItem(item, actions));
  files.on("current", () => mark(files));
  onLanguage(() => files.items.forEach((item) => showItem(item, actions)));
}

function list(actions) {
  const { items } = actions.files;
  for (const item of rows.keys()) if (!items.includes(item)) rows.delete(item);
  for (const item of items) {
    if (rows.has(item)) continue;
    rows.set(item, newRow(item, actions.files));
    showItem(item, actions);
  }
  at("files").replaceChildren(...items.map((item) => rows.get(item).row));
  at("files-part").hidden = items.length === 0;
  mark(actions.files);
}

function newRow(item, files) {
  const state = make("span", { class: "state" });
  const bar = make("span", { class: "bar" });
  const progress = make("span", { class: "progress", role: "progressbar", hidden: true }, bar);
  const name = make("span", { class: "name", title: item.name }, item.name);
  const pick = button("", { class: "pick" }, () => files.choose(item));
  pick.append(thumbnail(item), make("span", { class: "about" }, name, state));
  const tools = make("span", { class: "tools" });
  return { row: make("li", { "data-id": item.id }, pick, tools, progress), pick, state, progress, bar, tools };
}

function thumbnail(item) {
  const extension = (/\.([^.]{1,5})$/.exec(item.name)?.[1] ?? "?").toUpperCase();
  const sign = make("span", { class: "thumb", "aria-hidden": "true" }, extension);
  if (!item.url) return sign;
  const image = make("img", { class: "thumb", src: item.url, alt: "", decoding: "async" });
  image.addEventListener("error", () => image.replaceWith(sign));
  return image;
}

function showItem(item, { files, queue }) {
  const row = rows.get(item);
  if (!row) return;
  row.row.dataset.state = item.state;
  row.state.textContent = stateText(item);
  showProgress(row, item);
  const tools = toolsOf(item, files, queue);
  // Progress comes often; buttons are made anew only when others are needed, so that none is
  // exchanged under a finger.
  const signature = tools.map(({ word }) => say(word)).join();
  if (row.signature === signature) return;
  row.signature = signature;
  row.tools.replaceChildren(...tools.map(({ word, sign, run }) => {
    const label = say("of", say(word), item.name);
    return button(sign, { class: "sign", "aria-label": label, title: say(word) }, run);
  }));
}

function showProgress({ progress, bar }, item) {
  const moving = BUSY.has(item.state) && item.state !== "queued";
  const counted = item.state === "uploading";
  progress.hidden = !moving;
  progress.classList.toggle("endless", moving && !counted);
  progress.setAttribute("aria-label", say("progressOf", item.name));
  if (counted) {
    const percent = Math.round(item.progress * 100);
    progress.setAttribute("aria-valuenow", percent);
    bar.style.width = `${percent}%`;
  } else {
    progress.removeAttribute("aria-valuenow");
    bar.style.width = "";
  }
}

function stateText(item) {
  if (item.state === "uploading") return say("uploadingPart", Math.round(item.progress * 100));
  if (item.state === "pausing") {
    return say("pausingFor", item.pause.seconds, item.pause.attempt, item.pause.of);
  }
  if (item.state === "done") return say("doneWith", item.answer.results.length);
  if (item.state === "failed") return `${say("state.failed")} · ${failureText(item.failure)}`;
  return say(`state.${item.state}`);
}

function toolsOf(item, files, queue) {
  const again = (word) => ({ word, sign: "↻", run: () => queue.start([item]) });
  const remove = { word: "remove", sign: "✕", run: () => files.remove(item) };
  if (BUSY.has(item.state)) return [{ word: "cancel", sign: "✕", run: () => queue.cancel(item) }];
  if (item.state === "failed" || item.state === "cancelled") return [again("retry"), remove];
  return item.state === "done" ? [again("again"), remove] : [remove];
}

function mark(files) {
  for (const [item, { row, pick }] of rows) {
    const isCurrent = item === files.current;
    pick.setAttribute("aria-current", String(isCurrent));
    if (isCurrent && row.isConnected) row.scrollIntoView({ block: "nearest" });
  }
}
