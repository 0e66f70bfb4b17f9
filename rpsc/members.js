
// All members, cluster by cluster, the surest first: place i of the page. Where the list would be too long for a page, `only` says which are known.
const told = JSON.parse(one("#members").textContent);
const starts = told.sizes.reduce((sums, size) => [...sums, sums.at(-1) + size], [0]);
const total = starts.at(-1), isWhole = !told.only;
const PAGE = 100;

async function unpacked(text) {
  const bytes = Uint8Array.from(atob(text), letter => letter.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"))).json();
}

class Members {
  constructor(list) {
    this.list = list;
    this.row = isWhole ? i => i : (rows => i => rows.get(i))(new Map(told.only.map((place, row) => [place, row])));
    this.places = told.only ?? Array.from({ length: total }, (_, i) => i);
    this.outlying = new Set((list.outlying ?? []).map(row => this.places[row]));
  }
  rest(i) { return this.list.paths[this.row(i)]; }
  path(i) { return told.folder + this.rest(i); }
  name(i) {
    const rest = this.rest(i);
    return told.named ? (rest.length <= 100 ? rest : `…${rest.slice(-99)}`) : `image ${rest}`;
  }
  cluster(i) { // the last start that is not behind it: empty clusters start there, too
    let low = 0, high = starts.length - 1;
    while (high - low > 1) { const half = (low + high) >> 1; if (starts[half] <= i) low = half; else high = half; }
    return low;
  }
  href(i) { // of the file of a page, too
    if (told.base === null) return null;
    return told.base + this.rest(i).replace(/#page=[1-9]\d*$/, "").split(told.separator).map(encodeURIComponent).join("/");
  }
  percent(value) { return { "-1": "–", 0.5: "under 1\u00a0%", 99.5: "over 99\u00a0%" }[value] ?? `${value}\u00a0%`; }
  sure(i) { const column = this.list.sure ?? this.list.near; return column && this.percent(column[this.row(i)]); }
  describe(i) { // as the page describes its own pictures
    const row = this.row(i), words = [`${this.name(i)}: ${clusterWords(this.cluster(i))}`], second = this.list.second?.[row] ?? -1;
    if (this.list.sure) words.push(`confidence ${this.sure(i)}`);
    else if (this.list.near) words.push(`${this.sure(i)} of its neighbours in the same cluster`);
    if (second >= 0) words.push(`else ${clusterWords(second)}`);
    if (this.outlying.has(i)) words.push("outlying");
    return words.join(", ");
  }
}

const clusterWords = k => told.names[k] ? `cluster ${k}, ${told.names[k]}` : `cluster ${k}`;
const capital = text => text[0].toUpperCase() + text.slice(1);
const number = n => n.toLocaleString("en");
const countOf = (n, word) => `${number(n)} ${word}${n === 1 ? "" : "s"}`;

// A picture of a member: from a sheet beside the page, else one that the page holds, else the file itself.
function pictureOf(i, members) {
  if (told.sheets) {
    const { folder, columns, size, ending } = told.sheets, k = members.cluster(i), at = i - starts[k], tile = document.createElement("span");
    const page = Math.floor(at / size), place = at % size, rows = Math.ceil(Math.min(size, told.sizes[k] - page * size) / columns);
    const share = (n, of) => of > 1 ? 100 * n / (of - 1) : 0;
    tile.className = "tile";
    tile.style.cssText = `background-image:url("${folder}/${k}-${page}.${ending}");background-size:${100 * columns}% ${100 * rows}%;` +
      `background-position:${share(place % columns, columns)}% ${share(Math.floor(place / columns), rows)}%`;
    return tile;
  }
  const image = document.createElement("img"), held = one(`#overview .pic[data-i="${i}"] img`)?.src, href = members.href(i);
  Object.assign(image, { loading: "lazy", decoding: "async", alt: "", width: 96, height: 96 });
  image.addEventListener("error", () => { if (held && image.src !== held) image.src = held; else image.classList.add("none"); });
  if (href ?? held) image.src = href ?? held; else image.classList.add("none");
  return image;
}

function memberItem(i, members, noted) {
  const item = document.createElement("li"), href = members.href(i), pic = document.createElement(href ? "a" : "button"), note = document.createElement("span");
  if (href) pic.href = href; else pic.type = "button";
  pic.className = "pic";
  pic.dataset.i = i;
  pic.setAttribute("aria-label", members.describe(i));
  note.className = "note";
  note.ariaHidden = "true";
  note.textContent = [members.rest(i).split(/[\\/]/).at(-1), ...noted ? [noted(i)] : [], members.sure(i)].filter(Boolean).join(" · ");
  pic.append(pictureOf(i, members), note);
  item.append(pic);
  return item;
}

// Which members: by the address. #cluster=3, #find=words, #marked; with &order=doubt and &page=2.
const orderings = {
  sure: (a, b) => a - b,
  doubt: (a, b) => b - a,
};

function startBrowsing(members, marked) {
  const browse = one("#browse"), overview = one("#overview"), list = one(".strip", browse), find = one("#find");
  const byName = new Intl.Collator("en", { numeric: true });
  let left = null; // what had the focus in the overview

  function chosen(query) {
    if (query.has("cluster")) {
      const k = Number(query.get("cluster"));
      return members.places.filter(i => starts[k] <= i && i < starts[k + 1]);
    }
    if (query.has("marked")) return marked();
    const words = query.get("find").toLowerCase().split(/\s+/).filter(Boolean);
    return words.length ? members.places.filter(i => words.every(word => members.rest(i).toLowerCase().includes(word))) : [];
  }

  function title(query, n) {
    if (query.has("cluster")) return `${capital(nameOf(Number(query.get("cluster"))))}: ${countOf(n, "image")}`;
    if (query.has("marked")) return countOf(n, "marked image");
    return `${countOf(n, "file")} with “${query.get("find")}”`;
  }

  function address(query, more) {
    const next = new URLSearchParams(query);
    for (const [name, value] of Object.entries(more)) next.set(name, value);
    return `#${next.toString().replace(/=(?=&|$)/, "")}`;
  }

  function link(element, query, page, is_there) {
    element.hidden = !is_there;
    element.href = address(query, { page });
  }

  function show(query, takesFocus) {
    const found = chosen(query), pages = Math.max(1, Math.ceil(found.length / PAGE));
    const page = Math.min(pages, Math.max(1, Number(query.get("page")) || 1)), order = query.get("order") ?? "sure";
    if (order === "name") found.sort((a, b) => byName.compare(members.rest(a), members.rest(b)));
    else found.sort(orderings[order] ?? orderings.sure);
    const mixed = !query.has("cluster");
    list.replaceChildren(...found.slice((page - 1) * PAGE, page * PAGE).map(i => memberItem(i, members, mixed && (i => nameOf(members.cluster(i))))));
    one("#browse-name").textContent = title(query, found.length);
    const source = told.sheets ? "" : told.base ? "Pictures come from their files. " : "Only the pictures that this page holds can be shown. ";
    one("#browse-note").textContent = isWhole ? source : "This page holds the names of its own pictures only; with --thumbs it knows all. ";
    one("#order").value = order;
    one("#page-words").textContent = pages > 1 ? `Page ${number(page)} of ${number(pages)}` : "";
    link(one("#page-before"), query, page - 1, page > 1);
    link(one("#page-after"), query, page + 1, page < pages);
    browse.hidden = false;
    overview.hidden = true;
    if (one(".pic", list)) stop(list, one(".pic", list));
    document.dispatchEvent(new Event("members"));
    if (takesFocus) { one("#browse-name").focus({ preventScroll: true }); browse.scrollIntoView(); }
  }

  function route() {
    const hash = location.hash.slice(1), query = new URLSearchParams(hash);
    const asked = ["cluster", "find", "marked"].some(name => query.has(name));
    if (asked) {
      if (browse.hidden) left = document.activeElement;
      return show(query, document.activeElement !== find);
    }
    if (browse.hidden) return;
    browse.hidden = true;
    overview.hidden = false;
    find.value = "";
    if (hash === "clusters" && left?.isConnected && left !== document.body) left.focus(); // where one was
    else if (hash) document.getElementById(hash)?.scrollIntoView();
  }

  one("#order").addEventListener("change", event => {
    const query = new URLSearchParams(location.hash.slice(1));
    query.delete("page");
    location.replace(address(query, { order: event.target.value }));
  });
  function search() {
    const query = find.value.trim() ? `#${new URLSearchParams({ find: find.value.trim() })}` : "#clusters";
    if (location.hash.startsWith("#find")) location.replace(query); else if (query !== "#clusters") location.assign(query);
  }
  let waiting;
  find.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(search, 150); });
  one("#search").addEventListener("submit", event => { event.preventDefault(); search(); one(".pic", list)?.focus(); });
  one("#search").hidden = false;
  addEventListener("hashchange", route);
  addEventListener("marks", () => { if (!browse.hidden && location.hash.startsWith("#marked")) document.dispatchEvent(new Event("members")); });
  if (location.hash.startsWith("#find=")) find.value = new URLSearchParams(location.hash.slice(1)).get("find");
  route();
}
