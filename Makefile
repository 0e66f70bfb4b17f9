# Everything a clone needs: `make` lists the targets. Each one sets up .venv first, once.
PROFILE ?= mini
DATASET ?= digits
SEEDS   ?= part
ONLY    ?=
FLAGS   ?=
JOBS    ?= 2
EXTRAS  ?=
SYSTEMS ?=
SECONDS ?= 21600
PILOT   ?= 1200
RECIPE  ?= tcr
EPOCHS  ?= 15
GPU_RECIPE ?= byol
TEACHER ?= cifar10-small
SEED    ?= 0
PYTHON  ?= python3

# The tools of .venv come first on PATH, so nbdev and jupyter find the right Python;
# only the installer runs with the PATH that make was called with.
CALLER_PATH := $(PATH)
export PATH := $(CURDIR)/.venv/bin:$(PATH)

EXPERIMENTS = .venv/bin/python -m rpsc.lab.experiments
CHOICE      = --profile '$(PROFILE)' --dataset '$(DATASET)'
AGAIN       = --seeds '$(SEEDS)' --only '$(ONLY)'

.DEFAULT_GOAL := help
.PHONY: help install mutants tables figures extras smoke plan docs test check prepare export readme lint lab bench tuning encoder-gpu encoder-cpu encoder-tiny lock clean distclean

help: ## list the targets
	@awk -F ' *## *' '/^[a-z-]+:.*##/ { sub(/:.*/, "", $$1); printf "  make %-12s %s\n", $$1, $$2 }' Makefile
	@echo
	@echo "  PROFILE=$(PROFILE) DATASET=$(DATASET) choose what tables and figures run, SEEDS=all measures all that is on record"
	@echo "  again, SEEDS=none nothing: tables from records alone; ONLY=rpsc_table2 makes one of them; ONLY=11_scl tests one"
	@echo "  notebook (globs allowed), FLAGS=slow also its slow cells, JOBS=$(JOBS) how many at once;"
	@echo "  EXTRAS=encoders,analysis installs more."

install: ## create or repair .venv with the pinned versions (nothing to do: under a second)
	@PATH='$(CALLER_PATH)' $(PYTHON) .ci/install.py $(EXTRAS)

tables: install ## measure a part of the runs again, then write reports/tables and reports/figures from all records
	@$(EXPERIMENTS) tables $(CHOICE) $(AGAIN)

figures: install ## the same for reports/figures alone
	@$(EXPERIMENTS) figures $(CHOICE) $(AGAIN)

extras: install ## what stands in neither paper: the repair of spoilt labels, and accuracy by budget
	@$(EXPERIMENTS) extras $(CHOICE) $(AGAIN)

smoke: install ## execute every experiment notebook at its smallest scale
	@$(EXPERIMENTS) smoke

plan: install ## what tables would cost: data, image passes, FLOP, hours, memory (nothing starts)
	@$(EXPERIMENTS) plan $(CHOICE)

docs: install ## build the documentation site _docs/index.html; works without a network
	@.venv/bin/python .ci/docs.py

test: install ## run every notebook in a process of its own: these are the tests
	@.venv/bin/python .ci/test.py --jobs '$(JOBS)' --flags '$(FLAGS)' --only '$(ONLY)'

mutants: install ## put wrong lines into the code and see whether the tests notice (ONLY=15_ruc; takes an hour)
	@.venv/bin/python .ci/mutants.py --only '$(ONLY)' --jobs '$(JOBS)'

check: install lint ## notebooks clean; rpsc/ and README.md say what the notebooks say; links and kernels right
	@nbdev_clean
	@nbdev_export
	@.venv/bin/python .ci/readme.py
	@.venv/bin/python .ci/check.py

prepare: install ## before a commit: export, clean, test, README
	@nbdev_export
	@nbdev_clean
	@$(MAKE) --no-print-directory test
	@.venv/bin/python .ci/readme.py

export: install ## write rpsc/ from the notebooks
	@nbdev_export

readme: install ## write README.md from nbs/index.ipynb
	@.venv/bin/python .ci/readme.py

lint: install ## names that do not exist, code that cannot run, lines over 120 characters
	@ruff check --quiet nbs rpsc .ci

lab: install ## open the notebooks
	@jupyter lab nbs

bench: install ## measure speed
	@.venv/bin/python -m rpsc.lab.bench

tuning: install ## eight trials of every system on Fashion-MNIST, if not on record (DATA=folder with FashionMNIST/raw)
	@.venv/bin/python -m rpsc.lab.tuning $(SYSTEMS) --data '$(DATA)'

encoder-gpu: install ## ten minutes on a GPU: DATA=pictures.tar.xz, GPU_RECIPE=byol or best; an encoder, its features, steps a second (build/gpu)
	@.venv/bin/python -m rpsc.lab.gpu '$(DATA)' --recipe '$(GPU_RECIPE)' --compile

encoder-cpu: install ## hours on a processor: DATA=pictures.tar.xz SECONDS=21600 RECIPE=tcr, or RECIPE=pilots PILOT=1200
	@OMP_NUM_THREADS=1 .venv/bin/python -m rpsc.lab.gpu '$(DATA)' --out build/encoder-cpu --device cpu --encoder resnet10 \
	    --width 32 --recipes cpu --recipe '$(RECIPE)' --seconds '$(SECONDS)' --pilot '$(PILOT)' --looks 10 --watched 15000 --no-measures

encoder-tiny: install ## a small encoder that says what a large one says: DATA=pictures.tar.xz EPOCHS=15 TEACHER=cifar10-small (or a file) SEED=0
	@OMP_NUM_THREADS=1 .venv/bin/python -m rpsc.lab.distil '$(DATA)' --epochs '$(EPOCHS)' --teacher '$(TEACHER)' --seed '$(SEED)' \
	    --out 'build/encoder-tiny/$(notdir $(TEACHER))-$(EPOCHS)-$(SEED)'

# Vendors' GPU packages exist for one platform only: without them the file serves all. uv keeps the versions already
# in constraints.txt that still fit; LOCK=--upgrade takes the newest of everything.
lock: install ## write constraints.txt anew from settings.ini (LOCK=--upgrade: newest versions)
	@mkdir -p build && cp constraints.txt build/constraints.txt
	@echo uv | .venv/bin/uv pip compile --quiet $(LOCK) --no-annotate --no-header --python-version 3.11 \
		setup.py - --extra dev --extra lab --extra encoders --extra photos --extra analysis --extra umap -o build/constraints.txt
	@{ echo '# Exact versions: installed and tested on Python 3.11, resolvable up to 3.14. Written by: make lock'; \
		grep -vE '^(#|nvidia-|cuda-|triton)' build/constraints.txt; } > build/constraints.part
	@mv build/constraints.part constraints.txt

clean: ## remove test logs and caches of Python (runs, features and checkpoints in build/ stay)
	@rm -rf build/test build/constraints.* _proc _docs .ruff_cache
	@find nbs rpsc .ci \( -name __pycache__ -o -name .ipynb_checkpoints \) -prune -exec rm -rf {} +

distclean: clean ## remove build/ with all its checkpoints, and .venv
	@rm -rf build .venv rpsc.egg-info
