// Jobs that this browser handed in. Their ids are kept here, in this browser; all else is asked of
// the service, and forgotten by it when a job is removed.

import { failureOf, toOutcome } from "./answer.js";
import { currentKey, key as askForKey } from "./ask.js";

const STORE = "shizi.jobs";
const MOST = 100;

export function known() {
  try {
    const entries = JSON.parse(localStorage.getItem(STORE) ?? "[]");
    return Array.isArray(entries) ? entries.filter((entry) => /^[0-9a-f]{32}$/.test(entry?.id)) : [];
  } catch {
    return [];
  }
}

export function keep(entry) {
  save([entry, ...known().filter((other) => other.id !== entry.id)].slice(0, MOST));
}

export function drop(id) {
  save(known().filter((entry) => entry.id !== id));
}

function save(entries) {
  try {
    localStorage.setItem(STORE, JSON.stringify(entries));
  } catch {
    // A browser that keeps nothing shows jobs as long as the page is open.
  }
}

// Gives {job} or {failure}. One file or many, archives among them, in one upload.
export async function handIn(files, fields, onProgress) {
  const form = new FormData();
  for (const file of files) form.append("file", file, file.name);
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  // Sent twice, after a connection that broke, it is still one job.
  const once = [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16)).join("-");
  const outcome = await withKey((key) => post(form, once, key, onProgress));
  return outcome.failure ? outcome : { job: outcome.content };
}

// Gives {content} or {failure}.
export const show = (id) => withKey((key) => call("GET", `/v1/jobs/${id}`, key));
export const cancel = (id) => withKey((key) => call("POST", `/v1/jobs/${id}/cancel`, key));
export const purge = (id) => withKey((key) => call("DELETE", `/v1/jobs/${id}`, key));

// Gives {content}, a Blob, or {failure}.
export const result = (id, format) =>
  withKey((key) => call("GET", `/v1/jobs/${id}/result?format=${format}`, key, (answer) => answer.blob()));

async function withKey(ask) {
  const used = currentKey();
  const outcome = await ask(used);
  if (outcome.failure?.code !== "unauthorized") return outcome;
  return (await askForKey(used, new AbortController().signal)) ? ask(currentKey()) : outcome;
}

async function call(method, path, key, read = (answer) => (answer.status === 204 ? {} : answer.json())) {
  try {
    const answer = await fetch(path, { method, headers: key ? { "X-API-Key": key } : {} });
    if (!answer.ok) {
      return toOutcome(answer.status, await answer.text(), (name) => answer.headers.get(name));
    }
    return { content: await read(answer) };
  } catch {
    return { failure: failureOf("unreachable") };
  }
}

function post(form, once, key, onProgress) {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) onProgress(event.loaded / event.total);
    });
    request.addEventListener("error", () => resolve({ failure: failureOf("unreachable") }));
    request.addEventListener("load", () => {
      const header = (name) => request.getResponseHeader(name);
      resolve(request.status === 202
        ? { content: JSON.parse(request.responseText) }
        : toOutcome(request.status, request.responseText, header));
    });
    request.open("POST", "/v1/jobs");
    request.setRequestHeader("Idempotency-Key", once);
    if (key) request.setRequestHeader("X-API-Key", key);
    request.send(form);
  });
}
