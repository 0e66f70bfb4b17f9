
// Corrections: what somebody who looks at the page knows better. A picture is wrong where it is, unsure, or certain to belong to a cluster;
// a cluster has a name. The same name twice is one cluster, a name that nobody has a new one. They stay in this browser, by the key of the clustering.
const place = `rpsc-fixes-${told.key}`;
const empty = () => ({ clusters: {}, pictures: {} });
let fixes = empty(), past = [];
const selected = new Set();

try { fixes = { ...empty(), ...JSON.parse(localStorage.getItem(place)) }; } catch { /* kept until the page is closed */ }

const tidy = text => text.normalize("NFC").trim().replace(/\s+/g, " ");
const folded = text => tidy(text).toLowerCase();
const currentName = k => fixes.clusters[k] ?? told.names[k] ?? null;
const nameOf = k => currentName(k) ? `cluster ${k}, ${currentName(k)}` : `cluster ${k}`;
const live = told.sizes.map((_, k) => k).filter(k => told.sizes[k]);
const sameName = k => currentName(k) ? live.filter(other => other !== k && currentName(other) && folded(currentName(other)) === folded(currentName(k))) : [];
const newNames = () => [...new Set(Object.values(fixes.pictures).map(fix => fix.to).filter(to => typeof to === "string"))];

// What a name means: {to: number or new name}, or {why: a sentence} where it can be none.
function meant(text) {
  const name = tidy(text), cluster = /^(?:cluster )?(\d+)(?:, .*)?$/i.exec(name);
  if (!name) return { why: "Give the name or the number of a cluster." };
  const known = live.find(k => currentName(k) && folded(currentName(k)) === folded(name));
  if (known !== undefined) return { to: known };
  if (cluster) return Number(cluster[1]) < told.sizes.length ? { to: Number(cluster[1]) } : { why: `There is no cluster ${cluster[1]}.` };
  if (/^(wrong|unsure)$/i.test(name)) return { why: `“${name}” has a meaning of its own and cannot be a name.` };
  if (name.length > 100) return { why: "A name has at most 100 letters." };
  return { to: newNames().find(other => folded(other) === folded(name)) ?? name };
}

// The file. A row with a path is about a picture, one without about a cluster.
const fixWords = fix => fix.is ?? (typeof fix.to === "string" ? fix.to : currentName(fix.to) && !sameName(fix.to).length ? currentName(fix.to) : `cluster ${fix.to}`);

function rows(members) {
  const clusters = Object.entries(fixes.clusters).map(([k, name]) => ({ path: "", cluster: Number(k), fix: name }));
  const pictures = Object.keys(fixes.pictures).map(Number).sort((a, b) => a - b).map(i => (
    { path: members.path(i), cluster: members.cluster(i), fix: fixWords(fixes.pictures[i]) }));
  return [...clusters, ...pictures];
}

function csv(members) { // as a spreadsheet reads and writes it; no cell is a formula
  const formula = /^'*[=+\-@\t\r\n＝＋－＠]/, isNumber = text => text.trim() !== "" && Number.isFinite(Number(text));
  const cell = value => {
    const text = formula.test(value) && !isNumber(`${value}`) ? `'${value}` : `${value}`;
    return /[",;\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return "\ufeff" + [["path", "cluster", "fix"], ...rows(members).map(Object.values)].map(row => row.map(cell).join(",") + "\r\n").join("");
}

function json(members) {
  const all = rows(members), clusters = all.filter(row => !row.path).map(({ cluster, fix }) => ({ cluster, name: fix }));
  return JSON.stringify({ format: "rpsc fixes", version: 1, clustering: told.key, clusters, pictures: all.filter(row => row.path) }, null, 1) + "\n";
}

function startCorrecting(members) {
  const bar = one("#bar"), status = one("#bar-status");
  const say = words => { status.textContent = words; };

  function change(edit, words) {
    const before = JSON.stringify(fixes);
    edit();
    if (JSON.stringify(fixes) === before) return;
    past.push(before);
    past = past.slice(-200);
    keep();
    show();
    if (words) say(words);
  }
  function keep() { try { localStorage.setItem(place, JSON.stringify(fixes)); } catch { say("This browser keeps nothing for this page: save before you close it."); } }

  // Pictures: those that are selected, or the one that has the focus.
  function mark(fix, ids) {
    ids = [...ids];
    if (!ids.length) return say("Select pictures first: their tick, or Space.");
    const words = { wrong: "wrong here", unsure: "unsure", right: "right here", none: "without a mark" }[fix] ?? `to ${named(fix.to)}`;
    change(() => {
      for (const i of ids) {
        if (fix === "none") delete fixes.pictures[i];
        else fixes.pictures[i] = typeof fix === "object" ? fix : fix === "right" ? { to: members.cluster(i) } : { is: fix };
      }
      selected.clear();
    }, `${countOf(ids.length, "picture")} ${words}.`);
    showSelection();
  }
  const named = to => typeof to === "number" ? nameOf(to) : to;

  // A cluster: its name, from the card.
  function rename(k, text) {
    const name = tidy(text), found = meant(name || "-"), own = told.names[k] ?? "";
    if (name && found.why) return found.why;
    if (/^(?:cluster )?\d+(?:, .*)?$/i.test(name)) return "A number is no name; to merge, choose the other cluster beside it.";
    change(() => { if (!name || name === own) delete fixes.clusters[k]; else fixes.clusters[k] = name; });
    const others = sameName(k);
    say(others.length ? `Cluster ${k} and ${others.join(", ")} will be one: ${currentName(k)}.` : `Cluster ${k} ${currentName(k) ? `is called ${currentName(k)}` : "has no name"}.`);
    return "";
  }
  function merge(k, other) {
    const name = currentName(other) ?? currentName(k) ?? `${other} + ${k}`;
    change(() => { fixes.clusters[k] = name; if (currentName(other) !== name) fixes.clusters[other] = name; },
      `Cluster ${k} and ${other} will be one: ${name}.`);
  }

  function equip(card) { // what a card gets: all its members, a name, a merge
    const k = Number(card.dataset.cluster), tools = document.createElement("div");
    tools.className = "tools";
    tools.innerHTML = `<input class="name" autocomplete="off" maxlength="100" list="targets"><select class="merge"><option value="">Merge …</option></select><button type="button" class="plain do-merge" hidden>Merge</button><a class="all" href="#cluster=${k}"></a>`;
    const input = one("input", tools), select = one("select", tools), link = one("a", tools), button = one("button", tools);
    input.setAttribute("aria-label", `Name of cluster ${k}`);
    input.placeholder = "Name it …";
    select.setAttribute("aria-label", `Merge cluster ${k} with`);
    link.textContent = `All ${number(told.sizes[k])}`;
    link.setAttribute("aria-label", `All ${countOf(told.sizes[k], "image")} of cluster ${k}`);
    link.hidden = !isWhole;
    input.addEventListener("change", () => { const why = rename(k, input.value); input.setCustomValidity(why); if (why) { say(why); input.reportValidity(); bar.hidden = false; } });
    input.addEventListener("input", () => input.setCustomValidity(""));
    const fill = () => { if (select.length === 1) select.append(...live.filter(other => other !== k).map(other => new Option(nameOf(other), other))); };
    select.addEventListener("pointerdown", fill);
    select.addEventListener("focus", fill);
    select.addEventListener("change", () => { button.hidden = !select.value; }); // arrow keys choose, and nothing is done yet
    button.addEventListener("click", () => { merge(k, Number(select.value)); select.length = 1; button.hidden = true; select.focus(); });
    const note = document.createElement("p");
    note.className = "quiet merged";
    one("h3", card).after(tools, note);
  }

  // Ticks, on whatever pictures there are now.
  let last = null; // the picture that was ticked last
  function dress() {
    for (const pic of all(".strip .pic")) {
      const item = pic.parentElement, i = Number(pic.dataset.i);
      let tick = one(".tick", item);
      if (!tick) {
        tick = Object.assign(document.createElement("input"), { type: "checkbox", className: "tick", tabIndex: pic.tabIndex });
        tick.setAttribute("aria-label", `Select ${members.name(i)}`);
        item.append(tick);
        pic.dataset.words = wordsOf(pic);
      }
      tick.checked = selected.has(i);
      const fix = fixes.pictures[i], own = fix && fix.to === members.cluster(i);
      item.dataset.fix = fix ? fix.is ?? (own ? "right" : "moved") : "";
      const words = fix && (own ? "right here" : fix.is ? { wrong: "wrong here", unsure: "unsure" }[fix.is] : `to ${named(fix.to)}`);
      if (fix) pic.setAttribute("aria-label", `${pic.dataset.words}; marked: ${words}`);
      else pic.setAttribute("aria-label", pic.dataset.words);
      let badge = one(".badge", item);
      if (fix && !badge) { badge = document.createElement("span"); badge.className = "badge"; badge.ariaHidden = "true"; item.append(badge); }
      if (!fix) badge?.remove();
      else badge.textContent = own ? "✓" : fix.is ? { wrong: "✕", unsure: "?" }[fix.is] : `→ ${typeof fix.to === "number" ? currentName(fix.to) ?? fix.to : fix.to}`;
    }
  }

  function showSelection() {
    const n = selected.size;
    one("#chosen").hidden = !n;
    one("#chosen-words").textContent = `${number(n)} selected`;
    document.body.classList.toggle("selecting", n > 0);
    for (const tick of all(".tick")) tick.checked = selected.has(Number(one(".pic", tick.parentElement).dataset.i));
    showBar();
  }
  function showBar() {
    const pictures = Object.keys(fixes.pictures).length, clusters = Object.keys(fixes.clusters).length;
    one("#done").hidden = !pictures && !clusters && !past.length;
    one("#done-words").textContent = `${countOf(pictures, "picture")}, ${countOf(clusters, "cluster name")}`;
    for (const id of ["save-csv", "save-json", "discard"]) one(`#${id}`).disabled = !pictures && !clusters;
    one("#undo").disabled = !past.length;
    bar.hidden = one("#done").hidden && one("#chosen").hidden;
    document.body.style.paddingBottom = bar.hidden ? "" : `${bar.offsetHeight + 16}px`;
  }
  function show() {
    for (const card of all(".card")) {
      const k = Number(card.dataset.cluster), input = one(".name", card), others = sameName(k);
      one("h3 span", card).textContent = capital(nameOf(k));
      if (document.activeElement !== input || input.validity.valid) input.value = currentName(k) ?? "";
      one(".merged", card).textContent = others.length ? `One with cluster ${others.join(", ")}: the same name.` : "";
    }
    const options = [...live.map(k => currentName(k) ?? `cluster ${k}`), ...newNames()];
    one("#targets").replaceChildren(...[...new Set(options)].map(value => Object.assign(document.createElement("option"), { value })));
    dress();
    showSelection();
    dispatchEvent(new Event("marks"));
  }

  function toggle(pic, isRange) {
    const pics = picsOf(pic.closest(".strip")), to = pics.indexOf(pic), from = isRange ? pics.indexOf(last) : to;
    const turnsOn = from === to || from < 0 ? !selected.has(Number(pic.dataset.i)) : selected.has(Number(last.dataset.i));
    for (const one of pics.slice(Math.min(to, from < 0 ? to : from), Math.max(to, from) + 1)) selected[turnsOn ? "add" : "delete"](Number(one.dataset.i));
    last = pic;
    showSelection();
  }

  document.addEventListener("click", event => {
    const tick = event.target.closest?.(".tick"), pic = tick ? one(".pic", tick.parentElement) : picAt(event);
    if (!pic || !tick && !event.shiftKey) return;
    if (!tick) event.preventDefault(); // with Shift a browser opens a window
    toggle(pic, event.shiftKey);
  }, true);
  document.addEventListener("focusin", event => { const pic = picAt(event); if (pic && !one(".tick", pic.parentElement)) dress(); });

  // Keys on a picture; in the large view they are about the one that is shown.
  const letters = { w: "wrong", r: "right", u: "unsure", Delete: "none", Backspace: "none" };
  const idsAt = pic => selected.size ? selected : [Number(pic.dataset.i)];
  let isToggled = false;
  document.addEventListener("keydown", event => {
    const inLarge = dialog.open, pic = inLarge ? shown : picAt(event), key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if ((event.ctrlKey || event.metaKey) && key === "z" && !event.target.matches("input")) { event.preventDefault(); return undo(); }
    if (!pic || event.target.matches("input:not(.tick)") || event.altKey) return;
    if ((event.ctrlKey || event.metaKey) && key === "a" && !inLarge) {
      for (const other of picsOf(pic.closest(".strip"))) selected.add(Number(other.dataset.i));
      showSelection();
    } else if (event.ctrlKey || event.metaKey) return;
    else if (key === " " && !inLarge) { isToggled = true; toggle(pic, event.shiftKey); }
    else if (key === "Escape" && !inLarge && selected.size) { selected.clear(); showSelection(); }
    else if (event.shiftKey && key.startsWith("Arrow") && !inLarge) { // what was left, and what has been reached by now
      last = document.activeElement;
      for (const other of [pic, last]) selected.add(Number(other.dataset.i));
      showSelection();
    } else if (key in letters) mark(letters[key], inLarge ? [Number(pic.dataset.i)] : idsAt(pic));
    else if (key === "m") { if (!inLarge && !selected.size) toggle(pic, false); one(inLarge ? "#large-to" : "#to").focus(); }
    else return;
    event.preventDefault();
  });
  document.addEventListener("keyup", event => { if (event.key === " " && isToggled) { event.preventDefault(); isToggled = false; } });

  // Buttons of the bar, and of the large view.
  for (const button of all("[data-fix]", bar)) button.addEventListener("click", () => mark(button.dataset.fix, selected));
  for (const button of all("[data-fix]", dialog)) button.addEventListener("click", () => mark(button.dataset.fix, [Number(shown.dataset.i)]));
  for (const form of all(".move")) {
    const input = one("input", form), inLarge = dialog.contains(form);
    form.addEventListener("submit", event => {
      event.preventDefault();
      const found = meant(input.value), back = inLarge ? null : one(`.pic[data-i="${[...selected][0]}"]`, browseOrOverview());
      input.setCustomValidity(found.why ?? "");
      if (found.why) return input.reportValidity();
      mark({ to: found.to }, inLarge ? [Number(shown.dataset.i)] : selected);
      input.value = "";
      if (inLarge) one("#close").focus(); else back?.focus();
    });
    input.addEventListener("input", () => input.setCustomValidity(""));
    input.addEventListener("keydown", event => { if (event.key === "Escape") { event.preventDefault(); event.stopPropagation(); (inLarge ? one("#close") : last)?.focus(); } });
  }
  const browseOrOverview = () => one("#browse").hidden ? one("#overview") : one("#browse");
  dialog.addEventListener("shown", () => { one("#large-fixes").hidden = false; one("#large-text").textContent = wordsOf(shown); });
  addEventListener("marks", () => { if (dialog.open) one("#large-text").textContent = wordsOf(shown); });
  one("#deselect").addEventListener("click", () => { selected.clear(); showSelection(); });

  function undo() {
    if (!past.length) return say("Nothing to undo.");
    fixes = JSON.parse(past.pop());
    keep();
    show();
    say("Undone.");
  }
  one("#undo").addEventListener("click", undo);
  one("#discard").addEventListener("click", () => change(() => { fixes = empty(); }, "All corrections are gone; Undo brings them back."));

  function save(name, text, type) {
    const link = Object.assign(document.createElement("a"), { download: name, href: URL.createObjectURL(new Blob([text], { type })) });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
    say(`Saved ${name}, ${countOf(rows(members).length, "row")}. To apply them: rpsc fix FOLDER ${name}, where FOLDER is that of this page.`);
  }
  one("#save-csv").addEventListener("click", () => save("fixes.csv", csv(members), "text/csv;charset=utf-8"));
  one("#save-json").addEventListener("click", () => save("fixes.json", json(members), "application/json"));

  for (const card of all(".card")) equip(card);
  document.addEventListener("members", () => { dress(); showSelection(); });
  show();
}

// The list is inflated by the browser; without that the pictures of the page are all there is.
unpacked(told.list).then(list => {
  const members = new Members(list);
  if (one("#points")) startMap(members.cluster.bind(members), members.describe.bind(members));
  startCorrecting(members);
  startBrowsing(members, () => Object.keys(fixes.pictures).map(Number));
  document.documentElement.dataset.ready = "";
});
