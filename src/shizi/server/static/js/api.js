// Sends one file to the service. XMLHttpRequest, because fetch does not tell how much was sent.

import { failureOf, toOutcome } from "./answer.js";

// Over this, a connection cut while sending is more likely a limit than a network at fault:
// the service closes it when a body is too long.
const LARGE_BYTES = 10_000_000;

// Gives {answer} or {failure}; never throws. `fields` are form fields without empty ones.
export function send(file, fields, { key, signal, onProgress, onSent }) {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    const end = (outcome) => {
      signal.removeEventListener("abort", abort);
      resolve(outcome);
    };
    const abort = () => request.abort();
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) onProgress(event.loaded / event.total);
    });
    request.upload.addEventListener("load", onSent);
    request.addEventListener("load", () => end(outcomeOf(request)));
    request.addEventListener("error", () => end({ failure: failureOf(unreachable(file)) }));
    request.addEventListener("abort", () => end({ failure: failureOf("canceled") }));
    signal.addEventListener("abort", abort);
    request.open("POST", "/ocr");
    request.setRequestHeader("Accept", "application/json");
    if (key) request.setRequestHeader("X-API-Key", key);
    request.send(bodyOf(file, fields));
  });
}

function bodyOf(file, fields) {
  const form = new FormData();
  form.append("image", file, file.name);
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  return form;
}

function outcomeOf(request) {
  return toOutcome(request.status, request.responseText, (name) => request.getResponseHeader(name));
}

const unreachable = (file) => (file.size > LARGE_BYTES ? "unreachable_large" : "unreachable");
