// The field in which one line is changed: Enter or leaving it saves, Esc abandons.

import { make } from "./dom.js";
import { say } from "./words.js";

// Puts the field in place of the text; `end` gets the new text, or null, and whether a key ended it.
export function openEditor(place, text, end) {
  const field = make("textarea", { class: "editor", rows: 1, "aria-label": say("editLabel") });
  field.value = text;
  let isOpen = true;
  const close = (value, byKey) => {
    if (!isOpen) return;
    isOpen = false;
    end(value, byKey);
  };
  field.addEventListener("keydown", (event) => {
    // Enter and Esc belong to the input method while it composes Chinese.
    if (event.isComposing) return;
    if (event.key !== "Enter" && event.key !== "Escape") return;
    if (event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    event.stopPropagation();
    close(event.key === "Enter" ? field.value : null, true);
  });
  field.addEventListener("blur", () => close(field.value, false));
  field.addEventListener("input", () => grow(field));
  place.replaceChildren(field);
  grow(field);
  field.focus();
  field.select();
}

function grow(field) {
  field.style.height = "auto";
  field.style.height = `${field.scrollHeight}px`;
}
