"use strict";
const one = (selector, root = document) => root.querySelector(selector);
const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const data = JSON.parse(one("#data").textContent);

// Clusters in another order: chosen by the radio buttons or by the address (#sort=confidence), and announced.
const orders = {
  size: (a, b) => b.size - a.size,
  confidence: (a, b) => b.confidence - a.confidence,
  doubt: (a, b) => a.confidence - b.confidence,
  number: (a, b) => a.cluster - b.cluster,
};

function sortCards(order) {
  const list = one("#cards"), radio = one(`input[name="sort"][value="${order}"]`);
  const compare = (a, b) => orders[order](a.dataset, b.dataset) || a.dataset.cluster - b.dataset.cluster;
  list.append(...[...list.children].sort(compare));
  radio.checked = true;
  const first = one("h3 span", list.firstElementChild).textContent;
  one("#sort-status").textContent = `Sorted, ${radio.dataset.words}. The first of ${list.children.length} is ${first}.`;
}

function sortByAddress() {
  const order = /^#sort=(\w+)$/.exec(location.hash)?.[1];
  if (order && one(`input[name="sort"][value="${CSS.escape(order)}"]`)) sortCards(order);
}

for (const radio of all('input[name="sort"]')) {
  radio.addEventListener("change", () => {
    sortCards(radio.value);
    history.replaceState(null, "", `#sort=${radio.value}`);
  });
}
addEventListener("hashchange", sortByAddress);
sortByAddress();

// Rows of images: a row is one stop of the Tab key, the arrow keys move within it. Rows come and go, so the document listens.
const picsOf = strip => all(".pic", strip);

function stop(strip, pic) { // the one that Tab reaches, and its tick
  for (const other of picsOf(strip)) {
    other.tabIndex = other === pic ? 0 : -1;
    const tick = one(".tick", other.parentElement);
    if (tick) tick.tabIndex = other.tabIndex;
  }
}

function target(pics, from, key) {
  const top = pics[0].parentElement.offsetTop;
  const columns = pics.filter(pic => pic.parentElement.offsetTop === top).length;
  const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns };
  if (key === "Home") return pics[0];
  if (key === "End") return pics.at(-1);
  return key in steps ? pics[from + steps[key]] : undefined;
}

const picAt = event => event.target.closest?.(".strip .pic") ?? null;

document.addEventListener("keydown", event => {
  const pic = picAt(event);
  if (!pic || event.ctrlKey || event.metaKey || event.altKey) return;
  const pics = picsOf(pic.closest(".strip")), next = target(pics, pics.indexOf(pic), event.key);
  if (!next) return;
  event.preventDefault();
  next.focus();
});
document.addEventListener("focusin", event => {
  const li = event.target.closest?.(".strip > li");
  if (li) stop(li.parentElement, one(".pic", li));
});
document.addEventListener("click", event => { // with a key of control a link opens the file in another tab
  const pic = picAt(event);
  if (!pic || event.ctrlKey || event.metaKey || event.defaultPrevented) return;
  event.preventDefault();
  enlarge(pic);
});
for (const strip of all(".strip")) if (one(".pic", strip)) stop(strip, one(".pic", strip));

// One image, large, with its neighbours in the row, round and round. It is shown small until its file is there, and where that cannot
// be shown. Closing gives the focus back to the image that was shown last.
const dialog = one("#large");
let shown = null;

const wordsOf = pic => pic.getAttribute("aria-label") ?? one("img", pic).alt;

function enlarge(pic) {
  shown = pic;
  const small = one("img", pic), tile = one(".tile", pic), large = one("img", dialog), backdrop = one(".tile", dialog), link = one("#large-file");
  backdrop.hidden = !tile;
  large.hidden = !!tile;
  if (tile) backdrop.style.cssText = tile.style.cssText; else large.src = small.src;
  one("#large-text").textContent = wordsOf(pic);
  link.hidden = !pic.href;
  if (pic.href) {
    link.href = pic.href;
    link.textContent = "Open the file";
    const full = new Image();
    full.onload = () => { if (shown === pic) { large.src = full.src; large.hidden = false; backdrop.hidden = true; } };
    full.onerror = () => { if (shown === pic) link.textContent = "Open the file (this browser cannot show it here)"; };
    full.src = pic.href;
  }
  dialog.dispatchEvent(new Event("shown"));
  if (!dialog.open) { dialog.showModal(); one("#close").focus(); }
}

function move(step) {
  const row = picsOf(shown.closest(".strip"));
  enlarge(row.at((row.indexOf(shown) + step) % row.length));
}

dialog.addEventListener("keydown", event => {
  if (event.target.matches("input")) return;
  if (event.key === "ArrowRight") move(1);
  if (event.key === "ArrowLeft") move(-1);
});
dialog.addEventListener("close", () => shown.focus());
one("#previous").addEventListener("click", () => move(-1));
one("#next").addEventListener("click", () => move(1));
one("#close").addEventListener("click", () => dialog.close());

// The map: the image nearest to the pointer, or the one reached with the keys, is shown beside its point. Its words come with the members.
function startMap(clusterOf, describe) {
  const map = one("#points");
  const { points, side, columns } = data; // a point: [x, y, place among the members]
  const svg = one("svg", map), ring = one(".ring", map), tip = one(".tip", map), picture = one(".picture", tip), choice = one("#highlight");
  let active = -1;

  const candidates = () => points.map((_, i) => i).filter(i => choice.value === "" || clusterOf(points[i][2]) === Number(choice.value));

  function show(i, announce) {
    active = i;
    tip.hidden = false; // what is hidden has no width
    const [x, y, place] = points[i], text = describe(place), scale = picture.clientWidth;
    ring.setAttribute("transform", `translate(${x} ${y})`);
    ring.setAttribute("visibility", "visible");
    picture.style.backgroundSize = `${100 * columns}% auto`;
    picture.style.backgroundPosition = `${-(i % columns) * scale}px ${-Math.floor(i / columns) * scale}px`;
    one(".words", tip).textContent = text;
    tip.style.left = `${100 * x / side}%`;
    tip.style.top = `${100 * y / side}%`;
    tip.style.transform = `translate(${x > side / 2 ? "calc(-100% - 12px)" : "12px"}, ${y > side / 2 ? "calc(-100% - 12px)" : "12px"})`;
    if (announce) one("#map-status").textContent = text;
  }

  function hide() {
    active = -1;
    tip.hidden = true;
    ring.setAttribute("visibility", "hidden");
  }

  const nearest = (among, cost) => among.reduce((best, i) => cost(i) < cost(best) ? i : best, among[0]);

  function showNearest(event) {
    const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
    const distance = i => Math.hypot(points[i][0] - at.x, points[i][1] - at.y);
    const i = nearest(candidates(), distance);
    if (distance(i) < side / 25) { if (i !== active) show(i, false); } else hide();
  }
  map.addEventListener("pointermove", showNearest);
  map.addEventListener("pointerdown", showNearest);
  map.addEventListener("pointerleave", event => { if (event.pointerType === "mouse") hide(); }); // a lifted finger leaves, too

  // An arrow goes to the image that is nearest in its direction; going aside counts twice.
  const directions = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] };
  function neighbor(key, among) {
    const [dx, dy] = directions[key], [x, y] = points[active];
    const along = i => (points[i][0] - x) * dx + (points[i][1] - y) * dy;
    const aside = i => Math.abs((points[i][0] - x) * dy) + Math.abs((points[i][1] - y) * dx);
    const ahead = among.filter(i => along(i) > aside(i) / 2 && along(i) > 0);
    return ahead.length ? nearest(ahead, i => along(i) + 2 * aside(i)) : active;
  }

  map.addEventListener("keydown", event => {
    const among = candidates(), place = among.indexOf(active);
    if (event.key === "Escape") return hide();
    if (event.key in directions) show(place < 0 ? among[0] : neighbor(event.key, among), true);
    else if (event.key === "PageDown") show(among[(place + 1) % among.length], true);
    else if (event.key === "PageUp") show(among.at(place < 0 ? -1 : place - 1), true);
    else if (event.key === "Home") show(among[0], true);
    else if (event.key === "End") show(among.at(-1), true);
    else return;
    event.preventDefault();
  });
  map.addEventListener("blur", hide);

  choice.addEventListener("change", () => {
    hide();
    for (const group of all("g[data-cluster]", map)) group.classList.toggle("faint", choice.value !== "" && group.dataset.cluster !== choice.value);
  });
}
