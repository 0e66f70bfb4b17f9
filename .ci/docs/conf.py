"""Settings of Sphinx for the site that .ci/docs.py writes. Nothing in a built page comes from another host.

Formulas become MathML while the site is built: browsers draw it themselves, screen readers read it, and no script or
font has to be shipped. The converter is the one of docutils, which Sphinx stands on; it refuses a command that it does
not know.
"""
import re
from configparser import ConfigParser
from html import unescape
from pathlib import Path
from xml.etree import ElementTree

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.util import logging

ROOT = Path(__file__).resolve().parents[2]
settings = ConfigParser()
settings.read(ROOT / "settings.ini", encoding="utf-8")

project, copyright, release = (settings["DEFAULT"][name] for name in ("title", "copyright", "version"))
html_title = f"{project} {release}"
extensions = ["myst_nb"]
exclude_patterns = ["README.md"]

nb_execution_mode = "off"
nb_output_stderr = "remove"
nb_code_prompt_show, nb_code_prompt_hide = "Show imports", "Hide imports"
myst_enable_extensions = ["dollarmath", "html_image"]
myst_dmath_allow_space = False  # "$5 or $6" is no formula
myst_heading_anchors = 4
suppress_warnings = ["myst.header"]  # definitions are third-level headings wherever they stand

html_theme = "furo"
html_static_path = ["style.css"]
html_css_files = ["style.css"]
html_math_renderer = "mathml"
html_copy_source = html_show_sphinx = False
html_show_search_summary = False  # it would fetch pages, which a browser refuses for files on disk
html_theme_options = {"navigation_with_keys": True}
templates_path, pygments_style, pygments_dark_style = [], "friendly", "monokai"

TAG = re.compile(r"\\tag\{([^{}]*)\}")
GROUP = r"(\{(?:[^{}]|\{[^{}]*\})*\}|\\[a-z]+|\w)"
OPENING, CLOSING = r"(?:[(\[]|\\(?:\{|langle|lfloor|lVert))", r"(?:[)\]]|\\(?:\}|rangle|rfloor|rVert))"
ACCENTS = "ˆ¯ˉ~˙¨"
# to what docutils understands as TeX does
REWRITTEN = [(re.compile(pattern), replacement) for pattern, replacement in [
    (r"\\([dt]?frac)\s*(\d)\s*(\d)", r"\\\1{\2}{\3}"),
    (r"\\([Bb]igg?)(?=\s*" + OPENING + ")", r"\\\1l"),
    (r"\\([Bb]igg?)(?=\s*" + CLOSING + ")", r"\\\1r"),
    (r"'_" + GROUP, r"_{\1}'"),
    (r"\\(log|ln|exp|cos|sin|arg|dim)(?![a-z])(?!\s*(?:[_^(\[,.;]|\\(?:left|[Bb]ig|,|max|min)|$))", r"\\\1\\,"),
    (r"\\dots(?![a-z])", r"\\ldots"),
]]


def mathml(tex: str, is_block: bool) -> str:
    "A formula as the reader's browser takes it. Raises `MathError` for what cannot be converted."
    number, tex = TAG.search(tex), TAG.sub("", tex).strip()
    for pattern, replacement in REWRITTEN:
        tex = pattern.sub(replacement, tex)
    text = tex2mathml(tex, as_block=is_block).replace(' xmlns="http://www.w3.org/1998/Math/MathML"', "")
    tree = ElementTree.fromstring(re.sub(r"&(?!lt;|gt;|amp;)\w+;", lambda found: unescape(found[0]), text))
    for part in list(tree.iter()):
        refine(part, "\\left" in tex.replace("\\leftarrow", ""))
    formula = ElementTree.tostring(tree, encoding="unicode")
    return formula + (f'<span class="eqno">({number[1]})</span>' if number else "")


def refine(part, may_grow: bool):
    """What TeX does and docutils leaves out: brackets keep their size, names have a thin space around them, words go
    below a brace, an index beside an accent."""
    if part.tag == "mo" and part.text and part.text in "⟨⟩‖⌊⌋⌈⌉{}" and not may_grow and "minsize" not in part.attrib:
        part.set("stretchy", "false")
    elif part.tag == "mo" and part.text and part.text.isalpha() and len(part.text) > 1:
        part.set("lspace", ".17em"), part.set("rspace", ".17em")
    elif part.tag == "msub" and part[0].tag == "munder" and part[0][-1].text == "⏟":
        part.tag = "munder"
    elif part.tag == "munderover" and part[2].tag == "mo" and part[2].text in ACCENTS:
        base, index, accent = part
        part[:], part.tag = [ElementTree.Element("mover", accent="true"), index], "msub"
        part[0][:] = [base, accent]


def visit_math(translator, node):
    "Write a formula; one that cannot be written is a warning, which ends the build."
    is_block = isinstance(node, nodes.math_block)
    try:
        formula = mathml(node.astext(), is_block)
    except Exception as error:
        logging.getLogger(__name__).warning("formula: %s in %s", error, node.astext(), location=node)
        raise nodes.SkipNode from error
    translator.body.append(f'<div class="formula">{formula}</div>' if is_block else formula)
    raise nodes.SkipNode


def setup(app):
    app.add_html_math_renderer("mathml", (visit_math, None), (visit_math, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
