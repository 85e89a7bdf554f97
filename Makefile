# Everything with logic is a Rust program or test; the targets only name it.
.DEFAULT_GOAL := help
.PHONY: help run test torture bench schemathesis fuzz deny check build release docs openapi clean

help: ## show the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  \033[1mmake %-12s\033[0m %s\n", $$1, $$2 }' Makefile

run: build ## try it: PostgreSQL, demo dealers, Fonnte simulator and service, until Ctrl-C (RUN=--help)
	@cargo run --quiet -p tests-e2e --bin demo -- $(RUN)

test: check build ## everything that CI runs, from nothing
	@cargo run --quiet -p tests-e2e --bin chromium
	@cargo run --quiet -p tests-e2e --bin interpreters
	@cargo run --quiet -p local-postgres -- exec --fast --install -- cargo test --workspace

torture: build ## kill service and database TORTURE_KILLS times (200) and count what became of every request
	@cargo run --quiet -p tests-e2e --bin torture

bench: ## measure the service beside pgbench, about a quarter of an hour (BENCH=--quick: two minutes; BENCH=--help)
	@cargo build --release --quiet --locked -p bin -p fonnte-simulator
	@cargo run --release --quiet --locked -p tests-e2e --bin bench -- $(BENCH)

schemathesis: build ## test the running service against its own OpenAPI document; needs Python
	@cargo run --quiet -p local-postgres -- exec --fast --install -- cargo run --quiet -p tests-e2e --bin schemathesis

fuzz: ## fuzz every parser for FUZZ_SECONDS (20) each; needs nightly Rust and cargo-fuzz
	@cargo run --quiet -p tests-e2e --bin fuzz

deny: ## known holes, licences, banned crates and sources of all dependencies; needs cargo-deny
	@cargo deny --version >/dev/null 2>&1 || { echo "first: cargo install --locked cargo-deny" >&2; exit 1; }
	cargo deny --locked check

check: ## formatting, lints and documentation, without a warning
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	cargo clippy -p bin --all-targets --locked --features fault-injection -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked

build: ## build all programs for development
	cargo build --workspace --locked
	@cargo build --quiet --workspace --locked --bin customer-service-faulty --features bin/fault-injection

release: ## build the program for production: target/release/customer-service
	RUSTFLAGS="$$RUSTFLAGS --remap-path-prefix=$(CURDIR)=. --remap-path-prefix=$${CARGO_TARGET_DIR:-$(CURDIR)/target}=target --remap-path-prefix=$${CARGO_HOME:-$$HOME/.cargo}=/cargo" cargo build --release --locked -p bin

docs: ## build the documentation of all crates and open it
	cargo doc --workspace --no-deps --open

openapi: ## print the OpenAPI document
	@cargo run --quiet -p bin -- openapi

clean: ## remove what was built and the private PostgreSQL of `make run`
	cargo clean
	rm -rf .local
