CARGO ?= cargo

.PHONY: sqlx

# Checks the statements of crates/db against $DATABASE_URL (a migrated database) and rewrites the
# committed answers in crates/db/.sqlx, dropping those of statements that are gone.
sqlx:
	@test -n "$$DATABASE_URL" || { echo "set DATABASE_URL to a migrated database"; exit 1; }
	rm -rf crates/db/.sqlx.new && mkdir crates/db/.sqlx.new
	touch crates/db/src/lib.rs
	SQLX_OFFLINE=false SQLX_OFFLINE_DIR=$(CURDIR)/crates/db/.sqlx.new \
		$(CARGO) check -p dify-db --all-targets || { rm -rf crates/db/.sqlx.new; exit 1; }
	rm -rf crates/db/.sqlx && mv crates/db/.sqlx.new crates/db/.sqlx
