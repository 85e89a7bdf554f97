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

// A second click on a button sends nothing more. After a while it does, for answers that stay on the page.
const sent = new WeakSet();
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post") return;
  if (sent.has(form)) event.preventDefault();
  sent.add(form);
  setTimeout(() => sent.delete(form), 10_000);
});

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
