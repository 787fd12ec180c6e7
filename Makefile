.DEFAULT_GOAL := help
CARGO ?= cargo
BIN := target/release

# Where the demo's mesh listens: make demo-local GATEWAY=127.0.0.1:9090 ADMIN=127.0.0.1:15009 INSIDE=127.0.0.1:15010
GATEWAY ?= 127.0.0.1:8080
ADMIN ?= 127.0.0.1:15000
INSIDE ?= 127.0.0.1:15001

# Real payments, a fresh key each; every one calls auth-service, the second hop.
PAYMENTS := --url http://$(GATEWAY)/payments -X POST \
  -H 'content-type: application/json' -H 'idempotency-key: {uuid}' \
  --body '{"amount_cents":1250,"currency":"EUR","to":"shop"}' \
  --token-url http://$(GATEWAY)/tokens --token-body '{"user":"demo"}' \
  --then 'POST http://auth-service:8080/verify'

# The same payments from a client inside the mesh: locally through a proxy of its own (INSIDE), on a cluster as a Job.
CLIENT := traffic-lab/load-client,app=load-client
IN_MESH := --inside-url http://payment-service:8080/payments --inside-from $(CLIENT) \
  --inside-token-url http://auth-service:8080/tokens

# A live page of it: make demo-local DASHBOARD=127.0.0.1:9090
ROLLOUT := $(BIN)/load-client rollout --stages manifests/stages --manifests manifests/base $(PAYMENTS) $(IN_MESH) \
  $(if $(DASHBOARD),--dashboard $(DASHBOARD))
# Of 5,000 walks with nothing wrong at most one fails by chance, and none for want of requests: CI runs this, too.
LOCALLY := $(ROLLOUT) --apply '$(BIN)/local-mesh apply -f' --inside '$(BIN)/load-client verify --proxy http://$(INSIDE)' \
  --alpha 0.0001 --budget 100000 --tolerance 3pp

# The cluster of make demo. On a laptop all but the name are empty: kind-config.yaml and istio.yaml say what there is.
export KIND_CLUSTER_NAME ?= istio-traffic-lab
export KIND_IMAGE ISTIO_OVERLAY ISTIO_HUB ISTIO_TAG IMAGE_BUILD
export KUBECTL := kubectl --context kind-$(KIND_CLUSTER_NAME)
# One node carries the cluster, both services and the load: wider tolerances take fewer requests; 99 of 100 verdicts take 14,000 at most.
ON_CLUSTER := $(ROLLOUT) --apply '$(KUBECTL) apply -f' --inside scripts/in-mesh --mesh-state --context kind-$(KIND_CLUSTER_NAME) \
  --alpha 0.001 --budget 30000 --tolerance 3pp --hop-tolerance 8pp

# A walk through all stages and back; then the same with a canary that fails, which must be rolled back. Each leaves a page.
WALK := sh -c '"$$@" --return-to-first --report target/report.html && scripts/bad-canary "$$@" --report target/bad-canary.html' walk
# Where a scenario runs: make scenario NAME=retries ON=cluster
ON ?= local-mesh

.PHONY: help build demo-local scenario parity demo demo-up demo-down stage images client doctor check test test-cluster promise conformance lint bench

##@ Demo on kind with Istio
demo: build ## Cluster, Istio, images, then the same walk as demo-local on real Istio
	@$(BIN)/load-client doctor || true
	@$(MAKE) --no-print-directory demo-up
	@$(WALK) $(ON_CLUSTER)

demo-up: images ## Only the first half: a cluster with Istio and both services, all traffic to v1
	@scripts/cluster up
	@scripts/cluster load
	@scripts/cluster deploy

stage: build ## Bring one stage into force and prove it: make stage STAGE=30-canary-10
	@test -d manifests/stages/$(STAGE) -a -n "$(STAGE)" || { echo "STAGE is one of:" $(notdir $(wildcard manifests/stages/*)); exit 2; }
	@$(ON_CLUSTER) --only $(STAGE)

images: ## Build the container images (IMAGE_BUILD=host: with the local cargo instead of in Docker)
	@scripts/images

client: ## Bring a client into the mesh, for tests and scenarios on the cluster
	@scripts/images --testing
	@scripts/cluster client

doctor: build ## Can this machine run make demo?
	@$(BIN)/load-client doctor

demo-down: ## Remove the cluster and all that is in it
	@scripts/cluster down

##@ Demo without a cluster
demo-local: build ## Walk a canary through its stages, no cluster (8080 taken? add GATEWAY=127.0.0.1:9090)
	@KUBECTL=$(BIN)/local-mesh $(BIN)/local-mesh up -f manifests/base -f manifests/stages/10-stable \
	  --gateway $(GATEWAY) --admin $(ADMIN) --client $(CLIENT)@$(INSIDE) -- $(WALK) $(LOCALLY)

scenario: build $(if $(filter cluster,$(ON)),client) ## Timeouts, retries, ...: what is declared, what is seen (NAME=retries, ON=cluster)
	@$(BIN)/scenario $(NAME) --on $(ON)

parity: build client ## Stages, scenarios and conformance cases on the cluster and on local-mesh: the same verdicts?
	@$(BIN)/parity $(PARTS)

##@ Develop
build: ## Build every binary into target/release
	$(CARGO) build --release --workspace

check: build ## Look for problems in every stage's manifests, and hold them against their test cases
	@for stage in manifests/stages/*; do $(BIN)/local-mesh check -f manifests/base $$stage || exit; done
	@$(BIN)/local-mesh test -t routing-tests --every-rule

test: build ## Run every test; the end-to-end tests use the binaries
	$(CARGO) test --release --workspace

test-cluster: build client ## Run every test that needs the cluster of make demo-up
	KIND_LAB=1 $(CARGO) test --release -p e2e --test it -- cluster:: security:: --test-threads 1

promise: build ## What is promised, at full length: 400 verdicts, 10,000,000 requests (minutes)
	$(CARGO) test --release -p e2e -p load-client --test it -- --ignored --nocapture --test-threads 1 of_200_verdicts ten_million

conformance: build ## Replay what real istiod and Envoy did, or a part: make conformance CASES='weights retries/on-5xx'
	$(CARGO) run --release -p conformance -- $(CASES)

lint: ## Formatting and lints, as CI wants them
	$(CARGO) fmt --all --check
	$(CARGO) clippy --release --workspace --all-targets -- -D warnings

bench: build ## local-mesh beside Envoy, load-client beside wrk (bench/README.md)
	python3 bench/run.py

##@ Help
help: ## Show this help
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {print "\n" substr($$0, 5)} /^[a-z-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
