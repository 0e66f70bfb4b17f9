"""Run every notebook as a test: one fresh process each, a few at a time, the longest first.

    python .ci/test.py [--only 11_scl] [--jobs 2] [--flags slow]

Each one goes through `nbdev_test`. It reuses its worker processes, so one notebook would see the environment, the
modules and the random state of another; hence a process for each, forked from one that has imported the libraries of
others and nothing else, which is most of the time of a short notebook. Logs: build/test/. Last line: `N passed, M
failed`; before it stands what cells have said that they skip, for want of a browser or a library.
"""
import argparse
import json
import multiprocessing
import os
import re
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NBS = ROOT / "nbs"
LOGS = ROOT / "build" / "test"
DURATIONS = LOGS / "durations.json"
LIMIT = 1200  # seconds for one notebook: many times what any needs, against one that hangs
SETTINGS = dict.fromkeys(["OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"], "1")
# the same instructions on every x86 processor, so the same last digits, of which training makes much (54_experiments)
SETTINGS |= dict(ATEN_CPU_CAPABILITY="avx2", ONEDNN_MAX_CPU_ISA="AVX2", MKL_CBWR="AVX2", FAISS_OPT_LEVEL="avx2")
SETTINGS |= dict(OPENBLAS_CORETYPE="Haswell", NUMBA_CPU_NAME="generic")
SETTINGS |= dict(RPSC_CACHE="off")  # tests find nothing of other days, and leave nothing behind
SETTINGS |= dict.fromkeys(["HF_HUB_CACHE", "TORCH_HOME"], str(LOGS / "empty"))  # nor networks of this machine
LIBRARIES = ["nbdev.test", "torch", "torchvision", "faiss", "sklearn.cluster", "sklearn.mixture", "sklearn.manifold",
             "scipy.stats", "pandas", "matplotlib.pyplot"]
SKIPS = "- Skips: "  # begins a line of a log
fresh = multiprocessing.get_context("forkserver")
running = set()


def find_notebooks(only: str) -> dict:
    "name -> path, by nbdev's rules: nothing that starts with _ or ., nothing beside a file .notest."
    found = {}
    for path in sorted(NBS.rglob("*.ipynb")):
        parts = path.relative_to(NBS).parts
        if not any(part[0] in "_." for part in parts) and not (path.parent / ".notest").exists():
            found["/".join(parts).removesuffix(".ipynb")] = path
    patterns = only.replace(",", " ").split()
    return {name: path for name, path in found.items()
            if not patterns or any(fnmatch(name, p) or fnmatch(path.stem, p) for p in patterns)}


def telling(shell: type) -> type:
    "A shell for notebooks that prints what cells say about tests that they skip; nbdev's keeps it to itself."
    class Telling(shell):
        def run_cell(self, *args, **more):
            found = super().run_cell(*args, **more)
            lines = [line for line in found.stdout.splitlines() if re.search(r"\bskipped\b", line)]
            print(*(f"{SKIPS}{line}\n" for line in lines), sep="", end="", flush=True)
            return found
    return Telling


def test_notebook(path: str, flags: str, log: str):
    "All that a process does; leaves with 1 if a cell failed."
    os.setsid()  # so that it ends together with what it starts
    for number, mode in (0, os.O_RDONLY), (1, os.O_WRONLY), (2, os.O_WRONLY):
        os.dup2(os.open(os.devnull if number == 0 else log, mode | os.O_APPEND), number)
    import nbdev.test
    nbdev.test.CaptureShell = telling(nbdev.test.CaptureShell)
    nbdev.test.nbdev_test(path, flags=flags, n_workers=0, do_print=True)


def run_notebook(name: str, path: Path, flags: str) -> tuple:
    "(name, seconds, verdict); everything it printed is in its log."
    log = LOGS / f"{name.replace('/', '.')}.log"
    log.write_text("")
    process = fresh.Process(target=test_notebook, args=(str(path), flags, str(log)))
    start = time.time()
    process.start()
    running.add(process)
    process.join(LIMIT)
    if process.exitcode is None:
        kill(process)
        with open(log, "a") as out:
            print(f"stopped after {LIMIT} s", file=out)
    running.discard(process)
    was_run = "Starting " in log.read_text(errors="replace")  # absent where front matter says skip_exec
    return name, time.time() - start, "FAILED" if process.exitcode != 0 else "ok" if was_run else "skipped"


def kill(process):
    "End `process` and what it started."
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.join()


def skips(name: str) -> list:
    "What cells of a notebook have said that they skip, by its log."
    lines = (LOGS / f"{name.replace('/', '.')}.log").read_text(errors="replace").splitlines()
    return [f"{name}: {line.removeprefix(SKIPS)}" for line in lines if line.startswith(SKIPS)]


def read_durations() -> dict:
    try:
        return json.loads(DURATIONS.read_text())
    except (OSError, ValueError):
        return {}


def run_all(notebooks: dict, jobs: int, flags: str) -> dict:
    "name -> (seconds, verdict); one line is printed as each notebook ends."
    known, results = read_durations(), {}
    order = sorted(notebooks, key=lambda name: -known.get(name, float("inf")))
    width = max(map(len, notebooks))
    pool = ThreadPoolExecutor(jobs)
    try:
        tasks = [pool.submit(run_notebook, name, notebooks[name], flags) for name in order]
        for task in as_completed(tasks):
            name, seconds, verdict = task.result()
            results[name] = seconds, verdict
            print(f"{name:<{width}}  {seconds:7.1f} s  {verdict}", flush=True)
    except KeyboardInterrupt:
        pool.shutdown(wait=False, cancel_futures=True)
        for process in list(running):
            kill(process)
        sys.exit("interrupted")
    known |= {name: round(seconds, 1) for name, (seconds, _) in results.items()}
    DURATIONS.write_text(json.dumps(known, indent=1, sort_keys=True))
    return results


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", default="", help="names or globs, separated by spaces or commas")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--flags", default="", help="also run cells with these flags, such as slow")
    args = parser.parse_args()
    notebooks = find_notebooks(args.only)
    if not notebooks:
        sys.exit(f"no notebook under nbs/ is called {args.only!r}" if args.only else "there is no notebook under nbs/")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # when make is killed, so are the notebooks
    LOGS.mkdir(parents=True, exist_ok=True)
    os.chdir(ROOT)
    os.environ.update(SETTINGS)
    fresh.set_forkserver_preload(LIBRARIES)
    start = time.time()
    results = run_all(notebooks, max(1, args.jobs), args.flags)
    failed = sorted(name for name, (_, verdict) in results.items() if verdict == "FAILED")
    for name in failed:
        log = LOGS / f"{name.replace('/', '.')}.log"
        print(f"\n{'-' * 20} {name} ({log.relative_to(ROOT)})\n{log.read_text(errors='replace')[-8000:].rstrip()}")
    passed = sum(verdict == "ok" for _, verdict in results.values())
    if told := [line for name in sorted(results) for line in skips(name)]:
        print("", "not everything was tested:", *told, sep="\n")
    print(f"\nafter {time.time() - start:.0f} s, {args.jobs} at a time:\n"
          f"{passed} passed, {len(failed)} failed", flush=True)
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
