// Shows a picture with both readings in no known order, and takes a verdict.

import { at, button, make } from "../dom.js";
import { say } from "../words.js";
import { call, pictureAt } from "./api.js";

let shown = "";

export async function showPairs(running) {
  const { status, content } = running
    ? await call("GET", "/v1/releases/pairs") : { status: 0, content: {} };
  const kept = status === 200 && content.kept;
  at("pairs-part").hidden = !kept;
  if (!kept) return;
  const pair = content.pairs[0];
  if ((pair?.id ?? "none") === shown) return;
  shown = pair?.id ?? "none";
  at("pair").replaceChildren(...(pair ? await parts(pair, content.pairs.length) : [say("noPairs")]));
}

async function parts(pair, left) {
  const address = await pictureAt(`/v1/releases/pairs/${pair.id}/picture`);
  const picture = make("img", { alt: say("pairPicture"), src: address });
  picture.addEventListener("load", () => URL.revokeObjectURL(address), { once: true });
  const readings = ["first", "second"].map((place, n) => make("div", {},
    make("pre", {}, pair.texts[n]),
    button(say("thisOne"), { "data-better": place }, () => judge(pair, place))));
  return [
    picture,
    make("div", { class: "readings" }, ...readings),
    make("div", { class: "row" },
      button(say("same"), { "data-better": "same" }, () => judge(pair, "same")),
      make("span", { class: "quiet" }, say("pairsLeft", left))),
  ];
}

async function judge(pair, better) {
  await call("POST", `/v1/releases/pairs/${pair.id}`, { better });
  await showPairs(true);
}
