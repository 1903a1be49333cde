# Everything a person types. `make demo` and `make test` need nothing beforehand but Debian 12,
# git, make, and root or sudo; `make help` lists the rest.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help demo test deps dev unit kafka asan tsan fuzz coverage nightly bench evaluate format \
        lint tidy clean

.NOTPARALLEL:

JOBS ?= $(shell nproc 2>/dev/null || echo 2)
BROKER ?= embedded
ARGS ?=
FUZZ_SECONDS ?= 120
SEEDS ?= 1..20
# One seed for the properties, so that a run can be repeated; `make nightly` draws anew, and more.
export RC_PARAMS ?= seed=20260301
# What ccache needs to cache files that use a precompiled header.
export CCACHE_SLOPPINESS ?= pch_defines,time_macros

# configure PRESET [OPTION…], build PRESET [TARGET…]
configure = echo "==> Configuring ($(1))" && cmake --preset $(1) $(2) >build/$(1).configure.log || \
            { cat build/$(1).configure.log; exit 1; }
build = echo "==> Compiling ($(1)$(if $(2), $(2)))" && \
        cmake --build build/$(1) -j $(JOBS) $(if $(2),--target $(2))
# The program alone, unless its tree has been configured with more.
release = $(call configure,release,$(if $(wildcard build/release/CMakeCache.txt),,-DPAYOPS_TESTS=OFF)) && \
          $(call build,release,payops)
ctest = cd build/$(1) && ctest --output-on-failure $(2)

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {sub(/ .*/, "", $$1); printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: ## install, build, and watch the agent work; ARGS="--duration 60", BROKER=kafka
	@scripts/install-deps build console $(if $(filter kafka,$(BROKER)),kafka)
	@mkdir -p build
	@$(release)
	@scripts/demo $(BROKER) build/release/payops $(ARGS)

test: dev ## install, build, and run every test that fits into half an hour
	@$(release)
	@$(call configure,asan-ubsan) && $(call build,asan-ubsan,asan_share)
	@$(call configure,tsan) && $(call build,tsan,tsan_share)
	@$(call configure,fuzz) && $(call build,fuzz,fuzz_targets)
	@echo "==> Testing"
	@$(call ctest,dev,-j $(JOBS) -LE nightly)

deps:
	@scripts/install-deps build test kafka console browser
	@mkdir -p build

dev: deps ## build everything for everyday work (build/dev)
	@$(call configure,dev)
	@$(call build,dev)

unit: dev ## the tests that need nothing but the build
	@$(call ctest,dev,-j $(JOBS) -L unit)

kafka: dev ## the tests against a real Apache Kafka
	@$(call ctest,dev,-L kafka)

asan: deps ## the unit tests under address and undefined-behaviour sanitizers
	@$(call configure,asan-ubsan) && $(call build,asan-ubsan)
	@$(call ctest,asan-ubsan,-j $(JOBS) -L unit)

tsan: deps ## the unit tests under the thread sanitizer
	@$(call configure,tsan) && $(call build,tsan)
	@$(call ctest,tsan,-j $(JOBS) -L unit)

fuzz: deps ## each fuzz target for FUZZ_SECONDS (120)
	@$(call configure,fuzz) && $(call build,fuzz,fuzz_targets)
	@scripts/fuzz build/fuzz $(FUZZ_SECONDS)

coverage: deps ## unit tests with line coverage; report in build/coverage/report
	@scripts/install-deps tools
	@$(call configure,coverage) && $(call build,coverage)
	@$(call ctest,coverage,-j $(JOBS) -L unit)
	@mkdir -p build/coverage/report
	@gcovr --root . --filter 'src/' --filter 'include/' --filter 'simulators/' build/coverage \
	  --html-details build/coverage/report/index.html --print-summary

nightly: deps ## what takes longer: all of it under the sanitizers, long fuzzing, tidy, benchmarks
	@scripts/install-deps tools
	@$(MAKE) --no-print-directory dev tidy
	@$(MAKE) --no-print-directory asan tsan RC_PARAMS=max_success=1000
	@$(MAKE) --no-print-directory fuzz FUZZ_SECONDS=900
	@$(MAKE) --no-print-directory coverage bench
	@$(call ctest,dev,-L nightly)

bench: deps ## the micro-benchmarks on the release build
	@$(call configure,release,-DPAYOPS_TESTS=ON) && $(call build,release)
	@for program in build/release/bench_*; do \
	  [ -x "$$program" ] && { echo "==> $$program"; "$$program" || exit 1; } || true; done

evaluate: deps ## the figures of docs/evaluation.md on the release build; SEEDS=1..20
	@$(call configure,release) && $(call build,release,payops)
	@echo "==> Detection" && build/release/payops evaluate detection --plots build/plots
	@echo "==> Attribution" && build/release/payops evaluate attribution --plots build/plots
	@echo "==> Calibration" && build/release/payops evaluate calibration --seeds $(SEEDS) \
	  --plots build/plots
	@echo "==> Policies" && build/release/payops evaluate policies --seeds $(SEEDS) --plots build/plots
	@echo "==> Policies, scenarios that were held out" && build/release/payops evaluate policies \
	  --scenarios simulators/scenarios/held_out --seeds $(SEEDS) --plots build/plots/held_out

format: ## reformat the sources
	@git ls-files --cached --others --exclude-standard '*.h' '*.cc' | xargs clang-format-14 -i

lint: ## format, style, shell scripts, Compose file, and clang-tidy on what differs from HEAD
	@scripts/lint

tidy: dev ## clang-tidy on all sources (slow)
	@scripts/lint tidy

clean: ## remove build/; state, audit logs and Kafka's data stay
	@rm -rf build
