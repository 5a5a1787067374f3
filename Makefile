# Each target does its own set-up in .venv; nothing else is needed but Python 3.11 or later.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo serve test check bench bench-plots deep format lock clean

demo: $(READY)  ## dial examples/contacts.csv through server and client, on a SQLite file and a simulated line
	$(BIN)/python examples/demo.py

serve: $(READY)  ## the campaigns API on this machine, for trials; ARGS="--port 0" and the like
	$(BIN)/kataven serve $(ARGS)

test: $(READY)  ## the whole test suite, the core at 100 % branch coverage
	$(BIN)/pytest --numprocesses auto --dist loadfile --cov --cov-fail-under=100

check: $(READY)  ## format, lint, types, import contracts, docs, wheel
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/basedpyright
	$(BIN)/lint-imports --no-cache
	$(BIN)/pytest --quiet docs README.md
	$(BIN)/python tools/check_wheel.py

bench: $(READY)  ## speed beside floors and peers, as a table and bench/results.json; ROW="dispatch slots" for some of it
	$(BIN)/uv pip install --quiet --python $(BIN)/python --requirement requirements/bench.txt
	$(BIN)/python -m bench $(ROW) $(ARGS)

bench-plots: $(READY)  ## how things grow, as pictures for docs/explanation/speed.md
	$(BIN)/uv pip install --quiet --python $(BIN)/python --requirement requirements/bench.txt
	$(BIN)/python -m bench.plots

deep: $(READY)  ## the long runs: simulation, planted bugs, kills, soak, fuzzing, mutation; hours of them
	$(BIN)/uv pip install --quiet --python $(BIN)/python --requirement requirements/deep.txt
	$(BIN)/python tools/deep.py $(ARGS)

format: $(READY)  ## let ruff lay out and mend what it can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: $(READY)  ## pin anew what developing takes
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-header --no-emit-index-url --group dev --all-extras pyproject.toml --output-file requirements/dev.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-header --no-emit-index-url --group deep pyproject.toml --output-file requirements/deep.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-header --no-emit-index-url --constraint requirements/dev.txt --group bench pyproject.toml --output-file requirements/bench.txt

clean:  ## remove the environment and what checks and tests leave; databases stay
	rm -rf $(VENV) dist build .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache

$(READY): requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "kataven: Python 3.11 or later is needed, this is %d.%d; try: make PYTHON=python3.12 ..." % sys.version_info[:2])'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@
