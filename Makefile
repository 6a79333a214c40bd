# Where to start: every target is one sentence, the work is done elsewhere. Start with `make help`.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-print-directory

VENV := .venv
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
UV_VERSION = $(shell sed -n 's/^  uv: "\(.*\)"$$/\1/p' group_vars/all/versions.yml)
OPERATE := python -m synapse_cli
TESTBED := python -m synapse_testbed

# One line a target, its group in the margin: it has to fit one screen of 80 columns and 40 lines.
.PHONY: help
help:
	@awk -F ':.*## ' '/^##@ / { group = substr($$0, 5) } \
		/^[a-z][a-z0-9-]*:.*## / { printf "%-7s %-15s %s\n", group, $$1, $$2; group = "" }' $(firstword $(MAKEFILE_LIST))

##@ Set up
.PHONY: setup
setup: $(VENV)/.operate ## Install what deploying needs into .venv.

INSTALL = VIRTUAL_ENV=$(VENV) $(VENV)/bin/uv pip install --quiet
$(VENV)/.operate: requirements.txt requirements.yml pyproject.toml group_vars/all/versions.yml .ci/install-collections
	@python3 -c 'import ensurepip' 2>/dev/null || .ci/install-packages python3-venv
	@echo "Installing what deploying needs into $(VENV) ..." >&2
	@python3 -m venv $(VENV)
	@$(VENV)/bin/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@$(INSTALL) --require-hashes -r requirements.txt
	@$(INSTALL) --no-deps --no-build-isolation --editable .
	@$(VENV)/bin/python .ci/install-collections
	@touch $@

.PHONY: setup-dev
setup-dev: $(VENV)/.develop ## Install what tests need too, and the commit hook.

$(VENV)/.develop: $(VENV)/.operate requirements-dev.txt
	@echo "Installing what the tests need into $(VENV) ..." >&2
	@$(INSTALL) --require-hashes -r requirements-dev.txt
	@[[ $$(git rev-parse --show-toplevel 2>/dev/null) != $(CURDIR) ]] || pre-commit install >/dev/null
	@touch $@

.PHONY: init
init: setup ## Make or switch to your site: SITE=forge HOST=me@ADDRESS.
	@$(OPERATE) init "$(or $(SITE),$(error Say the name of your site: SITE=forge))" "$(or $(EXAMPLE),rtx5090)" $(if $(HOST),--host "$(HOST)")

.PHONY: find
find: setup  # write down what the server has, as make site does; CHECK=1 only shows it
	@$(OPERATE) find $(if $(CHECK),--check)

.PHONY: doctor
doctor: setup ## Say what a deployment still needs; JSON=1 for programs.
	@$(OPERATE) doctor $(if $(JSON),--json)

##@ Deploy
.PHONY: site
site: setup ## From an empty server to an answer; FROM=cluster YES=1.
	@$(OPERATE) site-run $(if $(FROM),--from "$(FROM)") $(if $(YES),--yes)

RENDER_ONLY := {"kube_objects_apply": false, "kube_objects_render_dir": "$(CURDIR)/.render"}

.PHONY: render
render: setup ## Write all manifests and configurations to .render/.
	@rm -rf .render && mkdir .render
	@ansible-playbook site.yml -e '$(RENDER_ONLY)' --skip-tags cluster,nvidia
	@$(OPERATE) arrange .render

.PHONY: check
check: setup ## Show what a deployment would change.
	@ansible-playbook site.yml --check --diff

.PHONY: deploy
deploy: setup ## Deploy everything.
	@ansible-playbook site.yml

.PHONY: deploy-infra deploy-ollama deploy-arbiter deploy-litellm deploy-gateway deploy-speech deploy-chat deploy-vllm
deploy-infra: setup ## Deploy the namespace; deploy-chat: a page to chat in.
deploy-ollama: setup ## Deploy the CPU's models; deploy-speech: those of sound.
deploy-vllm: setup ## Deploy the GPU's models; deploy-arbiter: who shares it.
deploy-gateway: setup ## Deploy the gateway; deploy-litellm: who translates.
deploy-speech deploy-arbiter deploy-litellm deploy-chat: setup
deploy-infra deploy-ollama deploy-arbiter deploy-litellm deploy-gateway deploy-speech deploy-chat deploy-vllm:
	@ansible-playbook site.yml --tags $(@:deploy-%=%)

.PHONY: upgrade
upgrade: setup ## Go to another version and deploy it: TO=v0.2.0.
	@$(OPERATE) upgrade $(if $(YES),--yes) "$(or $(TO),$(error Say which version: TO=v0.2.0))"

.PHONY: uninstall
uninstall: setup ## Remove the server's K3s; PURGE=1: the models too.
	@ansible-playbook playbooks/uninstall.yml -e confirmed="$(YES)" -e purge=$(if $(filter 1,$(PURGE)),true,false)

##@ Look
.PHONY: test-health
test-health: setup ## Show what runs; DEEP=1 asks every model, which wakes it.
	@$(OPERATE) health $(if $(DEEP),--deep)

.PHONY: status-page
status-page: setup ## Open the GPU's status page on 127.0.0.1:8080.
	@$(OPERATE) status-page "$(or $(STATUS_PORT),8080)"

##@ GPU
.PHONY: gpu-release gpu-reclaim admin-token
gpu-release: setup ## Release the GPU for a game: HOURS=2; gpu-reclaim: back.
	@$(OPERATE) gpu-release "$(or $(HOURS),$(error Say for how long: HOURS=2))"
gpu-reclaim: setup
	@$(OPERATE) gpu-reclaim
admin-token: setup ## Print the token for the status page's buttons.
	@$(OPERATE) admin-token

##@ Keys
.PHONY: app-env app-key app-keys rotate-app-key export-keys restore-keys chat-password
app-env: setup ## Print what a client needs: APP=jarvis-cortex FOR=n8n.
	@$(OPERATE) app-env "$(or $(APP),$(error Say which application: APP=jarvis-cortex))" $(if $(FOR),--for "$(FOR)")
app-keys: setup ## List all keys and their use; of one its people: APP=x.
	@$(OPERATE) app-keys $(if $(APP),--people-of "$(APP)")
app-key: setup ## Print the key of one application: APP=jarvis-cortex.
	@$(OPERATE) app-key "$(or $(APP),$(error Say which application: APP=jarvis-cortex))"
rotate-app-key: setup ## Give one application a new key: APP=jarvis-cortex.
	@$(OPERATE) rotate-app-key "$(or $(APP),$(error Say which application: APP=jarvis-cortex))"
export-keys: setup ## Write all keys to FILE=keys.yml, for restore-keys.
	@$(OPERATE) export-keys "$(or $(FILE),$(error Say where to: FILE=keys.yml))"
chat-password: setup  # the first password of the chat page
	@$(OPERATE) chat-password
restore-keys: setup  # put exported keys into the cluster
	@$(OPERATE) restore-keys "$(or $(FILE),$(error Say which file: FILE=keys.yml))"

##@ Demo
.PHONY: demo
demo: export KUBECONFIG = $(HOME)/.kube/synapse-$(or $(SYNAPSE_TESTBED),forge).yaml
demo: testbed-up ## Deploy into a Kubernetes in a container; no GPU needed.
	@ansible-playbook --inventory inventory/common --inventory molecule/testbed/inventory site.yml
	@python -m demo

.PHONY: tour
tour: export KUBECONFIG = $(HOME)/.kube/synapse-$(or $(SYNAPSE_TESTBED),forge).yaml
tour: setup-dev ## Show the demo's scenes again, or some: SCENE=dialects.
	@python -m demo $(SCENE)

.PHONY: demo-down
demo-down: setup-dev ## Remove the demo's container and data.
	@$(TESTBED) destroy

.PHONY: demo-gpu
demo-gpu: setup-dev ## Watch the arbiter share a simulated GPU; no cluster.
	@python -m gpu_demo

##@ Test
.PHONY: test
test: test-fast ## Run every test.
	@$(TESTBED) build
	@$(MAKE) --jobs=2 test-testbed $(AT_ITS_END)  # the testbed mostly waits
	@$(MAKE) test-host-short
	@$(MAKE) test-abuse-short  # alone: it measures whom work keeps waiting

.PHONY: test-fast
test-fast: setup-dev ## Run what needs no infrastructure; the quick linters.
	@$(MAKE) --jobs=2 --output-sync=target test-arbiter test-unit lint-others

# Only what decides and moves the GPU is measured: counting branches doubles a test's time.
.PHONY: test-unit test-arbiter
test-unit:
	@pytest tests/unit --ignore tests/unit/arbiter
test-arbiter:
	@pytest tests/unit/arbiter --cov

.PHONY: test-render
test-render: setup-dev
	@pytest tests/render --numprocesses 2

.PHONY: test-service
test-service: setup-dev  # the tests that start processes on this machine
	@.ci/install-packages chromium chromium-driver gcc iproute2 libc6-dev nftables
	@command -v npm >/dev/null || .ci/install-packages nodejs npm  # other builds of Node.js bring npm with them
	@pytest tests/service

# One process asks, one answers: a second one beside them would be measured as well.
.PHONY: test-abuse test-abuse-short
test-abuse: setup-dev ## Search for what harms the gateway most; 15 min.
	@python -m abuse $(if $(SEARCH),--search $(SEARCH)) $(if $(MARKDOWN),--markdown $(MARKDOWN)) $(if $(KEEP),--keep)
test-abuse-short: setup-dev
	@pytest tests/abuse

.PHONY: test-python
test-python: setup-dev  # the unit and render tests on Debian 13's Python
	@$(TESTBED) test-python

AT_ITS_END := $(addsuffix -at-its-end,lint-ansible test-render test-service test-python)
.PHONY: $(AT_ITS_END)
$(AT_ITS_END):
	@$(MAKE) --output-sync=target $(@:-at-its-end=)

.PHONY: test-testbed
test-testbed: export SYNAPSE_TESTBED := $(or $(SYNAPSE_TESTBED),forge-test)
test-testbed: export SYNAPSE_PORT := $(or $(SYNAPSE_PORT),8001)
test-testbed: export SYNAPSE_API_PORT := $(or $(SYNAPSE_API_PORT),6444)
test-testbed: setup-dev ## Test the whole system on a Kubernetes of its own.
	@$(TESTBED) build
	@molecule test --scenario-name testbed --no-command-borders

# The servers that tests of its own start are left out where all tests run; HOST_POWER_CUTS is how many first runs are cut.
.PHONY: test-host test-host-all test-host-short
test-host test-host-all test-host-short: export SYNAPSE_HOST := $(or $(SYNAPSE_HOST),host-test)
test-host-short: export HOST_TESTS := not long
test-host-all: export HOST_POWER_CUTS := $(or $(HOST_POWER_CUTS),24)
test-host: setup-dev ## Set up bare servers in containers; -all: more failures.
test-host-all test-host-short: setup-dev
test-host test-host-all test-host-short: export HOST_TESTS ?= long or not long
test-host test-host-all test-host-short:
	@molecule test --scenario-name host --no-command-borders

.PHONY: test-real-vllm
test-real-vllm: setup-dev ## Test before the real vLLM, on this CPU: 3 GB, 30 min.
	@python -m real_vllm.installation
	@pytest tests/real_vllm $(if $(TABLE),--table $(TABLE))

.PHONY: test-clients
test-clients: setup-dev  # the real Open WebUI before the demo: 0.4 GB to download, 5 min; ENGINES=simulated needs no demo
	@.ci/install-packages chromium chromium-driver ffmpeg
	@python -m real_open_webui
	@pytest tests/real_open_webui $(if $(ENGINES),--engines $(ENGINES)) $(if $(MARKDOWN),--measured $(MARKDOWN))
test-clients: export KUBECONFIG = $(HOME)/.kube/synapse-$(or $(SYNAPSE_TESTBED),forge).yaml

.PHONY: test-all
test-all: test test-host test-abuse test-real-vllm ## Run every test, those that take long too.

.PHONY: test-chaos
test-chaos: export KUBECONFIG = $(HOME)/.kube/synapse-$(or $(SYNAPSE_TESTBED),forge).yaml
test-chaos: setup-dev ## Kill every part of the demo while applications ask.
	@python -m chaos \
		--requests $(or $(REQUESTS),1000) $(if $(MARKDOWN),--markdown $(MARKDOWN))

##@ Develop
# .pre-commit-config.yaml is the one list of checks; its slowest runs beside the others.
LINTERS := lint-ansible lint-others
.PHONY: lint $(LINTERS)
lint: setup-dev ## Check the style and types of everything.
	@$(MAKE) --jobs=2 --output-sync=target $(LINTERS)
lint-ansible:
	@pre-commit run --all-files ansible-lint
lint-others:
	@SKIP=ansible-lint pre-commit run --all-files

.PHONY: schema
schema: setup-dev ## Write what follows from the options: reference, schema.
	@python -m synapse_deploy.catalogue

LOCK := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-header --no-annotate --no-emit-index-url $(if $(UPGRADE),--upgrade)

.PHONY: lock
lock: setup-dev ## Compile the lists of Python packages; UPGRADE=1.
	@cd files/synapse_speech && $(LOCK) requirements.in -o requirements.txt
	@$(LOCK) -c constraints.txt pyproject.toml --extra operate -o requirements.txt
	@$(LOCK) -c requirements.txt pyproject.toml --all-extras files/synapse_speech/requirements.txt \
		-o requirements-dev.txt
	@cd molecule/testbed && $(LOCK) speech-requirements.in -o speech-requirements.txt
	@cd molecule/testbed && $(LOCK:3.11=3.12) wyoming-requirements.in -o wyoming-requirements.txt
	@cd tests/real_vllm && $(LOCK) --override kernels-overrides.txt kernels-requirements.in -o kernels-requirements.txt
	@cd tests/real_vllm && $(LOCK) --no-deps vllm-requirements.in -o vllm-requirements.txt
	@cd tests/service/clients && $(LOCK) requirements.in -o requirements.txt
	@cd tests/service/clients && $(LOCK) llamaindex-requirements.in -o llamaindex-requirements.txt
	@cd tests/real_open_webui && $(LOCK) --override overrides.txt requirements.in -o requirements.txt
	@cd molecule/testbed && $(LOCK) --override litellm-overrides.txt litellm-requirements.in -o litellm-requirements.txt

.PHONY: pin
pin: setup ## Write the digests of the images into versions.yml.
	@python -m synapse_cli.pin group_vars/all/versions.yml

.PHONY: testbed-up
testbed-up: setup-dev  # an empty one; SYNAPSE_TESTBED names it
	@$(TESTBED) create

.PHONY: bench-gateway
bench-gateway: setup-dev ## Compare the gateway with LiteLLM and bare engines.
	@python -m gateway_bench --rounds $(or $(ROUNDS),5) $(if $(JSON),--json $(JSON))

.PHONY: bench-speech
bench-speech: setup-dev  # how speech is understood, and how fast
	@python -m speech_bench $(if $(JSON),--json $(JSON))

.PHONY: bench-arbiter
bench-arbiter: setup-dev  # the arbiter beside a bare proxy
	@python -m arbiter_bench \
		--runs $(or $(RUNS),5) --requests $(or $(REQUESTS),10000) $(if $(JSON),--json $(JSON))

.PHONY: bench-policy
bench-policy: setup-dev  # the GPU policy beside two others
	@python -m gpu_sim --write docs/arbiter-policy.md
	@SYNAPSE_POLICY_EXAMPLES=2000 pytest -q tests/unit/arbiter/test_policy_{properties,line}.py --timeout 600
