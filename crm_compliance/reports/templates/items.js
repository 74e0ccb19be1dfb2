"use strict";
(() => {
  const items = [...document.querySelectorAll("article.item")];
  const made = new Map(); // item -> {status, code, text}, what was decided on this page
  const byId = (id) => document.getElementById(id);
  const words = { PENDING_REVIEW: "to decide", APPROVED: "to be released", APPROVED_REDACTED: "to be released with a different text", WITHHELD: "left out" };
  const SEEN = "SEEN_UNCHECKED"; // a word on one file that no program can check: by its own button, never by a key
  const NO_NAME = "NOT_A_NAME"; // a word on this text alone: a new one needs it again
  let unsaved = false;

  const statusOf = (item) => made.get(item.id)?.status ?? item.dataset.status;
  const isOpen = (item) => item.dataset.review === "1" && statusOf(item) === "PENDING_REVIEW";

  function draw(item) {
    const decision = made.get(item.id);
    const status = statusOf(item);
    item.querySelector("[data-part=status]").textContent =
      (words[status] ?? status) + (decision ? "" : item.dataset.review === "1" && status !== "PENDING_REVIEW" ? " (decided earlier)" : "");
    item.dataset.now = status;
    for (const button of item.querySelectorAll("button[data-do]")) {
      if (button.dataset.do) button.setAttribute("aria-pressed", String(decision?.status === button.dataset.do));
      else button.disabled = !decision;
    }
    const other = item.querySelector(".other");
    if (other) other.hidden = decision?.status !== "APPROVED_REDACTED";
    item.querySelector(".why").hidden = decision?.status !== "WITHHELD";
  }

  function count() {
    const asked = items.filter((item) => item.dataset.review === "1");
    const open = asked.filter(isOpen).length;
    byId("progress").textContent = `${asked.length - open} of ${asked.length} decided; ${made.size} on this page${unsaved ? ", not saved" : ""}`;
    byId("done").max = Math.max(asked.length, 1);
    byId("done").value = asked.length - open;
  }

  function decide(item, status) {
    if (!status) made.delete(item.id);
    else
      made.set(item.id, {
        status,
        code: status === "WITHHELD" ? item.querySelector(".why select").value : status === "APPROVED" && item.dataset.unread ? SEEN : "",
        text: status === "APPROVED_REDACTED" ? item.querySelector(".other textarea").value : "",
      });
    unsaved = true;
    draw(item);
    count();
  }

  function filter() {
    const [show, kind, find] = [byId("show").value, byId("kind").value, byId("find").value.trim().toLowerCase()];
    let left = 0;
    for (const item of items) {
      const fits =
        (!show || (show === "open" ? isOpen(item) : show === "decided" ? made.has(item.id) : item.dataset.flags.split(" ").includes(show))) &&
        (!kind || item.dataset.kind === kind) &&
        (!find || item.textContent.toLowerCase().includes(find));
      item.hidden = !fits;
      left += fits ? 1 : 0;
    }
    byId("none").hidden = left > 0 || items.length === 0;
  }

  function current() {
    return document.activeElement?.closest?.("article.item") ?? null;
  }

  function move(by) {
    const shown = items.filter((item) => !item.hidden);
    const at = shown.indexOf(current());
    const next = shown[at < 0 ? 0 : Math.min(Math.max(at + by, 0), shown.length - 1)];
    next?.focus();
    next?.scrollIntoView({ block: "start" });
  }

  function lines() {
    return [...made].map(([item, decision]) => {
      const line = { item, status: decision.status, digest: byId(item).dataset.digest };
      if (decision.code) line.code = decision.code;
      if (decision.text) line.text = decision.text;
      return JSON.stringify(line);
    });
  }

  function save() {
    const empty = [...made].find(([, decision]) => decision.status === "APPROVED_REDACTED" && !decision.text.trim());
    if (empty) {
      byId("progress").textContent = `${empty[0]}: write the text to be released instead, or choose a different answer`;
      byId(empty[0]).focus();
      return;
    }
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([lines().map((line) => line + "\n").join("")], { type: "application/jsonl" }));
    link.download = "decisions.jsonl";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    unsaved = false;
    count();
  }

  async function load(file) {
    let taken = 0, left = 0;
    for (const text of (await file.text()).split("\n").filter((line) => line.trim())) {
      let line = null;
      try {
        line = JSON.parse(text);
      } catch {
        left += 1;
        continue;
      }
      const item = items.find((each) => each.id === line.item);
      const known = item?.querySelector(`button[data-do="${CSS.escape(String(line.status))}"]`);
      if (!item || !line.status || !known || (line.digest && line.digest !== item.dataset.digest)) {
        left += 1;
        continue;
      }
      const why = item.querySelector(".why select"), other = item.querySelector(".other textarea");
      if (line.status === "APPROVED" && item.dataset.unread && line.code !== SEEN) {
        left += 1;
        continue;
      }
      if (line.code && line.status === "WITHHELD") {
        if (![...why.options].some((option) => option.value === line.code)) why.add(new Option(line.code, line.code));
        why.value = line.code;
      }
      if (line.text && other) other.value = line.text;
      decide(item, line.status);
      if (line.code === NO_NAME && line.status !== "WITHHELD") made.get(item.id).code = NO_NAME;
      taken += 1;
    }
    unsaved = false;
    filter();
    count();
    byId("progress").textContent += `; ${taken} taken from the file` + (left ? `, ${left} ignored (no such item, or the item has changed)` : "");
  }

  for (const item of items) {
    item.querySelector(".answers").hidden = false;
    draw(item);
    item.addEventListener("click", (event) => {
      const button = event.target.closest("button[data-do]");
      if (button) decide(item, button.dataset.do);
    });
    item.addEventListener("input", (event) => {
      if (event.target.matches(".why select, .other textarea")) decide(item, statusOf(item));
    });
  }
  for (const name of ["show", "kind", "find"]) byId(name).addEventListener("input", filter);
  byId("save").addEventListener("click", save);
  byId("load").addEventListener("change", (event) => event.target.files[0] && load(event.target.files[0]));
  addEventListener("beforeunload", (event) => unsaved && event.preventDefault());
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, textarea, select")) return;
    if (event.key === "j") return move(1);
    if (event.key === "k") return move(-1);
    const item = current();
    const status = { a: "APPROVED", r: "APPROVED_REDACTED", w: "WITHHELD", u: "" }[event.key];
    if (!item || status === undefined || (status && !item.querySelector(`button[data-do="${status}"]`))) return;
    event.preventDefault();
    if (status === "APPROVED" && item.dataset.unread) return;
    decide(item, status);
    if (status === "APPROVED_REDACTED") item.querySelector(".other textarea").focus();
  });
  count();
})();
