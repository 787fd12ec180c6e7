.DEFAULT_GOAL := help
CARGO ?= cargo

.PHONY: help build test
help: ## Show this help
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## Build every binary into target/release
	$(CARGO) build --release --workspace

test: ## Run every test
	$(CARGO) test --release --workspace
