# Two commands need nothing but Python 3.10+ and make: `make demo` and `make test`.
# Everything else is installed below .venv and node_modules, and only when it changed.

PYTHON ?= python3
BIN := .venv/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)
# Without compiled modules every run of the tests compiles all of them, which takes as long as many
# tests do, and so does every process that they start.
unexport PYTHONDONTWRITEBYTECODE
# The list for development is complete, so pip resolves nothing in it.
# What runs is installed with its dependencies, hence after them: aws-cdk.cloud-assembly-schema has
# files in the same place as aws-cdk-lib, whose own must stay.
# Nothing is compiled but what runs, when it first runs: the CDK alone has 450 MB of modules.
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile
CDK := node_modules/.bin/cdk
TYPESCRIPT := benchmarks/typescript/node_modules
SERVICES ?= services
WORKERS ?= auto
PYTEST := pytest -n $(WORKERS) --maxprocesses 4 --dist worksteal

.PHONY: demo synth test check types lint templates e2e format schema document picture docs lock bench wheel clean
.DELETE_ON_ERROR:

demo: synth  ## Check and synthesize the services, say what would be deployed, and rehearse every pair
	@$(BIN)/resiliency summary cdk.out
	@$(BIN)/resiliency rehearse cdk.out

synth: .venv/.runtime node_modules/.installed  ## Write the templates of every service to cdk.out
	@$(BIN)/resiliency check $(SERVICES)
	@$(CDK) synth --quiet --no-notices -c services=$(SERVICES)

# Without the CDK's validation of each template, which is half of Node's work; `make check` has it.
test: .venv/.dev node_modules/.installed  ## The tests that take no time; no root, no network
	CDK_VALIDATION=false $(BIN)/$(PYTEST) -m "not slow"

# What takes one processor runs side by side, before the tests that take all of them. SlipCover
# measures coverage: a tracer would make the tests three times as slow. It judges in a second step,
# as it forgets what the tests' workers measured once it has judged.
check: .venv/.dev node_modules/.installed $(TYPESCRIPT)/.installed  ## All that must hold before a change is merged
	@$(MAKE) --no-print-directory --jobs 2 --output-sync=target types lint templates
	@mkdir -p out
	$(BIN)/python -m slipcover --json --out out/coverage.json -m $(PYTEST) --hypothesis-profile many
	@$(BIN)/python -m slipcover --fail-under 98 --merge out/coverage.json --out out/coverage.json

types: .venv/.dev  ## Types alone
	$(BIN)/mypy

lint: .venv/.dev  ## Format, lint and imports alone
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports

templates: synth .venv/.dev $(TYPESCRIPT)/.installed  ## The templates alone: sound, and those of TypeScript
	$(BIN)/cfn-lint --non-zero-exit-code informational 'cdk.out/*.template.json'
	$(BIN)/python benchmarks/synthesis.py --compare

# Most of it is waiting for real time to pass, so there are more workers than processors; the files
# come in the order of tests/e2e/conftest.py.
e2e: .venv/.dev node_modules/.installed  ## Slow proofs: containers, fresh environments, the wheel
	$(BIN)/pytest -o addopts= -n 4 --dist loadfile --no-loadscope-reorder -ra --strict-markers \
	  --durations=10 tests/e2e

format: .venv/.dev  ## Format and mend what can be mended
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

schema: .venv/.runtime  ## Write the JSON Schemas of service files and of journals
	$(BIN)/resiliency schema > resiliency/service_file/service.schema.json.new
	mv resiliency/service_file/service.schema.json.new \
	  resiliency/service_file/service.schema.json
	$(BIN)/python -m resiliency.report.journal_schema > resiliency/report/journal.schema.json.new
	mv resiliency/report/journal.schema.json.new resiliency/report/journal.schema.json

document: .venv/.runtime  ## Write the document that installs the probe, after a change of either
	$(BIN)/python -m staged_resiliency.probe.document_builder > out.document.json
	mv out.document.json constructs/staged_resiliency/probe/document.json

picture: .venv/.dev  ## Draw the picture in README.md, and take those of pages with Chromium
	$(BIN)/python docs/architecture/render.py
	$(BIN)/python -m docs.pictures.screenshots

docs: .venv-docs/.installed  ## Build the documentation site: out/docs/index.html, which opens from a disk
	.venv-docs/bin/python docs/site/build.py
	NO_MKDOCS_2_WARNING=1 .venv-docs/bin/mkdocs build --strict --quiet -f docs/site/mkdocs.yml

lock: .venv/.runtime  ## Pin requirements for every supported Python
	$(PIP) uv==0.13.9
	$(BIN)/uv pip compile -q --universal --python-version 3.10 --no-header --no-annotate \
	  --generate-hashes requirements-dev.in -o requirements-dev.txt
	$(BIN)/uv pip compile -q --universal --python-version 3.10 --no-header --no-annotate \
	  --generate-hashes -c requirements-dev.txt requirements.in -o requirements.txt
	$(BIN)/uv pip compile -q --universal --python-version 3.10 --no-header --no-annotate \
	  --generate-hashes requirements-docs.in -o requirements-docs.txt

bench: .venv/.dev node_modules/.installed $(TYPESCRIPT)/.installed  ## Synthesis against TypeScript; the probe against others; the model
	$(BIN)/python benchmarks/synthesis.py
	$(BIN)/python -m benchmarks.probe
	$(BIN)/python benchmarks/timing.py

# The archives have the time of the commit, so that the same commit makes the same bytes.
wheel: .venv/.dev  ## Build the library for other teams: source archive and wheel
	SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) \
	  $(BIN)/python -m build --no-isolation --outdir dist .

clean:  ## Remove everything that was made
	rm -rf .venv .venv-* node_modules $(TYPESCRIPT) benchmarks/typescript/build cdk.out out build dist

.venv/.runtime: requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and \
	  f"Python 3.10 or newer is needed, this is {sys.version.split()[0]}; name one: make PYTHON=python3.12")'
	$(PYTHON) -m venv .venv
	$(PIP) --require-hashes -r requirements.txt
	$(PIP) --no-deps --no-build-isolation --no-index -e .
	@# Compiled here, so that the first synthesis need not.
	@$(BIN)/python -O -c 'import app'
	@touch $@

.venv-docs/.installed: requirements-docs.txt pyproject.toml
	$(PYTHON) -m venv .venv-docs
	.venv-docs/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-docs.txt
	.venv-docs/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --no-index -e .
	@touch $@

.venv/.dev: .venv/.runtime requirements-dev.txt
	$(PIP) --no-deps --require-hashes -r requirements-dev.txt
	@touch $@

node_modules/.installed: .venv/.runtime package-lock.json
	$(BIN)/npm ci --no-audit --no-fund --silent
	@touch $@

$(TYPESCRIPT)/.installed: .venv/.runtime benchmarks/typescript/package-lock.json
	$(BIN)/npm --prefix benchmarks/typescript ci --no-audit --no-fund --silent
	@touch $@
