# The front door: every target is one sentence, the work is done elsewhere. Start with `make help`.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-print-directory

VENV := .venv
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
UV_VERSION = $(shell sed -n 's/^  uv: "\(.*\)"$$/\1/p' group_vars/all/versions.yml)
OPERATE := PYTHONPATH=files/operator python -m synapse_operator

.PHONY: help
help: ## List the targets.
	@grep -hE '^[a-z][a-z-]*:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  %-18s %s\n", $$1, $$2}'

.PHONY: setup
setup: $(VENV)/.ready ## Make the virtual environment with the pinned tools.

$(VENV)/.ready: requirements-dev.txt group_vars/all/versions.yml Makefile
	@python3 -c 'import ensurepip' 2>/dev/null || .ci/install-packages python3-venv
	@echo "Making the virtual environment in $(VENV) ..." >&2
	@python3 -m venv $(VENV)
	@$(VENV)/bin/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@VIRTUAL_ENV=$(VENV) $(VENV)/bin/uv pip install --quiet --require-hashes -r requirements-dev.txt
	@touch $@

.PHONY: init
init: setup ## Make a site of your own, or switch to it: SITE=forge EXAMPLE=rtx5090 (or gpu-24g, no-gpu).
	@$(OPERATE) init "$(or $(SITE),$(error Say the name of your site: SITE=forge))" "$(or $(EXAMPLE),rtx5090)"

.PHONY: schema
schema: setup ## Write docs/configuration.md, the editors' schema and the examples' comments from the models.
	@PYTHONPATH=files/deploy:files/common python -m synapse_deploy.catalogue

LOCK := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-header --no-annotate --no-emit-index-url $(if $(UPGRADE),--upgrade)

.PHONY: lock
lock: setup ## Compile the lists of Python packages from their .in files; UPGRADE=1 takes the newest versions.
	@$(LOCK) requirements.in -o requirements.txt
	@cd files/speech && $(LOCK) requirements.in -o requirements.txt
	@$(LOCK) requirements-dev.in -o requirements-dev.txt
	@cd molecule/testbed && $(LOCK) speech-requirements.in -o speech-requirements.txt
	@cd molecule/testbed && $(LOCK) --override litellm-overrides.txt litellm-requirements.in -o litellm-requirements.txt

RENDER_ONLY := {"kube_objects_apply": false, "kube_objects_render_dir": "$(CURDIR)/.render"}

.PHONY: render
render: setup ## Write every Kubernetes object to .render/, without a cluster.
	@rm -rf .render && mkdir .render
	@ansible-playbook site.yml -e '$(RENDER_ONLY)'

.PHONY: check
check: setup ## Show what a deployment would change, and change nothing.
	@ansible-playbook site.yml --check --diff

.PHONY: deploy
deploy: setup ## Deploy everything.
	@ansible-playbook site.yml

.PHONY: deploy-infra deploy-ollama deploy-arbiter deploy-gateway deploy-speech deploy-vllm
deploy-infra: setup ## Deploy the namespace and its network rules.
deploy-ollama: setup ## Deploy Ollama and its models.
deploy-arbiter: setup ## Deploy the arbiter of the graphics card.
deploy-gateway: setup ## Deploy the gateway.
deploy-speech: setup ## Deploy what hears and what speaks.
deploy-vllm: setup ## Deploy the models of the graphics card.
deploy-infra deploy-ollama deploy-arbiter deploy-gateway deploy-speech deploy-vllm:
	@ansible-playbook site.yml --tags $(@:deploy-%=%)

.PHONY: lint
lint: setup ## Check the style and types of everything.
	@$(MAKE) --jobs=2 --output-sync=target $(LINTERS)

LINTERS := lint-ansible lint-python lint-text
.PHONY: $(LINTERS)
lint-ansible:
	@ansible-lint --offline --strict site.yml molecule group_vars inventory
lint-python:
	@ruff check .
	@ruff format --check .
	@mypy
	@PYTHONPATH=files/arbiter:files/common lint-imports --no-logo --no-cache
lint-text:
	@yamllint --strict .
	@git ls-files | xargs codespell
	@git ls-files '*.sh' .ci | xargs shellcheck

.PHONY: test-fast
test-fast: setup ## Run everything that needs no infrastructure: lint, unit and render tests.
	@$(MAKE) --jobs=2 --output-sync=target test-unit $(LINTERS)

.PHONY: test-unit
test-unit:
	@pytest tests/unit tests/render --cov

.PHONY: test-service
test-service: setup ## Run the tests that start processes on this machine: gateway, arbiter, simulators, page.
	@.ci/install-packages chromium chromium-driver gcc libc6-dev
	@command -v npm >/dev/null || .ci/install-packages nodejs npm  # other builds of Node.js bring npm with them
	@pytest tests/service

TESTBED := PYTHONPATH=molecule/testbed python -m synapse_testbed

.PHONY: test-testbed
test-testbed: export SYNAPSE_TESTBED := $(or $(SYNAPSE_TESTBED),forge-test)
test-testbed: export SYNAPSE_PORT := $(or $(SYNAPSE_PORT),8001)
test-testbed: export SYNAPSE_API_PORT := $(or $(SYNAPSE_API_PORT),6444)
test-testbed: setup ## Deploy everything into a Kubernetes server of its own, test it there, take it away.
	@$(TESTBED) build
	@molecule test --scenario-name testbed --no-command-borders

.PHONY: test
test: test-fast ## Run everything; what mostly waits, the processes' tests and the testbed's, at the same time.
	@$(TESTBED) build
	@$(MAKE) --jobs=2 test-testbed test-service-at-its-end

.PHONY: test-service-at-its-end
test-service-at-its-end:
	@$(MAKE) --output-sync=target test-service

.PHONY: testbed-up
testbed-up: setup ## Start the testbed: a Kubernetes server in a container (SYNAPSE_TESTBED names it).
	@$(TESTBED) create

.PHONY: demo
demo: export KUBECONFIG = $(HOME)/.kube/synapse-$(or $(SYNAPSE_TESTBED),forge).yaml
demo: testbed-up ## Deploy everything into the testbed and show what it does; it keeps running.
	@ansible-playbook --inventory inventory/common --inventory molecule/testbed/inventory site.yml
	@PYTHONPATH=files/operator:molecule/testbed python -m demo

.PHONY: demo-card
demo-card: setup ## Watch the arbiter share a simulated card among three models; needs no cluster.
	@PYTHONPATH=files/arbiter:tests/simulators:tests/support python -m one_card

.PHONY: test-chaos
test-chaos: export KUBECONFIG = $(HOME)/.kube/synapse-$(or $(SYNAPSE_TESTBED),forge).yaml
test-chaos: setup ## Kill every part of the running testbed in turn while applications ask, and show the table.
	@PYTHONPATH=tests/support:files/operator:molecule/testbed python -m chaos \
		--requests $(or $(REQUESTS),1000) $(if $(MARKDOWN),--markdown $(MARKDOWN))

.PHONY: demo-down
demo-down: setup ## Remove the testbed's container, data and kubeconfig; built things stay cached.
	@$(TESTBED) destroy



.PHONY: doctor
doctor: setup ## Say what a deployment still needs on this machine and in the cluster.
	@$(OPERATE) doctor

.PHONY: test-health
test-health: setup ## Show what runs, the card and how fast all answers; DEEP=1 asks every model, which wakes the card's.
	@$(OPERATE) health $(if $(DEEP),--deep)

.PHONY: status-page admin-token card-release card-reclaim
status-page: setup ## Open the card's status page on 127.0.0.1:8080 (STATUS_PORT); nothing else can reach it.
	@$(OPERATE) status-page "$(or $(STATUS_PORT),8080)"
admin-token: setup ## Print the token that the status page's buttons ask for.
	@$(OPERATE) admin-token
card-release: setup ## Lend the card to a game or a training run; models answer on the processor meanwhile: HOURS=2.
	@$(OPERATE) card-release "$(or $(HOURS),$(error Say for how long: HOURS=2))"
card-reclaim: setup ## Take the card back before its time is over.
	@$(OPERATE) card-reclaim

.PHONY: app-key rotate-app-key export-keys restore-keys
app-key: setup ## Print the key of one application: APP=jarvis-cortex.
	@$(OPERATE) app-key "$(or $(APP),$(error Say which application: APP=jarvis-cortex))"
rotate-app-key: setup ## Give one application a new key: APP=jarvis-cortex.
	@$(OPERATE) rotate-app-key "$(or $(APP),$(error Say which application: APP=jarvis-cortex))"
export-keys: setup ## Write all keys to a new file: FILE=keys.yml.
	@$(OPERATE) export-keys "$(or $(FILE),$(error Say where to: FILE=keys.yml))"
restore-keys: setup ## Put the keys of an export into the cluster: FILE=keys.yml.
	@$(OPERATE) restore-keys "$(or $(FILE),$(error Say which file: FILE=keys.yml))"

.PHONY: bench-gateway
bench-gateway: setup ## Compare the gateway with the bare backend and LiteLLM alone, with and without the card: latency, failover, memory under uploads.
	@PYTHONPATH=tests/support:tests/simulators:roles/litellm/module_utils \
		python -m gateway_bench --rounds $(or $(ROUNDS),5) $(if $(JSON),--json $(JSON))

.PHONY: bench-arbiter
bench-arbiter: setup ## Measure the arbiter beside a bare proxy and its engines alone: speed, switches, waits, a soak.
	@PYTHONPATH=files/arbiter:tests/simulators:tests/support python -m arbiter_bench \
		--runs $(or $(RUNS),5) --requests $(or $(REQUESTS),10000) $(if $(JSON),--json $(JSON))

.PHONY: bench-policy
bench-policy: setup ## Compare the GPU policy with two others in virtual time; search deeper for broken bounds.
	@PYTHONPATH=files/arbiter:tests/simulators python -m card_sim --write docs/arbiter-policy.md
	@SYNAPSE_POLICY_EXAMPLES=2000 pytest -q tests/unit/arbiter/test_policy_properties.py --timeout 600
