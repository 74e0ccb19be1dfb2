// What HTML and htmx do not do by themselves: dialogs, menus that close, keys, where the focus is. Pages work without it.
"use strict";

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-prints]")) window.print();
  const opener = event.target.closest("[popovertarget]");
  const box = opener && document.getElementById(opener.getAttribute("popovertarget"));
  if (box instanceof HTMLDialogElement) { // modal; without script it is a popover, which holds nothing back
    event.preventDefault();
    if (opener.getAttribute("popovertargetaction") === "hide") box.close(); else box.showModal();
  }
  for (const menu of document.querySelectorAll("details[data-menu][open]")) {
    if (!menu.contains(event.target)) menu.removeAttribute("open");
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll("details[data-menu][open]")) {
    menu.removeAttribute("open");
    menu.querySelector("summary")?.focus();
  }
});

// A filter that is chosen is asked for at once; without script its button does it.
document.addEventListener("change", (event) => {
  const form = event.target.closest("form[data-submits]");
  if (form) form.requestSubmit();
});

// A form asks for what the choice of `scope` needs, and for nothing else; without script it asks for all.
function scope(form) {
  const chosen = form.elements.scope.value;
  for (const part of form.querySelectorAll("[data-scope]")) part.hidden = !part.dataset.scope.split(" ").includes(chosen);
}
for (const form of document.querySelectorAll("form[data-scoped]")) {
  scope(form);
  form.addEventListener("change", () => scope(form));
}

// Whoever goes on with the tabulator leaves a menu behind, and it closes.
document.addEventListener("focusout", (event) => {
  const menu = event.target.closest?.("details[data-menu][open]");
  if (menu && event.relatedTarget && !menu.contains(event.relatedTarget)) menu.removeAttribute("open");
});

// What replaces the very thing that had the focus has it next, at its heading: the keyboard does not start again.
let asked = false;
document.addEventListener("htmx:beforeRequest", (event) => {
  const active = document.activeElement;
  asked = active !== document.body && event.detail.elt.contains(active);
});
document.addEventListener("htmx:afterSettle", (event) => {
  if (!asked || (document.activeElement && document.activeElement !== document.body)) return;
  const heading = event.target.querySelector?.("h1, h2, h3");
  if (!heading) return;
  heading.tabIndex = -1;
  heading.focus({ preventScroll: true });
});

// What is shown at once is also said to whoever listens. Where one field is wrong it is said there, and the keyboard goes on there.
document.addEventListener("htmx:responseError", (event) => {
  const told = document.getElementById("told");
  told?.scrollIntoView({ block: "nearest" });
  const { field: name, says } = told?.querySelector("[data-field]")?.dataset ?? {};
  const field = [...(event.detail.elt.closest("form")?.elements ?? [])].find((each) => name && each.name === name && each.type !== "hidden");
  if (!field) return;
  for (let fold = field.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
  const line = document.createElement("p");
  line.className = "error";
  line.id = `e-${name}`;
  line.textContent = says;
  field.dataset.was = field.getAttribute("aria-describedby") ?? "";
  field.setAttribute("aria-describedby", `${field.dataset.was} ${line.id}`.trim());
  field.setAttribute("aria-invalid", "true");
  if (!["checkbox", "radio"].includes(field.type)) field.before(line);
  field.focus();
});
document.addEventListener("htmx:beforeRequest", (event) => {
  for (const field of event.detail.elt.closest("form")?.querySelectorAll("[aria-invalid]") ?? []) {
    document.getElementById(`e-${field.name}`)?.remove();
    field.removeAttribute("aria-invalid");
    field.setAttribute("aria-describedby", field.dataset.was ?? "");
  }
});

// What waits to be sent is seen first, also where the page comes again and the browser would show the place of before.
const unsent = document.getElementById("unsent");
if (unsent) {
  history.scrollRestoration = "manual";
  unsent.focus({ preventScroll: true });
  unsent.scrollIntoView({ block: "start" });
}

// A page that asks again by itself does not leave for the way in while somebody is typing: once they send it, it is kept for them.
const usualOf = (list) => [...list.options].find((each) => each.defaultSelected) ?? list.options[0];
const isWritten = (field) =>
  field.matches("textarea, input:not([type=hidden], [type=checkbox], [type=radio])") && field.value !== field.defaultValue;
const isChanged = (field) => {
  if (field.matches("[type=checkbox], [type=radio]")) return field.checked !== field.defaultChecked;
  if (field.matches("select")) return field.value !== usualOf(field)?.value;
  return isWritten(field);
};
const isTyped = () => [...document.querySelectorAll("main form[method=post]")].some((form) => [...form.elements].some(isChanged));
document.addEventListener("htmx:beforeOnLoad", (event) => {
  const { xhr, requestConfig } = event.detail;
  if (xhr.status === 401 && requestConfig.headers["X-Asks-Again"] && isTyped()) event.preventDefault();
});

function tell(words) {
  const line = document.createElement("p");
  line.className = "callout bad";
  line.setAttribute("role", "alert");
  line.textContent = words;
  document.getElementById("told").replaceChildren(line);
  line.scrollIntoView({ block: "nearest" });
  return line;
}

// Another language is another page, on which nothing is typed yet: whoever types is asked once whether they mean it.
document.addEventListener("submit", (event) => {
  const { target: form } = event;
  if (!form.matches("form.choices") || "asked" in form.dataset || !isTyped()) return;
  event.preventDefault();
  form.dataset.asked = "";
  tell(document.getElementById("told").dataset.typed);
});

// Nothing is silent where the service cannot be reached; what it answers next takes these words away. A proxy whose
// service is away answers for it, in words of its own.
const isOurs = (mark, status) => mark !== null || status < 500;
const MARK = "X-Robots-Tag"; // that each answer of the service carries
function tellUnreachable() {
  const told = document.getElementById("told");
  if (!told || told.querySelector("[data-lost]")) return;
  tell(told.dataset.unreachable).dataset.lost = "";
}
document.addEventListener("htmx:sendError", tellUnreachable);
document.addEventListener("htmx:beforeSwap", (event) => {
  const { xhr } = event.detail;
  if (isOurs(xhr.getResponseHeader(MARK), xhr.status)) return;
  event.detail.shouldSwap = false;
  tellUnreachable();
});
document.addEventListener("htmx:beforeOnLoad", () => document.querySelector("#told [data-lost]")?.remove());

// A form that is answered by a whole page is sent once the service is there: what was typed would be gone from a browser
// that shows the page of a proxy, or that it is offline.
document.addEventListener("submit", async (event) => {
  const { target: form, submitter } = event;
  if (!form.matches("main form[method=post]:not([hx-post], [data-review-form], [data-reached])") || ![...form.elements].some(isWritten)) return;
  event.preventDefault();
  const answer = await fetch("/static/icons.svg", { method: "HEAD", cache: "no-store" }).catch(() => null);
  if (!answer || !isOurs(answer.headers.get(MARK), answer.status)) {
    form.closest("dialog")?.close(); // which would lie over the words
    tellUnreachable();
    return;
  }
  form.dataset.reached = "";
  form.requestSubmit(submitter);
  delete form.dataset.reached;
});

// Nobody waits in silence: what takes longer than a moment says that it is being done, beside what was pressed.
const working = new WeakMap();
document.addEventListener("htmx:beforeRequest", (event) => {
  const { elt } = event.detail;
  const words = document.getElementById("told")?.dataset.working;
  if (!words || !elt.matches("form[hx-post], a[hx-get]") || working.has(elt)) return;
  working.set(elt, setTimeout(() => {
    const line = document.createElement("span");
    line.className = "working soft";
    line.setAttribute("role", "status");
    (elt.querySelector(".form-acts") ?? elt).after(line);
    line.textContent = words;
    working.set(elt, line);
  }, 400));
});
document.addEventListener("htmx:afterRequest", (event) => {
  const found = working.get(event.detail.elt);
  working.delete(event.detail.elt);
  if (found instanceof HTMLElement) found.remove(); else clearTimeout(found);
});

// Parts of a form that go with a choice: data-when="NAME VALUE VALUE…". Without script all of them are there.
const showParts = () => {
  for (const part of document.querySelectorAll("[data-when]")) {
    const [name, ...values] = part.dataset.when.split(" ");
    const isMeant = values.includes(part.closest("form")?.elements[name]?.value);
    part.hidden = !isMeant;
    part.disabled = !isMeant;
  }
};
document.addEventListener("change", showParts);
document.addEventListener("DOMContentLoaded", showParts);

// A file that the service would refuse is told before it is sent; a proxy would say it in words of its own.
document.addEventListener("change", (event) => {
  const { most, tooLarge } = event.target.dataset ?? {};
  if (most) event.target.setCustomValidity((event.target.files[0]?.size ?? 0) > Number(most) ? tooLarge : "");
});

// Paper has nothing to open, and does not scroll: the rest of a list that the screen cuts short stands on it too, and a page
// in a frame to its end. That is as high as its own rules of paper make it.
let unfolded = [];
let ofPaper = [];
window.addEventListener("beforeprint", () => {
  unfolded = [...document.querySelectorAll("details.rest:not([open])")];
  for (const each of unfolded) each.open = true;
  for (const frame of document.querySelectorAll(".preview-frame")) {
    const { documentElement: page, styleSheets: sheets } = frame.contentDocument;
    ofPaper = [...sheets].flatMap((sheet) => [...sheet.cssRules]).filter((rule) => rule.media?.mediaText === "print");
    for (const rule of ofPaper) rule.media.mediaText = "all";
    frame.style.width = "18cm";
    frame.style.height = 0; // a page is never lower than its frame
    frame.style.height = `${page.scrollHeight + 2}px`;
  }
});
window.addEventListener("afterprint", () => {
  for (const each of unfolded) each.open = false;
  for (const rule of ofPaper) rule.media.mediaText = "print";
  for (const frame of document.querySelectorAll(".preview-frame")) frame.removeAttribute("style");
});
