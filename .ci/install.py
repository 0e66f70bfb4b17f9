"""Create or repair .venv with the versions in constraints.txt: `python3 .ci/install.py [EXTRAS]`.

Nothing happens when .venv was made here, completely, from the same settings.ini, setup.py and constraints.txt
(compared by content: after a clone every file is new). Extras asked for once are kept by later calls.
"""
import sys

if sys.version_info < (3, 11):
    sys.exit("rpsc needs Python 3.11 or newer, this is %d.%d: name another one, as in "
             "`make install PYTHON=python3.12`" % sys.version_info[:2])

import fcntl
import hashlib
import json
import os
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "rpsc-install.json"
SOURCES = ("settings.ini", "setup.py", "constraints.txt")
ALWAYS = ("dev", "lab", "umap")  # extras without which `make test` and `make tables` do not run completely
PROBE = """
import sys
from importlib.metadata import version
from importlib.util import find_spec
sys.exit(not (version("rpsc") and all(map(find_spec, ["torch", "nbdev", "papermill", "ipykernel"]))))
"""


def run(*command) -> bool:
    "Whether `command` worked; its own words go to the terminal."
    return subprocess.run([str(part) for part in command], cwd=ROOT).returncode == 0


def read_stamp() -> dict:
    "What the last complete installation wrote; empty after none, or after one that was cut short."
    try:
        return json.loads(STAMP.read_text())
    except (OSError, ValueError):
        return {}


def content_key(extras: list) -> str:
    "The folder is part of it: a virtual environment does not survive being moved or copied."
    parts = [(ROOT / name).read_bytes() for name in SOURCES] + [str(ROOT).encode(), ",".join(extras).encode()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def is_alive() -> bool:
    "Whether the interpreter of .venv starts and finds the main packages."
    if not PYTHON.exists():
        return False
    return subprocess.run([str(PYTHON), "-c", PROBE], cwd=VENV, stderr=subprocess.DEVNULL).returncode == 0


def create_venv():
    "An empty .venv, made by the interpreter outside any virtual environment."
    if not run(sys._base_executable, "-m", "venv", "--clear", VENV):
        sys.exit("Python could not make a virtual environment (on Debian and Ubuntu: apt-get install python3-venv)")


def install_packages(extras: list) -> bool:
    "uv takes a tenth of pip's time; where it cannot be had or fails, pip does the same work."
    pinned = ["-c", "constraints.txt"]
    wanted = ["-e", f".[{','.join(extras)}]"]
    seen = sys.stderr.isatty()
    pip = [PYTHON, "-m", "pip", "--disable-pip-version-check", "install", *([] if seen else ["-qq"])]
    uv = [VENV / "bin" / "uv", "pip", "install", *([] if seen else ["--quiet"]), "--python", PYTHON]
    if run(*pip, "-qq", *pinned, "uv"):
        # certificates of the system, as pip's users behind a proxy expect
        if run(*uv, "--system-certs", "--compile-bytecode", *pinned, *wanted):
            return True
    print("uv did not do; pip takes over (some minutes)", flush=True)
    return run(*pip, *pinned, *wanted)


def main(asked: str = ""):
    lock = os.open(ROOT, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)  # a second `make` waits for the first one
    stamp = read_stamp()
    extras = [*ALWAYS, *sorted({*stamp.get("extras", []), *filter(None, asked.split(","))} - {*ALWAYS})]
    key = content_key(extras)
    alive = bool(stamp) and is_alive()
    if alive and stamp.get("key") == key:
        return
    start = time.time()
    print(f"setting up .venv with Python {sys.version.split()[0]} and [{', '.join(extras)}] ...", flush=True)
    if alive and stamp.get("root") == str(ROOT):
        STAMP.unlink()  # from here on an interruption means: start over
    else:
        create_venv()
    if not install_packages(extras):
        sys.exit("the installation failed (see above); the next `make install` starts over")
    STAMP.write_text(json.dumps({"key": key, "extras": extras, "root": str(ROOT)}))
    print(f".venv is ready after {time.time() - start:.0f} s", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:2])
