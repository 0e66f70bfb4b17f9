"Install from settings.ini, the one place where name, version and dependencies are written."
from configparser import ConfigParser
from pathlib import Path

from setuptools import find_packages, setup

here = Path(__file__).parent
config = ConfigParser(delimiters=["="])
config.read(here / "settings.ini", encoding="utf-8")
cfg = config["DEFAULT"]
names = ("encoders", "onnx", "photos", "analysis", "umap", "lab", "dev", "bench")
extras = {name: cfg[f"{name}_requirements"].split() for name in names}

setup(
    name=cfg["lib_name"],
    version=cfg["version"],
    description=cfg["description"],
    long_description=(here / "README.md").read_text(encoding="utf-8") if (here / "README.md").exists() else "",
    long_description_content_type="text/markdown",
    keywords=cfg["keywords"].split(),
    author=cfg["author"],
    author_email=cfg["author_email"],
    url=cfg["git_url"],
    license=cfg["license"],
    classifiers=["Programming Language :: Python :: 3", "Intended Audience :: Science/Research",
                 "Typing :: Typed"],
    packages=find_packages(include=["rpsc", "rpsc.*"]),
    package_data={"rpsc": ["py.typed", "*.html", "*.css", "*.js", "weights/*"], "rpsc.lab": ["*.csv", "*.md"]},
    include_package_data=True,
    python_requires=f">={cfg['min_python']}",
    install_requires=cfg["requirements"].split(),
    extras_require=extras,
    entry_points={"console_scripts": cfg.get("console_scripts", "").split()},
    zip_safe=False,
)
