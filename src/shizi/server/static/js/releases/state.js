// Where a release stands: its phases on a rail, the share, and the buttons that move it.

import { at, make, makeSvg } from "../dom.js";
import { say } from "../words.js";
import { call } from "./api.js";

const ANSWERING = ["shadow", "canary", "soak"];

export function showState({ release, missing }) {
  at("release-name").textContent = release.release_id;
  at("stable").textContent = release.stable;
  at("canary").textContent = release.canary;
  at("share").textContent = `${release.ratio_bp / 100} %`;
  const bar = makeSvg("rect", { width: release.ratio_bp / 100, height: 6 });
  at("share-bar").replaceChildren(bar);
  at("reason").textContent = `${release.reason} (${release.actor})`;
  at("missing").textContent = missing;
  showVerdict(release);
  at("rail").replaceChildren(...railOf(release));
  showButtons(release);
}

function showVerdict({ phase }) {
  const badge = at("verdict");
  badge.textContent = say(`phases.${phase}`);
  badge.className = `badge ${{ promoted: "good", rolled_back: "bad" }[phase] ?? ""}`;
}

// Each phase and each step of the plan has a place; those behind the present one are done.
function railOf(release) {
  const within = release.held ?? release.phase;
  const stages = [["loading"], ["verify"], ["shadow"]];
  release.plan.shares_bp.forEach((share, step) => stages.push(["canary", step, share]));
  stages.push(["soak"], ["promoted"]);
  const here = stages.findIndex(([phase, step]) => (
    phase === within && (step === undefined || step === release.step)));
  return stages.map(([phase, , share], place) => {
    const item = make("li", {}, share ? `${share / 100} %` : say(`phases.${phase}`));
    if (release.phase === "promoted" || place < here) item.className = "done";
    if (place === here) item.setAttribute("aria-current", "step");
    if (release.phase === "rolled_back") item.className = "broken";
    return item;
  });
}

function showButtons(release) {
  const within = release.held ?? release.phase;
  const may = {
    advance: ANSWERING.includes(within),
    hold: !["promoted", "rolled_back"].includes(release.phase),
    resume: release.phase === "hold",
    promote: ANSWERING.includes(within),
    rollback: release.phase !== "rolled_back",
  };
  for (const [move, allowed] of Object.entries(may)) {
    document.querySelector(`[data-move="${move}"]`).disabled = !allowed;
  }
  for (const part of at("share-form").elements) part.disabled = !ANSWERING.includes(within);
}

// Every button asks once, and moves only the state that was looked at.
export function connectMoves(done, seen) {
  const move = async (name, more = {}) => {
    const release = seen()?.release;
    if (!release) return;
    const epoch = release.epoch;
    const reason = await sure(name, release.canary);
    if (reason === null) return;
    const answer = await call("POST", `/v1/releases/${name}`, { epoch, reason, ...more });
    await done();
    if (answer.status !== 200) {
      at("problem").hidden = false;
      at("problem").textContent = answer.content.detail ?? say("unreachable");
    }
  };
  for (const button of document.querySelectorAll("[data-move]")) {
    button.addEventListener("click", () => move(button.dataset.move));
  }
  at("share-form").addEventListener("submit", (event) => {
    event.preventDefault();
    move("hold", { share: Number(at("share-value").value) / 100 });
  });
}

function sure(name, version) {
  const dialog = at("sure");
  at("sure-title").textContent = say(name);
  at("sure-text").textContent = say(`sure.${name}`, version);
  at("sure-reason").value = "";
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      resolve(dialog.returnValue === "ok" ? at("sure-reason").value : null);
    }, { once: true });
  });
}
