// Speaks with the service: gives {status, content}; asks for a key where the service wants one.

import * as ask from "../ask.js";

const never = new AbortController().signal;

export async function call(method, path, body) {
  for (;;) {
    const key = ask.currentKey();
    const answer = await send(method, path, body, key);
    if (answer.status !== 401 || !/key/.test(answer.headers.get("WWW-Authenticate") + await detailOf(answer))) {
      return { status: answer.status, content: await contentOf(answer) };
    }
    if (!await ask.key(key, never)) return { status: 401, content: await contentOf(answer) };
  }
}

// Gives the address of a picture in this page, as the picture itself may need the key.
export async function pictureAt(path) {
  const answer = await send("GET", path, undefined, ask.currentKey());
  return answer.ok ? URL.createObjectURL(await answer.blob()) : "";
}

// Gives a text of the service, empty where it gives none.
export async function textAt(path) {
  const answer = await send("GET", path, undefined, ask.currentKey());
  return answer.ok ? answer.text() : "";
}

function send(method, path, body, key) {
  const headers = { Accept: "application/json" };
  if (key) headers["X-API-Key"] = key;
  if (body) headers["Content-Type"] = "application/json";
  return fetch(path, { method, headers, body: body && JSON.stringify(body), cache: "no-store" });
}

async function contentOf(answer) {
  const text = await answer.clone().text();
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}

const detailOf = async (answer) => (await contentOf(answer)).detail ?? "";
