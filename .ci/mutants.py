"""Put wrong lines into exported cells, one at a time, and ask each notebook's own tests whether they notice.

    python .ci/mutants.py [--only 15_ruc] [--jobs 2] [--check]

`.ci/mutants/<notebook>.json` lists them as `[why, line, wrong line]`: what the mistake would be, a piece of an
exported cell that occurs there exactly once, and what stands in its place. A mutant dies when a cell of the notebook
fails. `--check` only looks whether all pieces still occur. Last line: `N of M mutants died`; survivors are named
before it, and end it with exit code 1.
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LISTS = ROOT / ".ci" / "mutants"
LIMIT = 900  # seconds; a mutant that hangs its notebook has been noticed
SETTINGS = dict.fromkeys(["OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"], "1")
# the same instructions on every x86 processor, so the same last digits, of which training makes much (54_experiments)
SETTINGS |= dict(ATEN_CPU_CAPABILITY="avx2", ONEDNN_MAX_CPU_ISA="AVX2", MKL_CBWR="AVX2", FAISS_OPT_LEVEL="avx2")
SETTINGS |= dict(OPENBLAS_CORETYPE="Haswell", NUMBA_CPU_NAME="generic")


def read_lists(only: str) -> list:
    "(notebook, why, line, wrong line) of all mutants that were asked for."
    patterns = only.replace(",", " ").split() or ["*"]
    names = [path for path in sorted(LISTS.glob("*.json")) if any(fnmatch(path.stem, p) for p in patterns)]
    return [(path.stem, *mutant) for path in names for mutant in json.loads(path.read_text())]


def exported(cell: dict) -> bool:
    return cell["cell_type"] == "code" and "".join(cell["source"]).lstrip().startswith(("#| export", "#|export"))


def mutated(name: str, line: str, wrong: str) -> dict:
    "The notebook with `wrong` for `line`; `ValueError` where it is not in exactly one place."
    book = json.loads((ROOT / "nbs" / f"{name}.ipynb").read_text())
    cells = [cell for cell in book["cells"] if exported(cell)]
    places = sum("".join(cell["source"]).count(line) for cell in cells)
    if places != 1:
        raise ValueError(f"{name}: {places} places have {line!r}; accepted is 1")
    for cell in cells:
        cell["source"] = "".join(cell["source"]).replace(line, wrong)
    return book


def dies(mutant: tuple) -> bool:
    "Whether the tests of the notebook fail, in a copy of the project in which module and notebook are wrong."
    name, why, line, wrong = mutant
    with tempfile.TemporaryDirectory(prefix="mutant-") as place:
        place = Path(place)
        for part in ("rpsc", "nbs", "reports/defaults"):
            shutil.copytree(ROOT / part, place / part, ignore=shutil.ignore_patterns("__pycache__", "_proc"))
        for part in ("settings.ini", "pyproject.toml", "setup.py", "README.md"):
            shutil.copy(ROOT / part, place / part)
        book = mutated(name, line, wrong)
        (place / "nbs" / f"{name}.ipynb").write_text(json.dumps(book))
        lines = (line for cell in book["cells"] for line in "".join(cell["source"]).splitlines())
        module = next(line.split()[-1] for line in lines if line.startswith("#| default_exp"))
        path = place / "rpsc" / (module.replace(".", "/") + ".py")
        path.write_text(path.read_text().replace(line, wrong))
        test = str(Path(sys.executable).parent / "nbdev_test")
        command = [test, "--path", f"nbs/{name}.ipynb", "--n_workers", "0", "--do_print"]
        settings = {**os.environ, **SETTINGS, "PYTHONPATH": str(place)}
        silent = dict.fromkeys(["stdin", "stdout", "stderr"], subprocess.DEVNULL)
        process = subprocess.Popen(command, cwd=place, env=settings, start_new_session=True, **silent)
        try:
            dead = process.wait(LIMIT) != 0
        except subprocess.TimeoutExpired:
            dead = True
        try:
            os.killpg(process.pid, 9)
        except ProcessLookupError:
            pass
        process.wait()
    print(f"{'died    ' if dead else 'SURVIVED'}  {name}: {why}", flush=True)
    return dead


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", default="", help="names of notebooks or globs, separated by spaces or commas")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--check", action="store_true",
                        help="run nothing: only look whether each line still occurs once")
    args = parser.parse_args()
    mutants = read_lists(args.only)
    for name, _, line, wrong in mutants:
        mutated(name, line, wrong)
    if args.check:
        print(f"{len(mutants)} mutants, each with its place")
        return
    with ThreadPoolExecutor(args.jobs) as pool:
        outcomes = list(pool.map(dies, mutants))
    for mutant, dead in zip(mutants, outcomes):
        if not dead:
            print("SURVIVED", *mutant, sep="\n    ")
    print(f"{sum(outcomes)} of {len(outcomes)} mutants died")
    sys.exit(not all(outcomes))


if __name__ == "__main__":
    main()
