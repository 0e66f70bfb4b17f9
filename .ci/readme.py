"""Write README.md from nbs/index.ipynb, with nbconvert.

Hidden cells and the `#|` lines go. Links are written in the notebook as seen from nbs/ (`../reports/figures/x.png`,
`00c_data.ipynb`) or from the top (`reports/figures/x.png`); in README.md all are as seen from the top.
"""
import re
import sys
from pathlib import Path

import nbformat
from nbconvert import MarkdownExporter
from traitlets.config import Config

ROOT = Path(__file__).resolve().parent.parent
INDEX = ROOT / "nbs" / "index.ipynb"
DIRECTIVE = re.compile(r"^\s*#\s*\|\s*(.*?)\s*$\n?", re.M)
LINK = re.compile(r"(\]\(|(?:src|href)=[\"'])(?![a-z]+:|#|/)([^)\"'#\s]+)")
HIDDEN = {"hide", "include: false"}
# tables as Markdown where they offer it; pictures are files under reports/figures, never stored in the notebook
SHOWN = ["text/markdown", "text/html", "text/latex", "text/plain"]


def prepare(cell):
    "The cell as the reader sees it, or None where he does not."
    found = DIRECTIVE.findall(cell.source) if cell.cell_type == "code" else []
    directives = {re.sub(r"\s*:\s*", ": ", text) for text in found}
    if cell.cell_type == "raw" or directives & HIDDEN or "nbdev_export(" in cell.source:
        return None
    if cell.cell_type == "code":
        cell.source = DIRECTIVE.sub("", cell.source).strip("\n")
        shown = [out for out in map(without_pictures, cell.outputs) if out and out.get("name") != "stderr"]
        cell.outputs = [] if "output: false" in directives else shown
        cell.metadata.tags = ["no-input"] if "echo: false" in directives or not cell.source else []
    else:
        cell.source = LINK.sub(lambda found: found[1] + from_top(found[2]), cell.source)
    return cell


def without_pictures(output):
    if "data" in output:
        if any(kind.startswith("image/") for kind in output.data):
            print("README.md: a picture stored in nbs/index.ipynb is left out; link to one under reports/figures",
                  file=sys.stderr)
            return None
        output.data = {kind: text for kind, text in output.data.items() if kind in SHOWN}
    return output


def from_top(link: str) -> str:
    if link.startswith("../"):
        return link[3:]
    return f"nbs/{link}" if (INDEX.parent / link).exists() else link


def main():
    book = nbformat.read(INDEX, as_version=4)
    book.cells = [cell for cell in map(prepare, book.cells) if cell]
    book.metadata.language_info = {"name": "python"}  # nbdev_clean drops it; it colours the code
    config = Config()
    config.NbConvertBase.display_data_priority = SHOWN
    config.TagRemovePreprocessor.enabled = True
    config.TagRemovePreprocessor.remove_input_tags = {"no-input"}
    text, _ = MarkdownExporter(config=config).from_notebook_node(book)
    text = re.sub(r"<style scoped>.*?</style>\n", "", text, flags=re.S)  # pandas' tables carry one, forges drop it
    text = "\n".join(line.rstrip() for line in text.splitlines())  # nbconvert indents empty lines of outputs
    (ROOT / "README.md").write_text(re.sub(r"\n{3,}", "\n\n", text).strip() + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
