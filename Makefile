# Kuoci: `make` sets up, builds and runs the main job; `make test` runs the tests; `make help` lists the rest.

# Variables, all optional; those that name files take them in place of what set-up fetches:
#   BASE      a tokenizer.model to extend
#   CORPUS    a .txt or .jsonl file of Chinese to learn from
#   LIBTORCH  the directory that holds libtorch's lib and include
#   MPI_HOME  the directory that holds MPI's lib and include
#   OUT       where the main job writes
#   SMALL     1: the main job on the committed sample, with few steps
#   TIME      seconds for each target of make fuzz
#   KILLS     how often make torture kills pretraining at least
#   SHARE     1: make torture disturbs the other commands at every call; less: at so large a share of them
#   STUDY     full, large (a larger base) or small: how large make study's models and texts are
#   LARGE     1: make bench also resizes a 7B checkpoint and trains one step of one, which takes 28 GB of disk and 17 GB of memory
BASE ?=
CORPUS ?=
LIBTORCH ?=
MPI_HOME ?=
OUT ?= out
SMALL ?=
TIME ?= 60
KILLS ?= 200
SHARE ?= 1
LARGE ?=
STUDY ?= full

export LIBTORCH MPI_HOME KUOCI_TORCH_INDEX

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all

# SwiftPM caches a package description by its environment: every call names the libtorch and MPI that are there by then.
SWIFT = LIBTORCH="$$(scripts/libtorch-path.sh)" MPI_HOME="$$(scripts/mpi-path.sh)" swift
KUOCI := .build/release/kuoci
PYTHON := .deps/venv/bin/python

.PHONY: all main help setup build test lint peers conformance torture bench study fuzz clean FORCE

all: main

help:
	@sed -n 's/^## //p' $(MAKEFILE_LIST)

## setup        install what is missing: system libraries, libtorch
setup:
	@scripts/setup.sh

## build        the release build, .build/release/kuoci, and with libtorch kuoci-torch beside it
build: setup
	@$(SWIFT) build -c release --product kuoci
	@if [ -n "$$(scripts/libtorch-path.sh)" ]; then $(SWIFT) build -c release --product kuoci-torch; fi

## test         build and run the tests
test: setup
	$(SWIFT) build --build-tests
	$(SWIFT) test --skip-build

## lint         check the formatting, and that imports go downward
lint: setup
	swift format lint --strict --recursive Sources Tests Package.swift
	.ci/layers

## conformance  compare with sentencepiece, tokenizers, transformers, peft, safetensors (fetched into .deps/venv)
conformance: build peers .deps/base/tokenizer.model
	@$(SWIFT) build -c release --product safetensors-verdicts
	$(PYTHON) Tests/Conformance/all.py --kuoci $(KUOCI)

## torture      end or disturb the commands that write at each of their calls, and harm their inputs; then kill
##              pretraining runs at KILLS (200) random moments, resume each, compare what they end with
torture: build
	python3 Tests/Torture/crashes.py --kuoci $(KUOCI) --share $(SHARE)
	python3 Tests/Torture/hazards.py --kuoci $(KUOCI)
	python3 Tests/Torture/torture.py --kuoci $(KUOCI) --kills $(KILLS)

## bench        measure speed and memory beside the same peers
bench: build peers .deps/base/tokenizer.model
	for script in trainers encoding merging checkpoints starts training optimizer; do $(PYTHON) Benchmarks/$$script.py --kuoci $(KUOCI); done
	$(if $(LARGE),$(PYTHON) Benchmarks/checkpoints.py --kuoci $(KUOCI) --large)
	$(if $(LARGE),$(PYTHON) Benchmarks/training.py --kuoci $(KUOCI) --large)

## study        the experiments of docs/results.md, hours on two cores (STUDY=large too); STUDY=small: minutes, conclusions must be
##              those of docs/results/small.json; goes on where it was stopped
study: build .deps/base/tokenizer.model $(OUT)/corpus/zh.txt
	python3 Benchmarks/study/study.py --kuoci $(KUOCI) --scale $(STUDY) --corpus $(OUT)/corpus --out $(OUT)/study \
	    $(if $(filter small,$(STUDY)),--expect docs/results/small.json)

## fuzz         run each libFuzzer target for TIME seconds (60) on this machine, one after the other; finds go to Fuzz/Findings
fuzz: setup
	@Fuzz/run.sh $(TIME)

peers: setup
	@scripts/peers.sh

## clean        remove builds and outputs; what was downloaded stays in .deps
clean:
	rm -rf .build out $(OUT)

.deps/base/tokenizer.model:
	@scripts/fetch-base.sh

include scripts/job.mk
