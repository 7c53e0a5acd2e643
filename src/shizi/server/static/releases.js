// The page of releases: looks every two seconds, and says what it sees.

import { at } from "./js/dom.js";
import { download } from "./js/download.js";
import { connectFrame } from "./js/frame.js";
import { call, textAt } from "./js/releases/api.js";
import { drawCurves } from "./js/releases/curves.js";
import { connectMoves, showState } from "./js/releases/state.js";
import { showPairs } from "./js/releases/pairs.js";
import { connectStart, offerStart } from "./js/releases/start.js";
import { showGuards, showLog } from "./js/releases/tables.js";
import { WORDS } from "./js/releases/words.js";
import { addWords, onLanguage, say } from "./js/words.js";

const LOOK_MS = 2000;
let last = null;

addWords(WORDS);

function show() {
  if (!last) return;
  const { status, content } = last;
  const there = status === 200;
  for (const part of ["release", "curves", "guards", "log"]) at(`${part}-part`).hidden = !there;
  at("problem").hidden = there || content.code === "no_release" && content.storeKept;
  if (!there) at("problem").textContent = content.detail ?? say("unreachable");
  if (there) {
    showState(content);
    drawCurves(content.points);
    showGuards(content.guards);
    showLog(content.log);
  }
}

async function look() {
  const answer = await call("GET", "/v1/releases");
  // Without any release yet the store is there all the same: one can begin.
  const none = answer.status === 404 && !/releases\.store/.test(answer.content.detail ?? "");
  answer.content.storeKept = none;
  last = answer;
  show();
  const ended = answer.status === 200
    && ["promoted", "rolled_back"].includes(answer.content.release.phase);
  await offerStart(none || ended);
  await showPairs(answer.status === 200 && !ended);
}

async function lookNow() {
  try {
    await look();
  } catch {
    last = { status: 0, content: {} };
    show();
  }
}

async function watch() {
  await lookNow();
  setTimeout(watch, LOOK_MS);
}

connectMoves(lookNow, () => last?.content);
connectStart(lookNow);
at("report").addEventListener("click", async () => {
  const text = await textAt("/v1/releases/report");
  if (text) download(`${last.content.release.release_id}.md`, text, "text/markdown");
});
onLanguage(() => {
  document.title = say("releaseTitle");
  show();
});
connectFrame();
watch();
