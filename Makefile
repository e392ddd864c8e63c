# What a person does with this project. `make help` lists it.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.ONESHELL:

STACK ?= dev
ROLE ?= web
TESTS ?=
FILE ?=
IMAGE ?=
REPORT ?=
FRESH ?=

# The project's tools first on PATH, as `eval "$(toolchain/env)"` does for a shell by hand.
TOOLS = eval "$$(toolchain/env)"
# Containers and volumes of the stack, by the labels that flaskstack puts on all it makes (components/flaskstack/naming.py).
OURS = --filter label=dev.flaskstack.project=flaskstack --filter label=dev.flaskstack.stack=$(STACK)
CONTAINER = docker ps --quiet --latest $(OURS) --filter label=dev.flaskstack.role=

.PHONY: help
help: ## List what there is to do
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

.PHONY: setup
setup: ## Find or make the tools: Python environment, Pulumi, plugins, Docker, images
	@toolchain/setup

.PHONY: doctor
doctor: ## Say what is there, what is missing and how to get it
	@toolchain/doctor

.PHONY: up
up: setup ## Bring the stack up, or up to date, and print its URL (STACK=dev)
	@$(TOOLS)
	pulumi stack select --create $(STACK)
	pulumi up --stack $(STACK) --yes --skip-preview
	echo "$(STACK) answers on $$(pulumi stack output url --stack $(STACK))"

.PHONY: preview
preview: setup ## Show what `make up` would change (STACK=dev)
	@$(TOOLS)
	pulumi stack select --create $(STACK)
	pulumi preview --stack $(STACK) --diff

.PHONY: preview-report
preview-report: ## Write what `make up` would change, and how dangerous that is, as Markdown (STACK=dev; REPORT=FILE)
	@REPORT="$(REPORT)" .ci/check-pr --stack $(STACK)

.PHONY: check-pr
check-pr: ## The same of all stacks, as pull requests are checked (REPORT=FILE, FRESH=1 without the backend)
	@REPORT="$(REPORT)" .ci/check-pr $(if $(FRESH),--fresh)

.PHONY: down
down: setup ## Take the stack down; data stays, unless DATA=delete (STACK=dev)
	@$(TOOLS)
	pulumi destroy --stack $(STACK) --yes --skip-preview
	if [ "$(DATA)" = delete ]; then
	    docker volume ls --quiet $(OURS) | xargs --no-run-if-empty docker volume rm
	else
	    echo "data kept: $$(docker volume ls --quiet $(OURS) | xargs) (make down DATA=delete deletes it)"
	fi

.PHONY: rollback
rollback: setup ## Return to the image that ran before, or to IMAGE=REPOSITORY@sha256:..., without a migration
	@$(TOOLS)
	image="$(IMAGE)"
	image="$${image:-$$(python -m stacks.rollback $(STACK))}"
	echo "$(STACK) returns to $$image"
	pulumi config set --stack $(STACK) --path image.ref "$$image"
	pulumi config set --stack $(STACK) --path kubernetes.migration.enabled false
	pulumi up --stack $(STACK) --yes --skip-preview
	echo "forward again: make forward STACK=$(STACK)"

.PHONY: forward
forward: setup ## Build and release the source again, after a rollback
	@$(TOOLS)
	pulumi config rm --stack $(STACK) --path image.ref
	pulumi config rm --stack $(STACK) --path kubernetes.migration.enabled
	$(MAKE) up STACK=$(STACK)

.PHONY: logs
logs: ## Follow the logs of the stack's containers of one role (ROLE=web, nginx, postgres, redis)
	@$(TOOLS)
	trap 'kill 0' EXIT INT TERM
	for id in $$(docker ps --quiet $(OURS) --filter label=dev.flaskstack.role=$(ROLE)); do docker logs --follow --tail 100 $$id & done
	wait

.PHONY: shell
shell: ## Open a shell in a container of a role (ROLE=web)
	@$(TOOLS)
	docker exec --interactive --tty "$$($(CONTAINER)$(ROLE))" sh

.PHONY: psql
psql: ## Open psql on the stack's database
	@$(TOOLS)
	docker exec --interactive --tty "$$($(CONTAINER)postgres)" sh -c 'psql --username "$$POSTGRES_USER" "$$POSTGRES_DB"'

.PHONY: backup
backup: ## Write a dump of the stack's database to backups/
	@$(TOOLS)
	mkdir -p backups
	file=backups/$(STACK)-$$(date -u +%Y%m%dT%H%M%SZ).dump
	trap 'rm -f "$$file.part"' EXIT
	docker exec "$$($(CONTAINER)postgres)" sh -c 'pg_dump --format=custom --username "$$POSTGRES_USER" "$$POSTGRES_DB"' > "$$file.part"
	mv "$$file.part" "$$file"
	echo "$$file"

.PHONY: restore
restore: ## Put a dump back, in one transaction (FILE=backups/...)
	@test -s "$(FILE)" || { echo "make restore FILE=backups/NAME.dump" >&2; exit 2; }
	$(TOOLS)
	docker exec --interactive "$$($(CONTAINER)postgres)" sh -c \
	    'pg_restore --clean --if-exists --no-owner --single-transaction --exit-on-error --username "$$POSTGRES_USER" --dbname "$$POSTGRES_DB"' < "$(FILE)"
	echo "restored $(FILE)"

.PHONY: test
test: ## Run the tests, those on the real Docker engine and on a real Kubernetes too (TESTS=tests/app)
	@# What Pulumi is built from, Kubernetes needs too. The rest of the set-up waits for the network; and the first test
	# on the cluster waits until it is built, and says what went wrong.
	toolchain/setup pulumi
	$(if $(TESTS),,toolchain/kube build > /dev/null 2>&1 &)
	toolchain/setup
	$(TOOLS)
	# Groups of tests wait for rollouts, one behind the other; with four of them at once two cores are never idle.
	python -m pytest --numprocesses 4 --dist loadscope --no-loadscope-reorder $(TESTS)

.PHONY: cluster
cluster: setup ## Bring up a single-node Kubernetes of this project's own
	@toolchain/kube up
	toolchain/kube certificate guestbook guestbook-tls
	toolchain/kube certificate guestbook-staging guestbook-staging-tls

.PHONY: cluster-down
cluster-down: ## Stop it; its data stays
	@toolchain/kube down

.PHONY: lint
lint: ## Check style and types
	@toolchain/setup python
	$(TOOLS)
	ruff check .
	ruff format --check .
	mypy

.PHONY: docs
docs: ## Write docs/reference.md from the docstrings
	@toolchain/setup python
	$(TOOLS)
	python docs/reference.py

.PHONY: bench
bench: setup ## Measure, side by side with what one would run instead
	@$(TOOLS)
	python -m bench

.PHONY: lock
lock: ## Pin all dependencies anew
	@toolchain/setup python
	$(TOOLS)
	compile="uv pip compile --universal --python-version 3.11 --no-header --no-emit-index-url --quiet"
	$$compile requirements.in --output-file requirements.txt
	$$compile --generate-hashes app/requirements.in --output-file app/requirements.txt
	$$compile requirements-dev.in --output-file requirements-dev.txt
