"""What must hold in a commit, beyond the tests; run by `make check` after cleaning, exporting and writing README.md.

Every notebook names the kernel python3, every module has its notebook, no system is long, every local link of the
README leads somewhere, the first page names every notebook, and git has nothing to say: what is staged or committed is
what the notebooks produce.
"""
import ast
import io
import json
import re
import subprocess
import sys
import tokenize
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
GENERATED = ["nbs", "rpsc", "README.md", "pyproject.toml"]
OWN_LINES = 90  # of code for each system; what is longer holds something that others could share
EXPORT = re.compile(r"^\s*#\s*\|\s*(?:default_exp|exporti?|exports)[ \t]+([\w.]+)", re.M)


def notebooks() -> dict:
    "Path below the root -> parsed notebook, without those that nbdev leaves out."
    paths = [path.relative_to(ROOT) for path in sorted((ROOT / "nbs").rglob("*.ipynb"))]
    paths = [path for path in paths if not any(part[0] in "_." for part in path.parts)]
    return {path: json.loads((ROOT / path).read_text()) for path in paths}


def wrong_kernels(books: dict) -> list:
    "Another kernel's name does not start on another machine; another language is silently not tested."
    kernels = {path: book["metadata"].get("kernelspec", {}) for path, book in books.items()}
    found = {path: (kernel.get("name"), kernel.get("language", "python")) for path, kernel in kernels.items()}
    return [f"{path}: kernelspec must be python3, it is {name!r} ({language})"
            for path, (name, language) in found.items() if (name, language) != ("python3", "python")]


def orphan_modules(books: dict) -> list:
    "nbdev never deletes: a module whose notebook is gone or renamed stays importable."
    cells = [cell for book in books.values() for cell in book["cells"] if cell["cell_type"] == "code"]
    sources = ["".join(cell["source"]) for cell in cells]
    modules = {ROOT / "rpsc" / f"{name.replace('.', '/')}.py" for source in sources for name in EXPORT.findall(source)}
    present = {path for path in (ROOT / "rpsc").rglob("*.py") if path.name not in ("__init__.py", "_modidx.py")}
    return [f"{path.relative_to(ROOT)}: no notebook exports it, delete it" for path in sorted(present - modules)]


def is_string(node: ast.AST) -> bool:
    "An expression that is nothing but a text, as a docstring is."
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def own_lines(text: str) -> int:
    "Lines of code of a module, without imports, `__all__`, docstrings and comments."
    tree = ast.parse(text)
    left_out = [node for node in ast.walk(tree) if isinstance(node, (ast.Import, ast.ImportFrom)) or is_string(node)]
    assigned = [node for node in tree.body if isinstance(node, ast.Assign)]
    left_out += [node for node in assigned if ast.unparse(node.targets[0]) == "__all__"]
    silent = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    tokens = [token for token in tokenize.generate_tokens(io.StringIO(text).readline) if token.type not in silent]
    code = {line for token in tokens for line in range(token.start[0], token.end[0] + 1)}
    return len(code - {line for node in left_out for line in range(node.lineno, node.end_lineno + 1)})


def n_systems(text: str) -> int:
    "How many systems a module registers."
    calls = [node.func for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
    return sum(isinstance(called, ast.Name) and called.id == "system" for called in calls)


def long_systems() -> list:
    "A system shows its loss and its read-out; what it has beyond that is a block, and stands where others find it."
    found = []
    for path in sorted((ROOT / "rpsc" / "baselines").glob("*.py")):
        lines, systems = own_lines(path.read_text()), n_systems(path.read_text())
        if lines > OWN_LINES * max(1, systems):
            found.append(f"{path.relative_to(ROOT)}: {lines} lines of code of its own, {systems} registered system(s); "
                         f"accepted: up to {OWN_LINES} for each; move what is general to the notebook of its block")
    return found


def dead_links() -> list:
    text = re.sub(r"```.*?```", "", (ROOT / "README.md").read_text(), flags=re.S)
    links = re.findall(r"\]\(([^)\s]+)", text) + re.findall(r"(?:src|href)=[\"']([^\"']+)", text)
    local = [link.split("#")[0] for link in links if not re.match(r"[a-z]+:|#|//", link)]
    return [f"README.md: leads to {link}, which does not exist" for link in local if not (ROOT / link).exists()]


def unlisted(books: dict) -> list:
    "The table of the first page names every notebook of the library."
    text = (ROOT / "nbs" / "index.ipynb").read_text()
    return [f"{path}: nbs/index.ipynb does not name it" for path in books
            if path.parent.name == "nbs" and path.stem != "index" and f"]({path.name})" not in text]


def uncommitted() -> list:
    "Generated files that differ from the index, after showing how; and new ones that git does not know."
    git = ["git", "--no-pager", "-C", str(ROOT)]
    changed = subprocess.run([*git, "diff", "--exit-code", "--", *GENERATED]).returncode != 0
    unknown = subprocess.run([*git, "ls-files", "--others", "--exclude-standard", "--", *GENERATED],
                             check=True, capture_output=True, text=True).stdout.split("\n")
    return ["not in step with the notebooks, see the diff above: run `make prepare`, then `git add`"] * changed + \
        [f"{path}: not known to git" for path in unknown if path]


if __name__ == "__main__":
    books = notebooks()
    problems = wrong_kernels(books) + orphan_modules(books) + long_systems() + dead_links() + unlisted(books)
    problems += uncommitted()
    print("\n".join(problems) or f"{len(books)} notebooks: clean, exported, linked")
    sys.exit(bool(problems))
