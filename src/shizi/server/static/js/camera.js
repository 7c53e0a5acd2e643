// Takes one photo with the computer's camera. Nothing is kept of the picture before the button.

import { at } from "./dom.js";
import { announce } from "./notice.js";
import { say } from "./words.js";

const WANTED = { video: { facingMode: "environment", width: { ideal: 2560 } }, audio: false };

export async function openCamera(take) {
  const dialog = at("camera-dialog");
  const video = at("camera-view");
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia(WANTED);
  } catch {
    announce("noCamera");
    return;
  }
  const shoot = async () => {
    take(await photoOf(video));
    dialog.close();
  };
  video.srcObject = stream;
  at("camera-shoot").addEventListener("click", shoot);
  dialog.addEventListener("close", () => {
    at("camera-shoot").removeEventListener("click", shoot);
    video.srcObject = null;
    for (const track of stream.getTracks()) track.stop();
  }, { once: true });
  dialog.showModal();
  await video.play().catch(() => undefined); // closed before it began
}

async function photoOf(video) {
  const canvas = document.createElement("canvas");
  canvas.width = video.videoWidth;
  canvas.height = video.videoHeight;
  canvas.getContext("2d").drawImage(video, 0, 0);
  const blob = await new Promise((resolve) => { canvas.toBlob(resolve, "image/jpeg", 0.95); });
  const time = new Date().toTimeString().slice(0, 8).replaceAll(":", "");
  return new File([blob], `${say("photo")}-${time}.jpg`, { type: "image/jpeg" });
}
