// A failure in words a person can act on, and in small print what helps who runs the service.

import { make } from "./dom.js";
import { hasWord, say } from "./words.js";

export function failureText({ code, message, advice }) {
  if (hasWord(`errors.${code}`)) return say(`errors.${code}`);
  return [message, advice].filter(Boolean).join("\n") || say("errors.error");
}

// Gives the elements that tell it.
export function failureParts(failure) {
  const known = hasWord(`errors.${failure.code}`);
  const small = [
    known && failure.message ? say("serverSaid", failure.message) : "",
    failure.requestId ? say("requestId", failure.requestId) : "",
  ].filter(Boolean);
  return [
    make("p", { class: "what" }, failureText(failure)),
    ...small.map((text) => make("p", { class: "small" }, text)),
  ];
}
