// Begins a release: a version of the recognizer is chosen from those that are installed.

import { at, make } from "../dom.js";
import { say } from "../words.js";
import { call } from "./api.js";

let offered = false;

export async function offerStart(possible) {
  at("start-part").hidden = !possible;
  if (!possible) offered = false;
  if (!possible || offered) return;
  const { status, content } = await call("GET", "/v1/models");
  if (status !== 200) return;
  const versions = content.models
    .filter((model) => model.task === "recognize")
    .map((model) => `${model.name}@${model.version}`);
  at("start-version").replaceChildren(...versions.map((name) => make("option", {}, name)));
  offered = true;
}

export function connectStart(done) {
  at("start-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const body = { canary: at("start-version").value, reason: at("start-reason").value };
    const { status, content } = await call("POST", "/v1/releases", body);
    await done();
    if (status !== 201) {
      at("problem").hidden = false;
      at("problem").textContent = content.detail ?? say("unreachable");
    }
  });
}
