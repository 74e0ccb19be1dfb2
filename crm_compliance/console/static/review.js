// The review of an answer, by keyboard: the next item is fetched ahead, an item counts as seen once it is on the screen,
// and a decision leads on only after the service has said that it is stored. Buttons and links work without it.
"use strict";
(() => {
  const place = document.getElementById("review");
  if (!place) return;
  const KEYS = "review-single-keys";
  const LOOK_MS = 350; // a key that comes sooner was meant for the item before
  const said = document.getElementById("review-said");
  const wrong = document.getElementById("review-wrong");
  const ahead = new Map(); // address -> promise of the item's HTML
  const undo = []; // what was decided here, and what stood before
  let shownAt = performance.now();
  let seen = Promise.resolve(true);
  let endSeen = false;
  let watcher = null;
  let isBusy = false;
  let isKept = false; // the service has what is half written, and the page is about to be another one
  let range = null; // what is to be replaced: begin and end in the text

  const item = () => document.getElementById("item");
  const text = (name) => place.dataset[name] ?? "";
  const token = () => JSON.parse(document.body.getAttribute("hx-headers") || "{}")["X-CSRF-Token"] || "";
  const headers = () => ({ "HX-Request": "true", "X-CSRF-Token": token() });

  function tell(words) {
    said.textContent = "";
    requestAnimationFrame(() => { said.textContent = words; });
  }
  function complain(html, plain) {
    wrong.replaceChildren();
    if (html) wrong.append(pieces(html));
    else {
      const line = document.createElement("p");
      line.className = "callout bad";
      line.setAttribute("role", "alert");
      line.textContent = plain;
      wrong.append(line);
    }
    wrong.scrollIntoView({ block: "nearest" });
  }
  function pieces(html) {
    const box = document.createElement("template");
    box.innerHTML = html;
    return box.content;
  }

  // ── Showing ────────────────────────────────────────────────────────────
  async function ask(address, options = {}) {
    const answer = await fetch(address, { credentials: "same-origin", cache: "no-store", ...options, headers: { ...headers(), ...options.headers } });
    if (!isOurs(answer.headers.get(MARK), answer.status)) throw new Error("the service is away");
    const away = answer.headers.get("HX-Redirect");
    const isAgain = answer.headers.get("HX-Refresh") === "true"; // of an earlier session: the page comes again, with what was typed
    if (isAgain || answer.headers.get("X-Form-Kept")) isKept = true;
    if (answer.status === 401 && away) location.assign(away);
    if (isAgain) location.reload();
    return answer;
  }
  function fetched(address) {
    if (!ahead.has(address)) {
      const found = ask(address).then(async (answer) => ({ isThere: answer.ok, html: await answer.text() })).catch(() => ({ isThere: false, html: "" }));
      ahead.set(address, found);
      found.then((each) => { if (!each.isThere) ahead.delete(address); });
      while (ahead.size > 12) ahead.delete(ahead.keys().next().value);
    }
    return ahead.get(address);
  }
  async function go(address, words = "") {
    if (!address) { tell(text("noMore")); return; }
    const found = await fetched(address);
    ahead.delete(address);
    if (!found.isThere) {
      if (found.html) complain(found.html); else complain("", text("away"));
      if (words) tell(words); // what was decided is stored, even where what comes next cannot be shown
      return;
    }
    show(found.html, words);
    history.replaceState(null, "", item().dataset.href);
  }
  function show(html, words = "") {
    const main = document.getElementById("review-item");
    main.replaceChildren(pieces(html));
    wrong.replaceChildren();
    arrived(words, true);
  }
  function arrived(words, isNew) {
    const now = item();
    if (!now) return;
    for (const row of document.querySelectorAll(".review-list li")) {
      const isHere = row.id === `row-${now.dataset.item}`;
      row.classList.toggle("here", isHere);
      const link = row.querySelector("a");
      if (isHere) { link.setAttribute("aria-current", "true"); keepInSight(row); } else link.removeAttribute("aria-current");
    }
    if (isNew) keepList(now);
    shownAt = performance.now();
    watchEnd(now);
    look(now);
    if (isNew) {
      seen = now.dataset.open ? onScreen(now) : Promise.resolve(true);
      document.getElementById("item-title").focus({ preventScroll: true });
    }
    // As much of the item as fits: its head below the bar of the page, its end above the buttons.
    const bottom = now.querySelector("[data-end]")?.getBoundingClientRect().bottom ?? 0;
    if (now.getBoundingClientRect().top < 0 || bottom > window.innerHeight - footOf(now)) now.scrollIntoView({ block: "start" });
    seen.then(() => setTimeout(() => { now.dataset.ready = "1"; }, LOOK_MS));
    if (words) tell(words);
    for (const next of [now.dataset.next, now.dataset.previous]) if (next) fetched(next);
  }
  // The list has those around an item: beyond its end it is fetched again.
  async function keepList(now) {
    const list = document.querySelector(".review-list");
    if (!list || document.getElementById(`row-${now.dataset.item}`)) return;
    try {
      const answer = await fetch(now.dataset.href, { credentials: "same-origin", cache: "no-store" });
      const found = answer.ok && new DOMParser().parseFromString(await answer.text(), "text/html").querySelector(".review-list");
      if (!found || item() !== now) return;
      list.replaceWith(document.adoptNode(found));
      const row = document.getElementById(`row-${now.dataset.item}`);
      if (row) keepInSight(row);
    } catch { /* the list is a help: the item is there without it */ }
  }
  async function look(now) {
    const frame = now.querySelector("[data-review-look]");
    if (!frame) return;
    try {
      const answer = await ask(frame.dataset.reviewLook);
      const html = await answer.text();
      if (!frame.isConnected) return;
      frame.replaceChildren(pieces(html));
      const first = [...frame.querySelectorAll("img:not([loading=lazy])")];
      await Promise.all(first.map((image) => image.decode().catch(() => {})));
      if (frame.isConnected) watchEnd(now);
    } catch { complain("", text("away")); }
  }
  function keepInSight(row) {
    const list = row.closest(".review-list");
    if (list.scrollHeight <= list.clientHeight) return;
    const above = row.offsetTop - list.scrollTop;
    if (above < 40 || above > list.clientHeight - 80) list.scrollTop = row.offsetTop - list.clientHeight / 3;
  }
  // An item that was fetched ahead is no item that was seen: the service is told once the browser has painted it.
  function onScreen(now) {
    const { post, since } = now.dataset;
    return new Promise((done) => {
      requestAnimationFrame(() => requestAnimationFrame(async () => {
        if (document.visibilityState !== "visible" || item()?.dataset.since !== since) { done(false); return; }
        try {
          const answer = await ask(`${post}/shown`, { method: "POST", body: new URLSearchParams({ since }) });
          done(answer.ok);
        } catch { done(false); }
      }));
    });
  }
  function footOf(now) { // how much of the screen lies under the buttons; where it is low, they are at the end of the item
    const foot = now.querySelector(".review-acts");
    return foot && getComputedStyle(foot).position === "sticky" ? foot.offsetHeight : 0;
  }
  function watchEnd(now) {
    watcher?.disconnect();
    endSeen = false;
    const end = now.querySelector("[data-end]");
    if (now.querySelector("[data-review-look]:empty")) return; // its end is further down once the file is there
    if (!end || !("IntersectionObserver" in window)) { endSeen = true; return; }
    const foot = footOf(now);
    watcher = new IntersectionObserver((entries) => {
      if (entries.some((entry) => entry.isIntersecting)) { endSeen = true; watcher.disconnect(); }
    }, { rootMargin: `0px 0px -${foot}px 0px` });
    watcher.observe(end);
  }

  // ── Deciding ───────────────────────────────────────────────────────────
  async function send(fields, { isUndo = false } = {}) {
    const now = item();
    if (isBusy || !now?.dataset.open) return;
    if (fields.do !== "draft" && keepsHalf()) return;
    if (fields.do === "approve") {
      if (performance.now() - shownAt < LOOK_MS) { tell(text("look")); return; }
      if (!endSeen) {
        const end = now.querySelector("[data-end]");
        const most = Math.min(window.innerHeight * 0.8, end.getBoundingClientRect().top - window.innerHeight * 0.6);
        window.scrollBy({ top: Math.max(most, 80), behavior: "instant" });
        tell(text("more"));
        return;
      }
    }
    isBusy = true;
    now.setAttribute("aria-busy", "true");
    const before = { href: now.dataset.href, post: now.dataset.post, status: now.dataset.status, code: now.dataset.code, text: now.dataset.text ? stored(now.querySelector("#f-text")) : "" };
    let answer, html;
    try {
      if (fields.do === "approve" && !(await seen)) { seen = onScreen(now); await seen; }
      answer = await ask(now.dataset.post + now.dataset.query, { method: "POST", body: new URLSearchParams({ since: now.dataset.since, ...fields }) });
      html = await answer.text();
    } catch {
      complain("", text("unconfirmed"));
      return;
    } finally {
      isBusy = false;
      now.removeAttribute("aria-busy");
    }
    if (!answer.ok) {
      complain(html || "", text("unconfirmed"));
      const code = wrong.querySelector("code")?.textContent;
      if (code === "changed" || code === "not_shown") { ahead.delete(now.dataset.href); const kept = [...wrong.childNodes]; await go(now.dataset.href); wrong.replaceChildren(...kept); }
      if (code === "unchecked") now.querySelector("#f-looked")?.focus();
      if (code === "near_name") now.querySelector("#f-no-name")?.focus();
      wrong.scrollIntoView({ block: "nearest" }); // what came after has moved the page
      return;
    }
    const reply = pieces(html).querySelector("[data-reply]");
    if (!reply) return;
    for (const address of [...ahead.keys()]) if (address.split("?")[0] === before.post) ahead.delete(address);
    if (!isUndo) undo.push(before);
    take(reply);
    const words = isUndo ? text("undone") : reply.dataset.said;
    if (!reply.dataset.leadsOn) {
      document.getElementById("review-item").replaceChildren(reply.querySelector("#item"));
      wrong.replaceChildren();
      arrived(words, false);
      seen = Promise.resolve(true);
      document.getElementById("item-title").focus({ preventScroll: true });
    } else if (reply.dataset.over) location.assign(reply.dataset.next);
    else await go(reply.dataset.next, words);
  }
  function take(reply) {
    const row = reply.querySelector("li[id]");
    const old = row && document.getElementById(row.id);
    if (old) old.replaceWith(row);
    document.getElementById("review-progress")?.replaceWith(reply.querySelector("#review-progress"));
    document.getElementById("f-show")?.replaceWith(reply.querySelector("#f-show")); // whole: an option that is moved by itself forgets whether it is the chosen one
  }
  async function takeBack() {
    if (keepsHalf()) return;
    const last = undo.pop();
    if (!last) { tell(text("nothing")); return; }
    if (item()?.dataset.post !== last.post) { ahead.delete(last.href); await go(last.href); }
    if (item()?.dataset.post !== last.post) return;
    await send({ do: "restore", status: last.status, code: last.code, text: last.text }, { isUndo: true });
  }

  // ── Redacting ──────────────────────────────────────────────────────────
  const isLetter = (sign) => /[\p{L}\p{N}]/u.test(sign ?? "");
  function chosen() {
    const pane = item()?.querySelector("[data-proposal]");
    const selection = getSelection();
    if (!pane || !selection.rangeCount || selection.isCollapsed) return null;
    const picked = selection.getRangeAt(0);
    if (!pane.contains(picked.startContainer) || !pane.contains(picked.endContainer)) return null;
    const whole = pane.textContent;
    const before = document.createRange();
    before.selectNodeContents(pane);
    before.setEnd(picked.startContainer, picked.startOffset);
    let begin = before.toString().length;
    let end = begin + picked.toString().length;
    while (begin < end && /\s/.test(whole[begin])) begin += 1;
    while (end > begin && /\s/.test(whole[end - 1])) end -= 1;
    if (begin === end) return null;
    while (begin > 0 && isLetter(whole[begin]) && isLetter(whole[begin - 1])) begin -= 1; // half a name is a name
    while (end < whole.length && isLetter(whole[end - 1]) && isLetter(whole[end])) end += 1;
    return { begin, end, whole };
  }
  function places(whole, part) {
    const found = [];
    for (let at = whole.indexOf(part); at >= 0; at = whole.indexOf(part, at + part.length)) {
      const isWord = !(isLetter(part[0]) && isLetter(whole[at - 1])) && !(isLetter(part.at(-1)) && isLetter(whole[at + part.length]));
      if (isWord) found.push(at);
    }
    return found;
  }
  function redact() {
    if (keepsHalf()) return;
    range = chosen();
    if (!range) { edit(true); tell(text("select")); return; }
    const box = document.getElementById("review-redact");
    const part = range.whole.slice(range.begin, range.end);
    const others = places(range.whole, part);
    box.querySelector("[data-review-selected]").textContent = part;
    box.querySelector("[data-review-everywhere]").hidden = others.length < 2;
    box.querySelector("[data-review-count]").textContent = others.length;
    box.showModal();
    box.querySelector("[data-review-choose]").focus();
  }
  function replaceBy(label) {
    const box = document.getElementById("review-redact");
    const { begin, end, whole } = range;
    const part = whole.slice(begin, end);
    const found = places(whole, part);
    const all = found.length > 1 && document.getElementById("f-everywhere").checked ? found : [begin];
    let made = "";
    let at = 0;
    for (const start of all) { made += whole.slice(at, start) + label; at = start + part.length; }
    box.close();
    send({ do: "draft", text: made + whole.slice(at) });
  }
  function edit(isOpen) {
    const box = document.getElementById("review-edit");
    if (!box) return;
    box.open = isOpen;
    item().querySelector("[data-review-edit]")?.setAttribute("aria-expanded", String(isOpen));
    const area = box.querySelector("textarea");
    if (isOpen) { area.focus(); area.setSelectionRange(0, 0); area.scrollIntoView({ block: "center" }); } else document.getElementById("item-title").focus({ preventScroll: true });
  }
  // What the service has; a field that is filled in again after a new sign-in says what was typed, and was something else.
  const stored = (area) => area?.dataset.was ?? area?.defaultValue ?? "";
  // What is typed and not kept would be lost with the item, or passed over by a decision on the text before it.
  function isHalfWritten() {
    const area = document.getElementById("f-text");
    return Boolean(area) && area.value !== stored(area).replace(/\r\n?/g, "\n"); // a value has no other line ends
  }
  function keepsHalf() {
    if (!isHalfWritten()) return false;
    edit(true);
    complain("", text("half"));
    return true;
  }
  const goOn = (address) => { if (!keepsHalf()) go(address); };
  addEventListener("beforeunload", (event) => { if (!isKept && isHalfWritten()) event.preventDefault(); });
  function insert(label) {
    const area = document.getElementById("f-text");
    area.setRangeText(label, area.selectionStart, area.selectionEnd, "end");
    area.focus();
  }

  // ── Hands ──────────────────────────────────────────────────────────────
  document.addEventListener("submit", (event) => {
    const form = event.target.closest("[data-review-form]");
    if (!form) return;
    event.preventDefault();
    const fields = Object.fromEntries(new FormData(form, event.submitter));
    delete fields.csrf;
    delete fields.since;
    form.closest("dialog")?.close();
    send(fields);
  });
  document.addEventListener("change", (event) => {
    if (event.target.closest("[data-review-filters]")) event.target.form.requestSubmit();
    if (event.target.matches("[data-review-keys]")) {
      localStorage.setItem(KEYS, event.target.checked ? "on" : "off");
      tell(text(event.target.checked ? "keysOn" : "keysOff"));
    }
  });
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-review-go]");
    if (link && !event.metaKey && !event.ctrlKey && !event.shiftKey) { event.preventDefault(); goOn(link.getAttribute("href")); return; }
    if (event.target.closest("[data-review-redact]")) redact();
    if (event.target.closest("[data-review-edit]")) edit(!document.getElementById("review-edit").open);
    if (event.target.closest("[data-review-cancel]")) { const area = document.getElementById("f-text"); area.value = stored(area); wrong.replaceChildren(); edit(false); }
    const label = event.target.closest("[data-review-label]");
    if (label) insert(label.dataset.reviewLabel);
    const choice = event.target.closest("[data-review-choose]");
    if (choice) replaceBy(choice.dataset.reviewChoose);
  });
  document.addEventListener("mousedown", (event) => { // a click on the button keeps what is selected
    if (event.target.closest("[data-review-redact], [data-review-label]")) event.preventDefault();
  });

  const areKeysOn = () => localStorage.getItem(KEYS) !== "off";
  document.addEventListener("keydown", (event) => {
    if (event.isComposing || event.altKey || event.metaKey) return;
    const area = event.target.closest?.("#f-text");
    if (area && event.key === "Enter" && event.ctrlKey) { event.preventDefault(); send({ do: "draft", text: area.value }); return; }
    if (area && event.key === "Escape") { edit(false); return; }
    if (event.ctrlKey) return;
    const open = document.querySelector("dialog[open]");
    if (open) { inDialog(open, event); return; }
    if (!areKeysOn() && event.key !== "?") return;
    if (event.target.closest?.("textarea, select, audio, input:not([type=checkbox])")) return;
    if (event.shiftKey && event.key.startsWith("Arrow")) return; // it makes what is selected longer or shorter
    const act = ACTS[event.key];
    if (!act || !item() && !"?u".includes(event.key)) return;
    event.preventDefault();
    if (!event.repeat || event.key === "j" || event.key === "k") act();
  });
  function inDialog(open, event) {
    const number = /^[1-9]$/.test(event.key) && areKeysOn() ? Number(event.key) - 1 : -1;
    if (number < 0) return;
    if (open.id === "review-redact") { event.preventDefault(); open.querySelectorAll("[data-review-choose]")[number]?.click(); }
    if (open.id === "review-withhold") {
      event.preventDefault();
      const reason = open.querySelectorAll("[name=code]")[number];
      if (reason) { reason.checked = true; reason.focus(); }
    }
  }
  const press = (name) => item().querySelector(`[name=do][value=${name}]`)?.click();
  const ACTS = {
    j: () => goOn(item().dataset.next), ArrowRight: () => goOn(item().dataset.next),
    k: () => goOn(item().dataset.previous), ArrowLeft: () => goOn(item().dataset.previous),
    a: () => press("approve"), n: () => press("not_person"), u: takeBack,
    r: () => { if (item().querySelector("[data-review-redact]")) redact(); },
    e: () => edit(true),
    w: () => { const box = document.getElementById("review-withhold"); if (!box) return; box.showModal(); box.querySelector("[name=code]:checked")?.focus(); },
    o: () => item().querySelector("[data-review-file]")?.click(),
    "?": () => document.getElementById("review-keys").showModal(),
  };

  const box = document.querySelector("[data-review-keys]");
  if (box) box.checked = areKeysOn();
  document.querySelector("[data-review-filters] button")?.classList.add("unseen-with-script");
  arrived("", false);
})();
