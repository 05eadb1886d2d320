# Kuoci: `make` sets up, builds and runs the main job; `make test` runs the tests; `make help` lists the rest.

# BASE       a base tokenizer.model to extend, in place of the default that set-up fetches
# CORPUS     a .txt or .jsonl file to learn from, in place of Debian's Chinese documentation
# LIBTORCH   the directory that holds libtorch's lib and include, in place of the one that set-up fetches
# OUT        where the main job writes
# SMALL      1: the main job on the committed sample, in about a minute
BASE ?=
CORPUS ?=
LIBTORCH ?=
OUT ?= out
SMALL ?=

export LIBTORCH KUOCI_TORCH_INDEX

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all

# SwiftPM caches a package description by its environment: every call names the libtorch that is there by then.
SWIFT = LIBTORCH="$$(scripts/libtorch-path.sh)" swift
KUOCI := .build/release/kuoci

.PHONY: all help setup build test lint conformance bench clean

all: main

help:
	@sed -n 's/^## //p' $(MAKEFILE_LIST) | sort

## setup        install what is missing: system libraries, libtorch
setup:
	@scripts/setup.sh

## build        release build: .build/release/kuoci
build: setup
	@$(SWIFT) build -c release --product kuoci

## test         build and run the tests
test: setup
	$(SWIFT) build --build-tests
	$(SWIFT) test --skip-build

## lint         formatting, import layers
lint: setup
	swift format lint --strict --recursive Sources Tests Package.swift
	.ci/layers

## clean        remove builds and outputs; what was downloaded stays in .deps
clean:
	rm -rf .build out $(OUT)
