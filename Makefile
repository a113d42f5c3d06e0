# Queuegram. `make help` lists what there is; `make demo` and `make test` do all their set-up themselves.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help demo test fuzz fuzz-replay faults faults-mutants build fmt lint contract contract-check witnesses clean-stage bench-programs bench-takeover bench-idle bench-parked

CARGO ?= cargo
# Programs lie where cargo puts them.
BIN := $(or $(CARGO_TARGET_DIR),target)/debug

help: ## This list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | awk -F '\t' '{ printf "  make %-15s %s\n", $$1, $$2 }'

demo: build ## The main job: private servers, a simulated Telegram, a worker, the eight commands (KEEP=1 stays up)
	@STAGE_PROGRAMS_BUILT=1 $(BIN)/demo $(if $(KEEP),--keep)

# Stories wait more than they compute: twice as many at once as there are processors, up to eight.
test: build witnesses ## All tests, on private servers that are gone afterwards
	RUST_TEST_THREADS=$${RUST_TEST_THREADS:-$$((n = 2 * $$(nproc), n < 8 ? n : 8))} STAGE_PROGRAMS_BUILT=1 $(BIN)/stage run -- $(CARGO) test --workspace --locked --no-fail-fast $(ARGS)

build: ## Every program
	@echo "Building (the first time takes some minutes) …"
	$(CARGO) build --workspace --bins --locked
	$(CARGO) build --workspace --bin queuegram-worker-faults --features queuegram-worker/faults,queuegram-worker/test-clock --locked

faults: build ## The fault matrix: SEEDS=n, SEED_BASE=k, SCALE=10, LANES=3 (docs/faults.md)
	@STAGE_PROGRAMS_BUILT=1 $(BIN)/faults seeds --seeds $(or $(SEEDS),10) --base $(or $(SEED_BASE),1) \
	  --scale $(or $(SCALE),10) --lanes $(or $(LANES),3)

faults-mutants: build ## The test of the matrix: workers that break a promise must be caught (MUTANT=name for one)
	@STAGE_PROGRAMS_BUILT=1 $(BIN)/faults mutants $(if $(MUTANT),--only $(MUTANT)) --lanes $(or $(LANES),2)

fuzz: ## Fuzz the decoders of what comes from outside: FOR=seconds each, TARGET=name for one (docs/fuzzing.md)
	scripts/fuzz $(or $(FOR),60) $(TARGET)

fuzz-replay: ## Run a decoder's fuzz target on a file in which it failed: TARGET=name FILE=path
	$(CARGO) run --package queuegram-fuzz --locked -- $(TARGET) $(FILE)

witnesses: ## The foreign client libraries that tests drive (pinned, in target/ and node_modules/)
	@scripts/python-witnesses >/dev/null
	@scripts/node-witnesses >/dev/null

fmt: ## Format the code
	$(CARGO) fmt --all

lint: ## Formatting and clippy, warnings as errors
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings

# The figures of a debug build say little.
bench-programs:
	@echo "Building for release (the first time takes many minutes) …"
	$(CARGO) build --release --workspace --bins --locked

BENCH = STAGE_PROGRAMS_BUILT=1 $(or $(CARGO_TARGET_DIR),target)/release/bench

bench-takeover: bench-programs ## How long until another worker serves a lost worker's 200 instances (ARGS='--instances 50')
	@$(BENCH) takeover $(ARGS)

bench-idle: bench-programs ## What 5000 idle instances on one worker cost (ARGS='--instances 500 --queue-kind classic')
	@$(BENCH) idle $(ARGS)

bench-parked: bench-programs ## Ten thousand parked commands of one account (ARGS='--commands 1000')
	$(CARGO) build --release --workspace --bin queuegram-worker-faults --features queuegram-worker/faults,queuegram-worker/test-clock --locked
	@$(BENCH) parked $(ARGS)

contract: build ## Write proto/schema and proto/asyncapi.yaml anew from the methods
	$(BIN)/queuegram-worker contract --write proto

contract-check: build ## Fail where the checked-in contract is stale
	$(BIN)/queuegram-worker contract --check proto

clean-stage: ## Remove private folders that a crash of the machine left in the temporary folder
	rm -rf "$${TMPDIR:-/tmp}"/queuegram-{stage,scene,witness,compose}-*
