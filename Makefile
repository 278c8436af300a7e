CARGO ?= cargo
# `make run PROFILE=dev` builds faster and runs slower.
PROFILE ?= release

.PHONY: help run build demo test sdk lint simulate bench docs sqlx openapi

help:
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST)

run: ## build and start the server, with everything it needs, on http://127.0.0.1:5001
	scripts/need.sh build postgres python
	$(CARGO) build --profile $(PROFILE) --bin dify-api
	scripts/run.sh $(PROFILE)

demo: ## start a server with a model, make an app, and show a streamed answer (OPENAI_API_KEY takes a real model)
	scripts/need.sh build postgres python curl
	$(CARGO) build --profile $(PROFILE) --bin dify-api --bin mock-llm --bin dify-bench
	scripts/demo.sh $(PROFILE)

build: ## build the server
	scripts/need.sh build
	$(CARGO) build --profile $(PROFILE) --bin dify-api

test: ## run every test (installs PostgreSQL and Redis if they are missing, starts what it needs)
	scripts/need.sh build postgres python redis
	scripts/test.sh

sdk: ## drive the server with the public clients of its API (Python, npm, crates)
	scripts/need.sh build postgres curl
	@# The programs as `make test` builds them: the tests' features would make others of all crates.
	$(CARGO) test --workspace --no-run --quiet
	tests/sdk/run.sh

lint: ## formatting and lints, as CI checks them
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets -- -D warnings

simulate: ## a million random runs of the workflow engine (SIM_CASES, SIM_SEED)
	SIM_CASES=$${SIM_CASES:-1000000} $(CARGO) test -p dify-graph --test it simulator

bench: ## load on a release server, with the mock model server
	scripts/need.sh build postgres
	scripts/bench.sh

docs: ## rewrite what is generated: docs/configuration.md, docs/coverage.md, openapi/
	UPDATE_DOCS=1 $(CARGO) test --quiet -p dify-config --lib settings_called_honoured
	$(CARGO) run --quiet --bin dify-api -- docs configuration > docs/configuration.md
	$(CARGO) run --quiet --bin dify-api -- docs coverage > docs/coverage.md
	$(MAKE) openapi

openapi:
	mkdir -p openapi
	for api in console service web inner files; do \
		$(CARGO) run --quiet --bin dify-api -- openapi $$api > openapi/$$api.json || exit 1; done

# Checks the statements of crates/db against $DATABASE_URL (a migrated database) and rewrites the
# committed answers in crates/db/.sqlx, dropping those of statements that are gone.
sqlx:
	@test -n "$$DATABASE_URL" || { echo "set DATABASE_URL to a migrated database"; exit 1; }
	rm -rf crates/db/.sqlx.new && mkdir crates/db/.sqlx.new
	touch crates/db/src/lib.rs
	SQLX_OFFLINE=false SQLX_OFFLINE_DIR=$(CURDIR)/crates/db/.sqlx.new \
		$(CARGO) check -p dify-db --all-targets || { rm -rf crates/db/.sqlx.new; exit 1; }
	rm -rf crates/db/.sqlx && mv crates/db/.sqlx.new crates/db/.sqlx
