// The ways a file comes in: chosen, dropped anywhere, pasted, photographed.

import { openCamera } from "./camera.js";
import { at } from "./dom.js";
import { announce } from "./notice.js";
import { say } from "./words.js";

export function connectIntake(files) {
  const take = (brought) => {
    const chosen = [...brought];
    if (!chosen.length) return;
    files.add(chosen);
    announce("added", chosen.length);
  };
  for (const id of ["file", "camera-file"]) {
    at(id).addEventListener("change", () => {
      take(at(id).files);
      at(id).value = ""; // so that the same file can be chosen again
    });
  }
  connectCamera(take);
  connectDrop(take);
  document.addEventListener("paste", (event) => {
    const pasted = [...(event.clipboardData?.files ?? [])];
    if (!pasted.length || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    take(pasted.map(named));
  });
}

// A pasted picture is always called image.png; the time tells several apart.
function named(file) {
  if (file.name && !/^image\.\w+$/.test(file.name)) return file;
  const time = new Date().toTimeString().slice(0, 8).replaceAll(":", "");
  const extension = file.type.split("/")[1]?.replace(/\W.*/, "") || "png";
  return new File([file], `${say("pasted")}-${time}.${extension}`, { type: file.type });
}

// Phones have a camera of their own behind a file field; elsewhere the browser opens one.
function connectCamera(take) {
  const isPhone = matchMedia("(pointer: coarse)").matches;
  const canOpen = Boolean(navigator.mediaDevices?.getUserMedia);
  at("camera").hidden = !isPhone && !canOpen;
  at("camera").addEventListener("click", () => {
    if (isPhone) at("camera-file").click();
    else openCamera((photo) => take([photo]));
  });
}

function connectDrop(take) {
  const over = (isOver) => document.body.classList.toggle("over", isOver);
  const bringsFiles = (event) => event.dataTransfer?.types.includes("Files");
  document.addEventListener("dragover", (event) => {
    if (!bringsFiles(event)) return;
    event.preventDefault();
    over(true);
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) over(false); // only when the pointer leaves the window
  });
  document.addEventListener("drop", (event) => {
    over(false);
    if (!bringsFiles(event)) return;
    event.preventDefault();
    const dropped = [...event.dataTransfer.items].filter((item) => item.kind === "file");
    const own = dropped.filter((item) => !item.webkitGetAsEntry?.()?.isDirectory);
    take(own.map((item) => item.getAsFile()).filter(Boolean));
    if (own.length < dropped.length) announce("foldersSkipped");
  });
}
