# The front door. `make` lists what there is; the build itself is CMake (CMakePresets.json).
JOBS ?= $(shell nproc)
PRESET ?= release
SOURCES = $(shell find src bench tests -name '*.cc' -o -name '*.h')

.PHONY: help deps build demo test lint bench format clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' Makefile

deps: ## install what is missing (Debian packages, Python, Node, local engine)
	@tools/install-deps.sh all

build: ## the release executables build/release/offpeak and build/release/offpeak-sim
	@tools/install-deps.sh build
	@cmake --preset $(PRESET) >/dev/null
	@cmake --build --preset $(PRESET) -j $(JOBS) --target offpeak offpeak-sim

demo: ## install, build, and run a real batch through a small local model
	@tools/install-deps.sh build
	@tools/install-deps.sh engine
	@$(MAKE) --no-print-directory build
	@python3 tools/demo.py

test: ## everything: unit tests with sanitizers, layer and style checks, functional tests, SDK scripts
	@tools/install-deps.sh all
	@python3 tools/test.py --jobs $(JOBS)

lint: ## clang-format, clang-tidy, layer and style checks
	@tools/install-deps.sh build
	@clang-format-19 --dry-run --Werror $(SOURCES)
	@cmake --preset dev >/dev/null
	@run-clang-tidy-19 -quiet -p build/dev -j $(JOBS) \
		"$(CURDIR)/src/(?!testing)(?!.*_test\.cc).*\.cc"
	@python3 tools/check_layers.py
	@python3 tools/check_style.py

bench: ## benchmarks against the limits of this machine
	@tools/install-deps.sh build
	@tools/install-deps.sh test
	@cmake --preset release >/dev/null
	@cmake --build --preset release -j $(JOBS)
	@python3 bench/run.py

format: ## clang-format in place
	@clang-format-19 -i $(SOURCES)

clean: ## remove the build trees and the demo's data
	@rm -rf build .demo
