// The dialog of jobs: hands many files in at once, and shows how far each job is.

import { at, button, make } from "./dom.js";
import { download } from "./download.js";
import { failureText } from "./failure.js";
import * as jobs from "./jobs.js";
import { announce } from "./notice.js";
import { fields } from "./options.js";
import { onLanguage, say, spoken } from "./words.js";

const LOOK_MS = 1000;
const FORMATS = ["txt", "json", "csv", "md", "xlsx", "docx"];
const ENDED = new Set(["succeeded", "failed", "canceled", "expired", "gone"]);

// By id, what the service said of a job last.
const states = new Map();
let looking = 0;

export function connectJobs() {
  at("open-jobs").addEventListener("click", () => {
    render();
    at("jobs").showModal();
    look();
  });
  at("jobs").addEventListener("close", () => clearTimeout(looking));
  at("jobs-file").addEventListener("change", handIn);
  onLanguage(render);
}

async function handIn() {
  const files = [...at("jobs-file").files];
  if (!files.length) return;
  const bar = at("jobs-upload");
  at("jobs-file").disabled = true;
  at("jobs-problem").textContent = "";
  Object.assign(bar, { hidden: false, value: 0 });
  const { job, failure } = await jobs.handIn(files, fields(true, ""), (part) => (bar.value = part));
  bar.hidden = true;
  Object.assign(at("jobs-file"), { disabled: false, value: "" });
  if (failure) {
    at("jobs-problem").textContent = failureText(failure);
    return;
  }
  const name = files.length === 1 ? files[0].name : say("jobFiles", files.length);
  jobs.keep({ id: job.id, name, time: Date.now() });
  states.set(job.id, job);
  announce("jobTaken");
  render();
  look();
}

// Asks of every job that has not ended, as long as the dialog is open.
async function look() {
  clearTimeout(looking);
  const open = jobs.known().filter(({ id }) => !ENDED.has(states.get(id)?.status));
  for (const { id } of open) {
    const { content, failure } = await jobs.show(id);
    if (content) states.set(id, content);
    else if (failure.status === 404) states.set(id, { id, status: "gone" });
    else at("jobs-problem").textContent = failureText(failure);
  }
  if (open.length) render();
  if (at("jobs").open && open.length) looking = setTimeout(look, LOOK_MS);
}

function render() {
  const entries = jobs.known();
  at("jobs-empty").hidden = entries.length > 0;
  const focused = document.activeElement?.closest?.("[data-act]")?.dataset.act;
  at("jobs-list").replaceChildren(...entries.map(entryItem));
  if (focused) at("jobs-list").querySelector(`[data-act="${focused}"]`)?.focus();
}

function entryItem(entry) {
  const job = states.get(entry.id);
  const when = new Date(entry.time);
  const ended = ENDED.has(job?.status);
  return make("li", {},
    make("strong", { title: entry.name }, entry.name),
    make("time", { datetime: when.toISOString() },
      when.toLocaleString(spoken() === "zh" ? "zh-CN" : "en")),
    make("progress", {
      max: Math.max(1, job?.pages_total ?? 1),
      value: job?.status === "queued" || !job ? undefined : job.pages_done ?? 0,
      hidden: ended,
      "aria-label": say("progressOf", entry.name),
    }),
    make("p", { class: "quiet" }, told(job)),
    make("div", { class: "group" }, ...buttons(entry, job)));
}

function told(job) {
  if (!job) return say("jobStates.queued");
  const state = say(`jobStates.${job.status}`);
  if (job.status === "gone" || job.status === "queued") return state;
  const parts = [state, say("jobPages", job.pages_done, job.pages_total)];
  if (job.files_failed) parts.push(say("jobFailed", job.files_failed));
  return parts.join(" · ");
}

function buttons(entry, job) {
  const own = (act, label, onClick) =>
    button(label, { "data-act": `${act} ${entry.id}`, "aria-label": say("of", label, entry.name) },
      onClick);
  const made = [];
  if (job && !ENDED.has(job.status)) {
    made.push(own("cancel", say("cancel"), () => act(jobs.cancel(entry.id))));
  }
  if (job && ENDED.has(job.status) && job.pages_done) {
    for (const format of FORMATS) {
      made.push(own(format, format.toUpperCase(), () => fetchResult(entry, format)));
    }
  }
  made.push(own("remove", say("remove"), async () => {
    if (job?.status !== "gone" && !(await act(jobs.purge(entry.id), 404))) return;
    jobs.drop(entry.id);
    states.delete(entry.id);
    render();
  }));
  return made;
}

// Waits for the service to do something; gives whether it did.
async function act(asked, fine = 0) {
  const { content, failure } = await asked;
  if (failure && failure.status !== fine) {
    at("jobs-problem").textContent = failureText(failure);
    return false;
  }
  if (content?.id) states.set(content.id, content);
  render();
  return true;
}

async function fetchResult(entry, format) {
  const { content, failure } = await jobs.result(entry.id, format);
  if (failure) {
    at("jobs-problem").textContent = failureText(failure);
    return;
  }
  const stem = entry.name.replace(/\.\w{1,5}$/, "");
  download(`${stem}.${format}`, content, content.type);
}
