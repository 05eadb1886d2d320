# The main job: corpus -> vocabulary -> merge -> measure -> base -> resize -> stage 1 -> stage 2 -> export -> report, summary.
#
# A step runs again when a file that it reads is newer than what it wrote, or when its own command line has changed;
# a new build of kuoci alone repeats nothing (make clean does). Each step can be asked for by its name.

base_model := $(if $(BASE),$(BASE),.deps/base/tokenizer.model)

ifeq ($(SMALL),)
# 32,000 LLaMA pieces and the 17,953 that save most of more than are wanted: as many as the published pair has.
vocabulary_size := 30000
merged_size := 49953
corpus_sources := --sources corpora/sources.tsv $(if $(CORPUS),--input $(CORPUS))
corpus_inputs := corpora/sources.tsv $(CORPUS)
preset := tiny
measured_share := 8
# Each step of pretraining reads eight blocks of 256 tokens.
base_steps := 200
stage1_steps := 120
stage2_steps := 120
else
vocabulary_size := 2500
merged_size :=
corpus_inputs := $(wildcard corpora/sample.*)
corpus_sources := --input $(corpus_inputs)
preset := nano
measured_share := 1
base_steps := 10
stage1_steps := 5
stage2_steps := 5
endif

zh := $(OUT)/corpus/zh.txt
en := $(OUT)/corpus/en.txt
zh_heldout := $(OUT)/corpus/zh.heldout.txt
en_heldout := $(OUT)/corpus/en.heldout.txt

# Pretraining measures itself seven times over: every eighth held-out paragraph is enough for that.
zh_measured := $(OUT)/measured/zh.txt
en_measured := $(OUT)/measured/en.txt

corpus_command = $(KUOCI) corpus --out $(OUT)/corpus $(corpus_sources) --force
vocabulary_command = $(KUOCI) train --input $(zh) --model-prefix $(OUT)/zh --model-type bpe \
    --vocab-size $(vocabulary_size) --character-coverage 0.9995 --normalization-rule-name identity --byte-fallback true \
    --split-digits true --split-by-unicode-script false --force
merge_command = $(KUOCI) merge --base $(base_model) --add $(OUT)/zh.model --out $(OUT)/tokenizer \
    $(if $(merged_size),--size $(merged_size) --corpus $(zh)) --proof-corpus $(en) $(en_heldout) --force
measure_command = $(KUOCI) measure --tokenizer $(base_model) --tokenizer $(OUT)/tokenizer/tokenizer.model \
    --text $(zh_heldout) $(en_heldout) --format json
init_command = $(KUOCI) init --preset $(preset) --tokenizer $(base_model) --out $(OUT)/init --seed 1 --force
# What all three runs do is in the recipe tiny (Sources/Pretraining/Recipes/tiny.yaml).
pretrain = $(KUOCI) pretrain --recipe tiny --heldout zh=$(zh_measured) en=$(en_measured) --force --cache $(OUT)/tokens
base_command = $(pretrain) --stage full --model $(OUT)/init --text $(en) --out $(OUT)/base --steps $(base_steps)
resize_command = $(KUOCI) resize --model $(OUT)/base/model --tokenizer $(OUT)/tokenizer --out $(OUT)/resized \
    --init subword-mean --force
stage1_command = $(pretrain) --stage embeddings --model $(OUT)/resized --text $(zh) $(en) --out $(OUT)/stage1 \
    --steps $(stage1_steps)
stage2_command = $(pretrain) --stage lora --model $(OUT)/stage1/model --text $(zh) $(en) --out $(OUT)/stage2 \
    --steps $(stage2_steps)
export_command = $(KUOCI) export --model $(OUT)/stage1/model --adapter $(OUT)/stage2/adapter --out $(OUT)/export --force
# Each pretraining run measures the held-out texts before its first step and after its last; this is the proof that the
# exported checkpoint is what stage 2 left.
evaluate_command = $(KUOCI) evaluate --model $(OUT)/export --text zh=$(zh_measured) en=$(en_measured) \
    --block-size 256 --format json
# Of the tokenizer, and of the runs that there are.
report_command = $(KUOCI) report $(OUT)/tokenizer $(1) --text $(zh_heldout) $(en_heldout) \
    --parallel en=corpora/parallel.en.txt zh=corpora/parallel.zh.txt --out $(OUT)/report.html --force

steps := corpus vocabulary merge measure init base resize stage1 stage2 export evaluate
.PHONY: $(steps) summary

# What each step writes, its mark of being done.
corpus_target := $(zh)
vocabulary_target := $(OUT)/zh.model
merge_target := $(OUT)/tokenizer/kuoci.json
measure_target := $(OUT)/measure.json
init_target := $(OUT)/init/kuoci.json
base_target := $(OUT)/base/kuoci.json
resize_target := $(OUT)/resized/kuoci.json
stage1_target := $(OUT)/stage1/kuoci.json
stage2_target := $(OUT)/stage2/kuoci.json
export_target := $(OUT)/export/kuoci.json
evaluate_target := $(OUT)/evaluation/export.json

# What each step reads.
$(corpus_target): $(corpus_inputs)
$(vocabulary_target): $(zh) $(base_model)
$(merge_target): $(base_model) $(OUT)/zh.model
$(measure_target): $(base_model) $(merge_target) $(zh)
$(init_target): $(base_model)
$(base_target): $(init_target) $(zh_measured) $(en_measured)
$(resize_target): $(base_target) $(merge_target)
$(stage1_target): $(resize_target) $(zh_measured) $(en_measured)
$(stage2_target): $(stage1_target)
$(export_target): $(stage2_target)
$(evaluate_target): $(export_target)

$(OUT)/measured/%.txt: $(zh)
	@mkdir -p $(@D)
	@awk 'NR % $(measured_share) == 1 % $(measured_share)' $(OUT)/corpus/$*.heldout.txt >$@

# step NAME: the step by its name, the file that remembers its command line, and the rule that runs it.
define step
$(1): $$($(1)_target)

$(OUT)/.settings/$(1): FORCE
	@scripts/settings.sh $$@ '$$($(1)_command)'

$$($(1)_target): $(OUT)/.settings/$(1) | build
	@scripts/step.sh $(OUT) $(1) $(if $(filter measure evaluate,$(1)),--to $$@) $$($(1)_command)
endef
$(foreach name,$(steps),$(eval $(call step,$(name))))

## (the main job's steps, each alone: corpus vocabulary merge measure init base resize stage1 stage2 export evaluate summary)
summary: $(measure_target) $(evaluate_target)
	@$(call report_command,$(OUT)/base $(OUT)/stage1 $(OUT)/stage2)
	@$(KUOCI) summary $(OUT)

# Without libtorch the job ends with the measure.
main: build
	@if [ -n "$$(scripts/libtorch-path.sh)" ]; then \
	    $(MAKE) --no-print-directory summary; \
	else \
	    $(MAKE) --no-print-directory measure; \
	    $(call report_command,); \
	    $(KUOCI) summary $(OUT); \
	    echo "no libtorch: the job ends here, before resizing and pretraining; make setup says how to get it" >&2; \
	fi
