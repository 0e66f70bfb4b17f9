"""Build the documentation site from notebooks and reports: `python .ci/docs.py` writes _docs/index.html.

Nothing is executed and nothing is fetched. A notebook becomes a page with its prose, its exported definitions, its
tests and its stored outputs; hidden cells and the `#|` lines go. Links are written as seen from the file they stand in
and lead to the page of the file they name; a definition's name in backticks leads to the definition. The sources of
all that are generated under build/docs, Sphinx makes pages of them (see .ci/docs/conf.py), and the pages are searched
for what a browser would load from elsewhere and for links that lead nowhere. A find, or a warning of Sphinx, fails the
build and leaves the last site in place.
"""
import ast
import copy
import re
import shutil
import subprocess
import sys
import textwrap
import time
from html.parser import HTMLParser
from os.path import normpath, relpath
from pathlib import Path
from urllib.parse import unquote

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

ROOT = Path(__file__).resolve().parent.parent
NBS = ROOT / "nbs"
BUILD = ROOT / "build" / "docs"
SOURCE, PAGES = BUILD / "source", BUILD / "html"
SITE = ROOT / "_docs"

PARTS = {"0": "Images and encoders", "1": "RPSC and RUC", "2": "Other systems", "3": "A closer look", "4": "Using it",
         "5": "The laboratory"}
TEXTS = {"reports/README.md": "reports", "reports/tuning/README.md": "tuning",
         "reports/corrections/README.md": "worth", "reports/defaults/README.md": "usual",
         "reports/plain_grounds/README.md": "grey", "reports/sittings/README.md": "sittings",
         "CONTRIBUTING.md": "contributing", "CHANGELOG.md": "changelog"}
FOLDERS = {
    "nbs/tutorials": ("tutorials/index", "Tutorials", "Each one runs in seconds and says how to go on from there."),
    "nbs/experiments": ("experiments/index", "Experiments",
                        "One notebook a table or figure. Their results are in the [reports](../reports.md); here are "
                        "the claim, the measurement and the code, at the smallest scale."),
}

# what a program calls: title -> module and its names, in the order of use
API = {
    "Cluster": ("estimators", "RPSC RUC estimator_class Clusterer AddOn"),
    "Use a fitted model": ("estimators", "Answers Editable Savable load"),
    "Images": ("data", "load ImageSet Clustering"),
    "Data sets of other libraries": ("samples", "holds_pictures read_pictures"),
    "How many clusters": ("granularity", "suggest_k Suggestion silhouette suggest_merges merge split with_names "
                                        "cluster_names"),
    "Any system, with all that it finds": ("methods", "fit names budget_for"),
    "Encoders": ("encoders", "resolve timm_encoder save_encoder"),
    "A page to look at": ("gallery", "write_gallery image_table"),
    "Progress and log": ("progress", "progress bars Lines"),
    "Compare with labels, afterwards": ("metrics", "clustering_accuracy match_clusters nmi ari calibration_error "
                                                   "cluster_health"),
    "Parts: choosing reliable images": ("selection", "top_confident cluster_centers nearest_to_centers "
                                                     "semantic_confidence local_consistency "
                                                     "select_confident select_by_neighbors select_hybrid"),
    "Parts: losses and thresholds": ("scl", "soft_contrastive_loss"),
    "Parts: FreeMatch": ("freematch", "AdaptiveThreshold fairness_loss"),
    "Parts: MixMatch": ("mixmatch", "sharpen mixup guess_labels"),
    "Parts: RUC": ("ruc", "smooth_labels co_refine refurbish"),
}
API_HEAD = """# API

> What a program calls, with the first sentence of each; the rest is on the page of its module.

Everything is imported from its module, as in `from rpsc.estimators import RPSC`. The package is typed (`py.typed`),
says what it does to the logger `rpsc`, and prints nothing. Bad arguments end in a `ValueError` that names the argument,
what came, and what is accepted.
"""

DIRECTIVE = re.compile(r"^\s*#\s*\|\s*(.*?)\s*$\n?", re.M)
MODULE = re.compile(r"^\s*#\s*\|\s*default_exp\s+([\w.]+)", re.M)
HIDDEN = {"hide", "default_exp", "include: false"}
EXPORTED = {"export", "exports", "exporti"}
REMOTE = re.compile(r"[a-z]+:|//")
HEAD = re.compile(r"\A# .*(?:\n+(?:>.*\n?)+)?")  # the title and the sentence below it
# code and formulas, which stay as they are, except that a name alone becomes a link; and links
PROSE = re.compile(r"^```.*?^```|\$\$.*?\$\$|\$[^\s$][^$\n]*\$|(?P<ticks>`+)(?P<code>.*?)(?P=ticks)"
                   r"|\[(?P<text>(?:`[^`]*`|!\[[^\]]*\]\([^)]*\)|[^\[\]])*)\]\((?P<to>[^)\s]+)\)"
                   r"|(?<=<img src=\")(?P<image>[^\"]+)", re.M | re.S)
PICTURE = re.compile(r"\[([^\[\]]*)\]\(([^)\s]+)\)")


# --- what there is: pages and names ---

def page_of(path: Path) -> str:
    "Where a notebook goes; numbers give an order and are no part of an address."
    name, folder = re.sub(r"^\d+[a-z]*_", "", path.stem), path.parent.relative_to(NBS).as_posix()
    return "index" if path == NBS / "index.ipynb" else f"{'library' if folder == '.' else folder}/{name}"


def find_notebooks() -> dict:
    "Path below the root -> parsed notebook, without those that nbdev leaves out."
    def is_left_out(path): return any(part[0] in "_." for part in path.relative_to(NBS).parts)
    return {path.relative_to(ROOT).as_posix(): nbformat.read(path, as_version=4)
            for path in sorted(NBS.rglob("*.ipynb")) if not is_left_out(path)}


def directives(cell) -> set:
    "What the `#|` lines of a cell say."
    found = DIRECTIVE.findall(cell.source) if cell.cell_type == "code" else []
    return {re.sub(r"\s*:\s*", ": ", text) for text in found}


def definitions(cell) -> list:
    "Public functions and classes that a cell exports."
    if not directives(cell) & EXPORTED:
        return []
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return [node.name for node in ast.parse(cell.source).body if isinstance(node, kinds) and node.name[0] != "_"]


def public(cell) -> list:
    "The nodes of `definitions`."
    names = definitions(cell)
    return [node for node in ast.parse(cell.source).body if getattr(node, "name", "") in names] if names else []


def called(node, name: str) -> str:
    "How a function is called: its arguments with defaults, without types."
    given = copy.deepcopy(node.args)
    plain, named = [*given.posonlyargs, *given.args], given.kwonlyargs
    for arg in [*plain, *named]:
        arg.annotation = None
    if plain and plain[0].arg in ("self", "cls"):
        (given.posonlyargs or given.args).pop(0)
    return textwrap.fill(f"{name}({ast.unparse(given)})", 88, subsequent_indent=" " * 10, break_long_words=False)


def told(node, module: str) -> list:
    "Lines of the API page: a definition, and below a class its methods."
    about = f": {first_sentence(node)}"
    if not isinstance(node, ast.ClassDef):
        return [f"- [`{node.name}`](#{label(module, node.name)}){about}", "", f"      {called(node, node.name)}", ""]
    methods = [part for part in node.body if isinstance(part, ast.FunctionDef)]
    inits = [part for part in methods if part.name == "__init__"]
    lines = [f"- [`{node.name}`](#{label(module, node.name)}){about}", ""]
    lines += [f"      {called(init, node.name)}" for init in inits] + [""]
    shown = [part for part in methods if part.name[0] != "_" and not is_property(part)]
    return lines + [f"  - `{called(part, '.' + part.name)}`: {first_sentence(part)}" for part in shown] + [""]


def is_property(node) -> bool:
    return any(getattr(one, "id", getattr(one, "attr", "")).endswith("property") for one in node.decorator_list)


def first_sentence(node) -> str:
    "What a definition says of itself, up to the first full stop at the end of a word."
    text = " ".join((ast.get_docstring(node) or "").split())
    return re.split(r"(?<=[a-z`)])\.(?: |$)", text, maxsplit=1)[0].rstrip(".") + "."


def is_imports(cell, source: str) -> bool:
    kinds = (ast.Import, ast.ImportFrom)
    return bool(directives(cell) & EXPORTED) and all(isinstance(node, kinds) for node in ast.parse(source).body)


def module_of(book) -> str:
    "The module that a notebook exports to, or an empty string."
    found = MODULE.search("\n".join(cell.source for cell in book.cells if cell.cell_type == "code"))
    return found[1] if found else ""


class Names:
    "What a name in backticks means: the target of a module or definition."

    def __init__(self, books: dict):
        self.modules, self.homes = set(filter(None, map(module_of, books.values()))), {}
        for book in books.values():
            for name in (name for cell in book.cells for name in definitions(cell)):
                self.homes.setdefault(name, []).append(module_of(book))

    def target(self, name: str, module: str) -> str:
        "Target of `name` as used on the page of `module`; empty where it means nothing or could mean two things."
        if name.startswith("rpsc.") and name[5:] in self.modules - {module}:
            return label(name[5:])
        home, _, last = name.removesuffix("()").removeprefix("rpsc.").rpartition(".")
        homes = self.homes.get(last, [])
        if home or module in homes:
            return label(home or module, last) if (home or module) in homes else ""
        # `load` may be anything: a column, an argument, a function elsewhere
        is_word = last.isalpha() and last.islower()
        return label(homes[0], last) if len(homes) == 1 and not is_word else ""


def label(module: str, name: str = "") -> str:
    "Target of a definition or a module; Sphinx does not tell capitals from small letters."
    return f"rpsc.{module}" + f".{name}" * bool(name) + "-class" * name[:1].isupper()


# --- from notebooks and texts to sources ---

class Writer:
    "Writes sources under build/docs; the rest of the repository is copied where a page needs it."

    def __init__(self, books: dict):
        self.books, self.names, self.problems = books, Names(books), []
        self.sources = {path: page_of(ROOT / path) + ".ipynb" for path in books}
        self.folders = [folder for folder in FOLDERS if any(path.startswith(folder + "/") for path in books)]
        self.sources |= {path: page + ".md" for path, page in TEXTS.items()}
        self.sources |= {folder: FOLDERS[folder][0] + ".md" for folder in self.folders} | {"nbs/api": "api.md"}

    def prose(self, text: str, path: str, module: str = "") -> str:
        "Markdown with its links and names rewritten; headings keep their words."
        def rewrite(found):
            if found["image"]:
                return self.link("", found["image"], path)[3:-1]
            if found["to"]:
                text_of = PICTURE.sub(lambda inner: self.link(*inner.groups(), path), found["text"])
                return self.link(text_of, found["to"], path)
            target = found["code"] and self.names.target(found["code"], module)
            in_heading = text[:found.start()].rpartition("\n")[2].startswith("#")
            return f"[{found[0]}](#{target})" if target and not in_heading else found[0]
        return PROSE.sub(rewrite, text)

    def link(self, text: str, to: str, path: str) -> str:
        "A link as seen from the page of `path`; a folder without a page is named only."
        if REMOTE.match(to) or to[0] == "#":
            return f"[{text}]({to})"
        file, _, anchor = to.partition("#")
        places = (normpath(f"{Path(path).parent}/{unquote(file)}"), normpath(unquote(file)))
        found = next((place for place in places if (ROOT / place).exists()), None)
        if found is None:
            self.problems.append(f"{path}: leads to {to}, which does not exist")
        elif (ROOT / found).is_dir() and found not in self.sources:
            return f"{text} (`{found}`)"
        return f"[{text}]({self.address(found or to, path)}{'#' * bool(anchor)}{anchor})"

    def address(self, found: str, path: str) -> str:
        "Of a file of the repository, as seen from the source of `path`; a file that is no page is copied."
        if found not in self.sources:
            copy = SOURCE / "files" / found
            copy.parent.mkdir(parents=True, exist_ok=True)
            if (ROOT / found).is_file():
                shutil.copyfile(ROOT / found, copy)
        source = self.sources.get(found, f"files/{found}")
        return relpath(source, Path(self.sources[path]).parent)

    def write(self, path: str, text: str):
        file = SOURCE / self.sources[path]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def notebook(self, path: str):
        "The page of a notebook; home gets the contents of the site, which the sidebar shows."
        book, module = self.books[path], module_of(self.books[path])
        cells = [shown for cell in book.cells for shown in self.cell(cell, path, module)]
        if module:
            title = next(cell for cell in cells if cell.cell_type == "markdown")
            told = rf"({label(module)})=\n\g<0>\n\nModule `rpsc.{module}`, exported from `{path}`.\n"
            title.source = HEAD.sub(told, title.source, count=1)
        if path == "nbs/index.ipynb":
            cells.append(new_markdown_cell(self.contents()))
        about = {"kernelspec": {"name": "python3", "display_name": "python3"}, "language_info": {"name": "python"}}
        page = new_notebook(cells=cells, metadata=about)
        self.write(path, nbformat.writes(page))

    def cell(self, cell, path: str, module: str) -> list:
        "The cells that a reader sees in place of `cell`."
        if cell.cell_type == "markdown":
            return [new_markdown_cell(self.prose(cell.source, path, module))]
        said = directives(cell)
        source = DIRECTIVE.sub("", cell.source).strip("\n")
        if cell.cell_type == "raw" or said & HIDDEN or not source or "nbdev_export(" in source:
            return []
        tags = ["remove-input"] * bool(said & {"echo: false", "hide_input"}) + ["hide-input"] * is_imports(cell, source)
        outputs = [] if "output: false" in said else cell.outputs
        headings = [new_markdown_cell(f"({label(module, name)})=\n### `{name}`") for name in definitions(cell)]
        return [*headings, new_code_cell(source, outputs=outputs, metadata={"tags": tags})]

    def contents(self) -> str:
        "Hidden tables of contents, one a part of the site."
        of = {folder: [path for path in self.books if path.startswith(f"nbs/{folder}")]
              for folder in ("tutorials/", "experiments/", *PARTS)}
        parts = {"For programs": ["nbs/api"], "Tutorials": ["nbs/tutorials", *of["tutorials/"]],
                 "Results": ["reports/README.md", "reports/tuning/README.md", "reports/corrections/README.md",
                             "reports/defaults/README.md", "reports/plain_grounds/README.md",
                             "reports/sittings/README.md", "nbs/experiments"]}
        parts |= {title: of[number] for number, title in PARTS.items()}
        parts["Project"] = ["CONTRIBUTING.md", "CHANGELOG.md"]
        return "\n".join(toctree([self.entry(path) for path in paths if path in self.sources], title)
                         for title, paths in parts.items() if paths)

    def entry(self, path: str) -> str:
        return f"Overview <{self.sources[path]}>" if path == "nbs/tutorials" else self.sources[path]

    def folder(self, path: str):
        "A page that lists the notebooks of a folder with their first sentence."
        page, title, words = FOLDERS[path]
        inside = [inner for inner in self.books if Path(inner).parent.as_posix() == path]
        told = {inner: headline(self.books[inner]) for inner in inside}
        lines = [f"- [{name}]({self.address(inner, path)}): {sentence}" for inner, (name, sentence) in told.items()]
        tree = toctree([Path(self.sources[inner]).name for inner in inside]) if path == "nbs/experiments" else ""
        self.write(path, "\n\n".join([f"# {title}", words, "\n".join(lines), tree]))

    def api(self):
        "The page of all that a program calls."
        homes = {module_of(book): book for book in self.books.values()}
        sections = [API_HEAD]
        for title, (module, names) in API.items():
            found = {node.name: node for cell in homes[module].cells for node in public(cell)}
            self.problems += [f"API: rpsc.{module} has no {name}" for name in names.split() if name not in found]
            lines = [line for name in names.split() if name in found for line in told(found[name], module)]
            sections.append(f"## {title}\n\n" + "\n".join(self.prose(line, "nbs/api", module) for line in lines))
        self.write("nbs/api", re.sub(r"\n{3,}", "\n\n", "\n\n".join(sections)) + "\n")

    def all(self):
        "Write every source."
        for path in self.books:
            self.notebook(path)
        for path in TEXTS:
            self.write(path, self.prose((ROOT / path).read_text(encoding="utf-8"), path))
        for path in self.folders:
            self.folder(path)
        self.api()


def headline(book) -> tuple:
    "Title and first sentence of a notebook."
    lines = next(cell.source for cell in book.cells if cell.cell_type == "markdown").splitlines()
    return lines[0].lstrip("# "), " ".join(line.lstrip("> ") for line in lines[1:] if line.startswith(">"))


def toctree(sources, caption: str = "") -> str:
    head = ["```{toctree}", ":hidden:"] + [f":caption: {caption}"] * bool(caption)
    return "\n".join([*head, "", *sources, "```", ""])


# --- from sources to pages ---

def run_sphinx():
    "Sphinx in a process of its own; its warnings are errors."
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-E", "-b", "html",
               "-c", ROOT / ".ci" / "docs", "-d", BUILD / "doctrees", SOURCE, PAGES]
    if subprocess.run(list(map(str, command)), cwd=ROOT).returncode:
        sys.exit("docs: Sphinx had something to say (see above); "
                 f"the sources it means are under {SOURCE.relative_to(ROOT)}")


class Page(HTMLParser):
    "What a page loads, where it leads, and where links may lead within it."
    LOADED = {"src", "srcset", "poster", "data", "background", "href", "xlink:href"}
    MENTIONED = {"index", "search", "next", "prev", "canonical"}  # relations of a <link> that is not fetched

    def __init__(self, text: str):
        super().__init__()
        self.loads, self.leads, self.ids = [], [], set()
        self.feed(text)
        self.loads += css_addresses(" ".join(re.findall(r"<style.*?</style>", text, re.S)))

    def handle_starttag(self, tag, attrs):
        attrs = {name: value for name, value in attrs if value}
        self.ids |= {attrs["id"]} if "id" in attrs else set()
        self.loads += css_addresses(attrs.get("style", ""))
        if tag == "a":
            self.leads += [attrs["href"]] if "href" in attrs else []
        elif attrs.get("rel") not in self.MENTIONED:
            self.loads += [attrs[name] for name in self.LOADED & set(attrs)]


def css_addresses(text: str) -> list:
    return re.findall(r"url\(\s*[\"']?([^\"')]+)", text) + re.findall(r"@import\s+[\"']([^\"']+)", text)


def check_pages() -> list:
    "What would be loaded from elsewhere, and links that lead nowhere. Links of readers to other sites may be there."
    pages = {file: Page(file.read_text(encoding="utf-8")) for file in sorted(PAGES.rglob("*.html"))}
    loads = [(file, address) for file, page in pages.items() for address in page.loads]
    loads += [(file, address) for file in sorted(PAGES.rglob("*.css"))
              for address in css_addresses(file.read_text(encoding="utf-8"))]
    leads = loads + [(file, address) for file, page in pages.items() for address in page.leads]
    remote = [f"{file.relative_to(PAGES)}: loads {address}" for file, address in loads
              if REMOTE.match(address) and not address.startswith("data:")]
    dead = [f"{file.relative_to(PAGES)}: leads to {address}, which does not exist" for file, address in leads
            if not leads_somewhere(file, address, pages)]
    return remote + dead


def leads_somewhere(file: Path, address: str, pages: dict) -> bool:
    if REMOTE.match(address):
        return True
    path, _, anchor = address.partition("#")
    path = unquote(path.partition("?")[0])
    found = Path(normpath(file.parent / path)) if path else file
    return found.exists() and (not anchor or found not in pages or unquote(anchor) in pages[found].ids)


def publish():
    "Put the new site in the place of the old one."
    old = BUILD / "old"
    shutil.rmtree(old, ignore_errors=True)
    if SITE.exists():
        SITE.rename(old)
    PAGES.rename(SITE)
    shutil.rmtree(old, ignore_errors=True)


def stop_for(problems: list):
    if problems:
        sys.exit("\n".join([*problems, f"docs: see above ({len(problems)}); the last site stays as it was"]))


def main():
    start = time.time()
    shutil.rmtree(BUILD, ignore_errors=True)
    writer = Writer(find_notebooks())
    writer.all()
    stop_for(writer.problems)
    run_sphinx()
    stop_for(check_pages())
    count = len([*PAGES.rglob("*.html")])
    publish()
    print(f"docs: {count} pages in {time.time() - start:.0f} s, begin at {(SITE / 'index.html').relative_to(ROOT)}")


if __name__ == "__main__":
    main()
