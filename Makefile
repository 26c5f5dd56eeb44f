# wireroom. `make run` and `make test` need nothing done before.

CARGO  ?= cargo
KILLS  ?= 100
WORST  ?= 0
IMAGE  ?= target/image
CORPUS ?= ../shared/corpus
SCHEMAS ?= ../shared/schemas
COPIES  = $(CORPUS)/near_duplicates/edited.jsonl.xz $(CORPUS)/near_duplicates/wire.jsonl.xz
CORPORA = $(CORPUS)/fundus.jsonl.xz $(CORPUS)/newsset.jsonl.xz $(CORPUS)/trafilatura.jsonl.xz $(CORPUS)/wcxb.jsonl.xz

# The same packages each time: of others cargo would choose other features of what they depend on, and compile that again.
RELEASE  = $(CARGO) build --workspace --release --locked
MEASURED = $(RELEASE) --quiet --example corpora --example copies --bin wireroom --bin ninjs

.DEFAULT_GOAL := help
.PHONY: help setup setup-test setup-ops run test test-ops test-image lint bench quality train test-crash deny

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' Makefile

setup: ## Check what the build needs; install what is missing (as root) or say how
	@.ci/setup

setup-test: # The same for the tests
	@.ci/setup test

setup-ops: # The same for the checks of chart and image
	@.ci/setup ops

run: setup ## Run the pipeline on the embedded log over a small press of fictional outlets, and show what comes out
	$(RELEASE) --bin wireroom --bin press
	target/release/press demo target/release/wireroom

test: setup-test ## Run every test, those on a real Kafka included
	$(CARGO) test --workspace --locked

test-ops: setup-ops ## Check the chart, the image, the compose file, the rules and the contract
	@$(CARGO) build --quiet --locked --workspace --bin wireroom
	@tests/ops/run

test-image: setup-ops ## Run the Dockerfile's own steps in IMAGE, an empty folder, and what comes of them (IMAGE=target/image)
	rm -rf $(IMAGE)
	tests/ops/image $(IMAGE)
	WIREROOM_PROGRAM=$(abspath $(IMAGE))/image/usr/bin/wireroom tests/ops/run tests/ops/test_image.py

lint: setup ## Formatting, clippy, documentation: no warnings
	@.ci/setup rust-components
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- --deny warnings
	RUSTDOCFLAGS='--deny warnings' $(CARGO) doc --workspace --no-deps --document-private-items --locked

bench: setup-test ## Measure: one `name value unit` a line
	@$(RELEASE) --bins
	@target/release/bench target/release/wireroom
	@target/release/bench_services
	@target/release/bench_fetcher
	@target/release/bench_handover

quality: setup ## Score extractor and normalizer on the recorded pages in CORPUS, against what was reached (WORST=n: name the n worst)
	@if [ -d "$(CORPUS)" ]; then \
	  $(MEASURED) && \
	  target/release/examples/corpora score --worst $(WORST) $(CORPORA) && \
	  target/release/examples/copies $(COPIES); \
	else \
	  echo "quality: not measured, as there are no recorded pages in $(CORPUS)"; \
	fi
	@if [ -f "$(SCHEMAS)/ninjs-3.1.json" ]; then \
	  $(MEASURED) && \
	  target/release/ninjs $(SCHEMAS)/ninjs-3.1.json target/release/wireroom; \
	else \
	  echo "quality: ninjs is not validated, as there is no $(SCHEMAS)/ninjs-3.1.json"; \
	fi

train: setup ## Train the extractor's model again on the recorded pages in CORPUS
	$(RELEASE) --example corpora
	target/release/examples/corpora train services/shared/extraction/src/model.txt $(CORPORA)

test-crash: setup-test ## Kill and restart the pipeline KILLS times on each log (KILLS=100), and the decider 50 times
	WIREROOM_CRASH_KILLS=$(KILLS) WIREROOM_DECIDER_KILLS=50 \
	  $(CARGO) test --workspace --locked --test crash --test decider -- --nocapture

deny: ## Licences, advisories and sources of the dependencies (needs cargo-deny)
	$(CARGO) deny check
