// What pages do beyond forms and links. Everything works without it.
"use strict";

// Selecting: one box for all of the page, and the number on the buttons.
for (const form of document.querySelectorAll("form[data-selection]")) {
  const boxes = [...form.querySelectorAll('input[name="id"]')];
  const buttons = [...form.querySelectorAll("button[data-count]")];
  const label = form.querySelector("[data-all]");
  if (!label || boxes.length === 0) continue;
  const all = label.querySelector("input");
  const plain = new Map(buttons.map((button) => [button, button.textContent]));
  const show = () => {
    const count = boxes.filter((box) => box.checked).length;
    all.checked = count === boxes.length;
    all.indeterminate = count > 0 && count < boxes.length;
    for (const button of buttons) {
      button.disabled = count === 0;
      button.textContent = count === 0 ? plain.get(button) : button.dataset.count.replace("{}", count);
    }
  };
  all.addEventListener("change", () => {
    for (const box of boxes) box.checked = all.checked;
    show();
  });
  form.addEventListener("change", show);
  // Browsers keep ticks when a page is come back to.
  window.addEventListener("pageshow", show);
  label.hidden = false;
  show();
}

// A draft is tried out while it is written; without this its button does.
for (const form of document.querySelectorAll("form[data-preview]")) {
  const place = document.getElementById(form.dataset.preview);
  let timer, asked;
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(async () => {
      asked?.abort();
      asked = new AbortController();
      const fields = new URLSearchParams(new FormData(form));
      fields.set("act", "part");
      try {
        const answer = await fetch(form.action, { method: "POST", body: fields, signal: asked.signal, redirect: "error" });
        if (answer.ok) place.innerHTML = await answer.text();
      } catch { /* What was shown before stays. */ }
    }, 400);
  });
}

// Copying: only where the browser lets a page do so.
if (navigator.clipboard) {
  for (const button of document.querySelectorAll("button[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(button.dataset.copy);
      button.textContent = button.dataset.copied;
    });
  }
}

// A menu closes when something else is wanted.
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});
