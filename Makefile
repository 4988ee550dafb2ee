# Everything a newcomer needs: `make demo` and `make test`. Both install what they need.
# Needs only a POSIX shell and some Python 3 with pip (or uv): uv brings Python 3.12 itself where the machine has none.

SHELL := /bin/sh
VENV  := .venv
PY    := $(VENV)/bin/python
STAMP := $(VENV)/.installed
TOOLS := $(VENV)/.installed-tools
# A uv of the user's is used if there is one; else one is installed into .tools, touching nothing outside.
UV    := $(shell command -v uv 2>/dev/null || echo .tools/uv/bin/uv)

# As pip does: where the machine has certificates of its own (behind a company's proxy), they count for uv too.
# The second name is that of older versions of uv.
ifneq ($(wildcard /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/cert.pem),)
export UV_SYSTEM_CERTS ?= 1
export UV_NATIVE_TLS ?= 1
endif

# Where this is set, every process compiles every module anew, and the tests start hundreds of processes.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo tools test lint bench soak docs lock clean help

help:
	@echo "make demo   run the demonstration: a strategy against simulated venues, checked against their ledgers"
	@echo "make tools  install what the dashboard, the notebooks and the tests need besides"
	@echo "make test   lint, type check and all tests"
	@echo "make lint   lint and type check only"
	@echo "make bench  benchmarks, beside the framework's own Binance adapter"
	@echo "make soak   1,000 seeds of faults (long)"
	@echo "make docs   the documentation as a site, in site/"
	@echo "make lock   renew requirements.lock"

demo: $(STAMP)
	$(VENV)/bin/orderfeeds demo

tools: $(TOOLS)

test: $(TOOLS)
	@# The tests are read once, and their compiled form kept, while ruff and mypy run: else each worker would do it again.
	@$(PY) -m pytest --collect-only -q > /dev/null 2>&1 & \
		$(MAKE) --no-print-directory lint; status=$$?; wait; exit $$status
	@echo "==> tests"
	@# Eight nodes on two cores can starve each other: what failed must pass alone, or the tests have failed.
	$(PY) -m pytest -n 8 --dist worksteal || { echo "==> once more, alone: what failed"; $(PY) -m pytest --lf --lfnf=none; }

lint: $(TOOLS)
	@echo "==> ruff, mypy"
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

bench: $(TOOLS)
	$(PY) -m benchmarks

soak: $(TOOLS)
	$(PY) -m pytest -n 8 -m soak tests/soak

docs: $(TOOLS)
	$(PY) docs/generate.py
	$(VENV)/bin/zensical build --clean

# What the package itself needs; `make demo` needs no more, and is quick on a fresh machine.
$(STAMP): pyproject.toml requirements.lock $(UV)
	@echo "==> installing into $(VENV) (once)"
	@test -x $(PY) || $(UV) venv --quiet --python "$$(cat .python-version)" $(VENV)
	$(UV) pip install --quiet --python $(PY) --constraint requirements.lock -e .
	@touch $@

# What the dashboard, the notebooks, testing and the documentation need besides.
$(TOOLS): $(STAMP)
	@echo "==> installing what the dashboard, notebooks, tests and docs need (once)"
	$(UV) pip install --quiet --python $(PY) -r requirements.lock
	@touch $@

.tools/uv/bin/uv:
	@echo "==> installing uv into .tools (once)"
	@python3 -m pip install --quiet --disable-pip-version-check --no-warn-script-location --root-user-action=ignore --target .tools/uv uv

lock: $(UV)
	$(UV) pip compile --universal --python-version 3.12 --no-header --no-emit-index-url --quiet \
		--group dev --all-extras pyproject.toml -o requirements.lock

clean:
	rm -rf $(VENV) .tools .mypy_cache .ruff_cache .pytest_cache .hypothesis
