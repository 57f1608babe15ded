# Pilothouse: `make run` opens the window, `make test` runs every test. Both set up what they need first.

.DEFAULT_GOAL := help
.PHONY: help run test test-quick check bench tour guest lock format clean

VENV := .venv
BIN := $(VENV)/bin
# Where setup.sh installs what the tests need, nothing that is missing is a reason to leave a test out.
NO_SKIPS := $(if $(filter Linux,$(shell uname -s)),PILOTHOUSE_NO_SKIPS=1)
ARCH := $(if $(filter aarch64 arm64,$(shell uname -m)),arm64,amd64)
ENV := QT_QPA_PLATFORM=offscreen PYTHONDONTWRITEBYTECODE=1

help: ## Say what each target does
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

run: $(VENV)/.run ## Open the window (on a virtual display where there is none)
	@packaging/setup.sh run
	@packaging/run.sh $(BIN)/pilothouse

test: $(VENV)/.dev ## Lint, types, imports and every test, against a real engine
	@packaging/setup.sh test
	@$(MAKE) --no-print-directory check
	$(ENV) $(NO_SKIPS) $(BIN)/python -m pytest

test-quick: $(VENV)/.dev ## The suite without what takes long (no engine is started)
	@packaging/setup.sh quick
	$(ENV) $(BIN)/python -m pytest -m "not slow"

check: $(VENV)/.dev ## Format, lint, types and import rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.dev ## Measure against floors of the same run; writes build/bench.json
	@packaging/setup.sh test
	$(ENV) $(BIN)/python -m tests.bench

tour: $(VENV)/.dev ## Drive the program through the main job; leaves pictures in build/tour
	@packaging/setup.sh test
	$(ENV) $(BIN)/python -m tests.tour

guest: $(VENV)/.run ## Build the image of the machine into build/guest (ARCH=amd64 or arm64), without root
	@packaging/setup.sh guest
	$(BIN)/python -m vm.guest build --arch $(ARCH) --out build/guest/$(ARCH)

lock: ## Renew the locked dependencies (needs uv)
	uv pip compile -q --universal --generate-hashes --python-version 3.11 --custom-compile-command "make lock" --extra build pyproject.toml -o requirements.lock
	uv pip compile -q --universal --generate-hashes --python-version 3.11 --custom-compile-command "make lock" --extra build --extra dev pyproject.toml -o requirements-dev.lock

format: $(VENV)/.dev ## Put the code into the one format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix-only .

clean: ## Remove what was made here (the program's own data stays)
	rm -rf $(VENV) build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache *.egg-info

$(VENV)/.run: requirements.lock pyproject.toml packaging/venv.sh
	@packaging/venv.sh $(VENV) requirements.lock
	@touch $@

$(VENV)/.dev: requirements-dev.lock pyproject.toml packaging/venv.sh
	@packaging/venv.sh $(VENV) requirements-dev.lock
	@touch $@ $(VENV)/.run
