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
    errors: {
      bad_input: "无法读取这个文件。请用看图软件另存为 PNG、JPEG 或 PDF 再试。",
      busy: "服务繁忙，请稍后再试。",
      corrupt: "文件已损坏或不完整，请重新导出或重新发送。",
      encrypted_pdf: "PDF 已加密，请另存为不带密码的 PDF。",
      too_large: "文件太大，请换小一些的文件，或在配置中调高上限。",
      unsupported: "不支持这种文件格式，请转换为 PNG、JPEG、TIFF、WebP、BMP、GIF 或 PDF。",
    },
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
    errors: {},
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

// A status is a key of WORDS, or an error of the server.
function showStatus(status) {
  state.status = status;
  const isError = status === "unreachable" || Boolean(status?.code);
  at("status").textContent = status?.code ? errorText(status) : (words()[status] ?? "");
  at("status").classList.toggle("error", isError);
}

// What to do in the reader's language where we have it, with what the server said.
function errorText(error) {
  const known = words().errors[error.code];
  return known ? `${known}\n(${error.message})` : `${error.message}\n${error.advice}`;
}

function chooseFile(file) {
  state.file = file;
  at("chosen").textContent = file ? file.name : "";
  showStatus(null);
  forgetResult();
  at("preview").hidden = true;
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
  at("boxes").replaceChildren();
}

async function read(event) {
  event.preventDefault();
  const file = state.file;
  if (!file) return;
  at("start").disabled = true;
  showStatus("working");
  const response = await ask(file);
  at("start").disabled = false;
  // Another file was chosen meanwhile: this answer is not about it.
  if (state.file !== file) return;
  if (response.error) {
    forgetResult();
    showStatus(response.error);
  } else {
    state.response = response;
    showStatus(response.results.length ? null : "nothing");
    showResponse(response);
  }
}

// Gives the server's answer; its error may also be the key of a status.
async function ask(file) {
  const form = new FormData();
  form.append("image", file, file.name);
  try {
    return await (await fetch("/ocr", { method: "POST", body: form })).json();
  } catch {
    return { error: "unreachable" };
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
    showStatus("copied");
  } catch {
    // Outside https and localhost the clipboard is closed: leave the text selected instead.
    getSelection().selectAllChildren(at("lines"));
    showStatus(document.execCommand("copy") ? "copied" : "notCopied");
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

document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) at("upload").requestSubmit();
});
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
