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

// The live line: how many came in since the page was made. The list changes only on request.
for (const line of document.querySelectorAll("[data-live]")) {
  const link = line.querySelector("a");
  let source, asking, count = 0;
  // Each copy of the service counts the same from another beginning, and any of them may answer: what was counted
  // before its first answer is added to what it has counted since.
  const before = new Map();
  const hear = (said) => {
    const [epoch, total] = said.split(" ").map(Number);
    if (!before.has(epoch)) before.set(epoch, count - total);
    const counted = before.get(epoch) + total;
    if (counted > count) {
      count = counted;
      link.textContent = line.dataset.words.replace("{}", count.toLocaleString(document.documentElement.lang));
      link.hidden = false;
    }
  };
  // Where no stream gets through, it is asked for; a session that is over leads elsewhere.
  const ask = async () => {
    try {
      const answer = await fetch(`${line.dataset.live}?once=yes`, { redirect: "manual" });
      if (answer.type === "opaqueredirect") return;
      if (answer.ok) hear(await answer.text());
    } catch { /* Perhaps the next time. */ }
    asking = setTimeout(ask, 15_000);
  };
  const listen = () => {
    let heard = false;
    const stream = (source = new EventSource(line.dataset.live));
    const fall = () => { stream.close(); if (source === stream) ask(); };
    stream.onmessage = (event) => { heard = true; hear(event.data); };
    stream.onerror = () => { if (stream.readyState === EventSource.CLOSED) fall(); };
    setTimeout(() => { if (!heard && stream.readyState !== EventSource.CLOSED) fall(); }, 10_000);
  };
  const rest = () => { source?.close(); source = undefined; clearTimeout(asking); };
  // A browser has six connections to a service: tabs that nobody sees give theirs back.
  document.addEventListener("visibilitychange", () => { rest(); if (!document.hidden) listen(); });
  window.addEventListener("pagehide", rest);
  if (!document.hidden) listen();
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

// A second click on a button sends nothing more. After a while it does, for answers that stay on the page.
const sent = new WeakSet();
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post") return;
  const what = event.submitter ?? form;
  if (sent.has(what)) event.preventDefault();
  sent.add(what);
  setTimeout(() => sent.delete(what), 10_000);
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
