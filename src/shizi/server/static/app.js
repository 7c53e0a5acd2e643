// The upload page: one picture in, its lines out. No file leaves before the button is pressed.

const LOW_CONFIDENCE = 0.8;

const WORDS = {
  zh: {
    tagline: "读取图片和文档中的中英文文字；文件不离开这台服务器。",
    choose: "选择图片或 PDF",
    drop: "也可以拖放到这里，或按 Ctrl+V 粘贴",
    start: "开始高精度识别",
    picture: "图片",
    lines: "识别结果",
    copy: "复制全部",
    copied: "已复制",
    notCopied: "无法复制，请手动选择文字",
    working: "正在识别……",
    nothing: "没有找到文字。",
    unreachable: "无法连接服务，请稍后再试。",
    summary: (lines, seconds) => `${lines} 行，${seconds} 秒`,
    page: (number) => `第 ${number} 页`,
    other: "English",
  },
  en: {
    tagline: "Reads Chinese and English text in pictures and documents; no file leaves this server.",
    choose: "Choose a picture or PDF",
    drop: "or drop it here, or paste it with Ctrl+V",
    start: "Start high-accuracy reading",
    picture: "Picture",
    lines: "Text",
    copy: "Copy all",
    copied: "Copied",
    notCopied: "Cannot copy; please select the text by hand",
    working: "Reading…",
    nothing: "No text was found.",
    unreachable: "The service cannot be reached; try again later.",
    summary: (lines, seconds) => `${lines} ${lines === 1 ? "line" : "lines"}, ${seconds} s`,
    page: (number) => `Page ${number}`,
    other: "中文",
  },
};

const at = (id) => document.getElementById(id);
const state = { language: "zh", file: null, pictureUrl: null, response: null, status: null };

function words() {
  return WORDS[state.language];
}

function setLanguage(language) {
  state.language = language;
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  for (const element of document.querySelectorAll("[data-text]")) {
    element.textContent = words()[element.dataset.text];
  }
  at("language").textContent = words().other;
  at("language").lang = language === "zh" ? "en" : "zh-CN";
  showStatus(state.status);
  if (state.response) showResponse(state.response);
}

// A status is a key of WORDS, or the words of the server.
function showStatus(status, isError = at("status").classList.contains("error")) {
  state.status = status;
  at("status").textContent = status ? (words()[status] ?? status) : "";
  at("status").classList.toggle("error", Boolean(status) && isError);
}

function chooseFile(file) {
  state.file = file;
  at("chosen").textContent = file ? file.name : "";
  showStatus(null);
  forgetResult();
  if (state.pictureUrl) URL.revokeObjectURL(state.pictureUrl);
  state.pictureUrl = null;
  if (!file || !file.type.startsWith("image/")) return;
  state.pictureUrl = URL.createObjectURL(file);
  at("picture").src = state.pictureUrl;
  at("preview").hidden = false;
}

function forgetResult() {
  state.response = null;
  at("result").hidden = true;
  at("preview").hidden = true;
  at("boxes").replaceChildren();
}

async function read(event) {
  event.preventDefault();
  if (!state.file) return;
  at("start").disabled = true;
  showStatus("working", false);
  try {
    const form = new FormData();
    form.append("image", state.file, state.file.name);
    const answer = await fetch("/ocr", { method: "POST", body: form });
    const response = await answer.json();
    if (response.success) {
      state.response = response;
      showStatus(response.results.length ? null : "nothing", false);
      showResponse(response);
    } else {
      showStatus(`${response.error.message}\n${response.error.advice}`, true);
    }
  } catch {
    showStatus("unreachable", true);
  } finally {
    at("start").disabled = false;
  }
}

function showResponse(response) {
  at("summary").textContent = words().summary(
    response.results.length, response.total_time.toFixed(2));
  at("warnings").replaceChildren(...response.warnings.map((warning) => {
    const item = document.createElement("li");
    item.textContent = warning.page ? `${words().page(warning.page)}: ${warning.detail}` : warning.detail;
    return item;
  }));
  const severalPages = response.pages.length > 1;
  const items = [];
  let page = 0;
  response.results.forEach((line, index) => {
    if (severalPages && line.page !== page) items.push(pageItem(line.page));
    page = line.page;
    items.push(lineItem(line, index));
  });
  at("lines").replaceChildren(...items);
  drawBoxes(response);
  at("result").hidden = false;
}

function pageItem(number) {
  const item = document.createElement("li");
  item.className = "page";
  item.textContent = words().page(number);
  return item;
}

function lineItem(line, index) {
  const item = document.createElement("li");
  item.dataset.index = index;
  const text = document.createElement("span");
  text.className = "text";
  text.textContent = line.text;
  const confidence = document.createElement("span");
  confidence.className = line.confidence < LOW_CONFIDENCE ? "confidence low" : "confidence";
  confidence.textContent = `${(line.confidence * 100).toFixed(1)}%`;
  item.append(text, confidence);
  return item;
}

function drawBoxes(response) {
  const svg = at("boxes");
  svg.replaceChildren();
  if (!state.pictureUrl || response.pages.length !== 1) return;
  const { width, height } = response.pages[0];
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  response.results.forEach((line, index) => {
    const polygon = document.createElementNS("http://www.w3.org/2000/svg", "polygon");
    polygon.setAttribute("points", line.box.map((point) => point.join(",")).join(" "));
    polygon.dataset.index = index;
    svg.append(polygon);
  });
}

// A line and its box light up together.
function highlight(event) {
  const index = event.target.closest("[data-index]")?.dataset.index;
  for (const element of document.querySelectorAll("[data-index]")) {
    element.classList.toggle("active", element.dataset.index === index);
  }
}

async function copyAll() {
  const text = state.response.results.map((line) => line.text).join("\n");
  try {
    await navigator.clipboard.writeText(text);
    showStatus("copied", false);
  } catch {
    // Outside https and localhost the clipboard is closed: leave the text selected instead.
    getSelection().selectAllChildren(at("lines"));
    showStatus(document.execCommand("copy") ? "copied" : "notCopied", false);
  }
}

at("upload").addEventListener("submit", read);
at("file").addEventListener("change", () => chooseFile(at("file").files[0] ?? null));
at("copy").addEventListener("click", copyAll);
at("language").addEventListener("click", () => setLanguage(state.language === "zh" ? "en" : "zh"));
at("lines").addEventListener("mouseover", highlight);
at("boxes").addEventListener("mouseover", highlight);

// A picture the browser cannot draw (HEIC, TIFF) has no preview.
at("picture").addEventListener("error", () => { at("preview").hidden = true; });

document.addEventListener("paste", (event) => {
  const file = event.clipboardData?.files[0];
  if (file) takeFile(file);
});
document.addEventListener("dragover", (event) => {
  event.preventDefault();
  at("drop").classList.add("over");
});
document.addEventListener("dragleave", () => at("drop").classList.remove("over"));
document.addEventListener("drop", (event) => {
  event.preventDefault();
  at("drop").classList.remove("over");
  const file = event.dataTransfer?.files[0];
  if (file) takeFile(file);
});

// Puts a dropped or pasted file into the form, so that "required" is content.
function takeFile(file) {
  const transfer = new DataTransfer();
  transfer.items.add(file);
  at("file").files = transfer.files;
  chooseFile(file);
}

setLanguage(navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en");
