#!/usr/bin/env bash
# Makes the seeds of Fuzz/Seeds with kuoci itself, from the committed samples: small models of every type and what the
# other targets read. seeds.sh PROGRAM
set -euo pipefail
cd "$(dirname "$0")/.."
kuoci=$(realpath "${1:-.build/release/kuoci}")
seeds=$PWD/Fuzz/Seeds
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

train() {
    local name=$1
    shift
    "$kuoci" train --input "$work/text" --model-prefix "$work/$name" \
        --hard-vocab-limit false --progress none "$@" >/dev/null
    cp "$work/$name.model" "$seeds/model/$name.model"
}

rm -rf "$seeds"
mkdir -p "$seeds"/{model,text,corpus,json,gguf,gguf-model,safetensors,checkpoint,adapter}
{ head -n 12 corpora/sample.zh.txt; head -n 20 corpora/sample.en.txt; } >"$work/text"
printf 'FF21\t0041\nFB01\t0066 0069\n0065 0301\t00E9\n3000\t0020\n' >"$work/rules.tsv"
train bpe --model-type bpe --vocab-size 600 --character-coverage 0.98 --byte-fallback --normalization-rule-name identity
train bpe-user --model-type bpe --vocab-size 300 --character-coverage 0.98 --user-defined-symbols '<sep>,人工智能' \
    --normalization-rule-tsv "$work/rules.tsv"
train bpe-suffix --model-type bpe --vocab-size 300 --character-coverage 0.98 --treat-whitespace-as-suffix \
    --remove-extra-whitespaces false --normalization-rule-name identity
train unigram --model-type unigram --vocab-size 700 --character-coverage 0.98 --byte-fallback \
    --normalization-rule-tsv "$work/rules.tsv"

# Formats of models small enough to be mutated well.
head -c 300 corpora/sample.en.txt >"$work/text"
train tiny --model-type bpe --vocab-size 300 --byte-fallback --normalization-rule-name identity \
    --remove-extra-whitespaces false
train tiny-unigram --model-type unigram --vocab-size 60 --normalization-rule-tsv "$work/rules.tsv"
for name in tiny tiny-unigram; do
    "$kuoci" convert --from "$work/$name.model" --to "$seeds/json/$name.json" >/dev/null
    "$kuoci" convert --from "$work/$name.model" --to "$seeds/gguf/$name.gguf" >/dev/null
done
sed -e 's/"pre_tokenizer": null/"pre_tokenizer": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first"}/' \
    -e 's/"ignore_merges": false/"ignore_merges": true/' "$seeds/json/tiny.json" >"$seeds/json/metaspace.json"

printf 'Hello  world. 12345' >"$seeds/text/english"
printf '扩词：中文分词，ＡＢＣ　①ﬁ。' >"$seeds/text/chinese"
printf ' \t▁<s></s><0x0A><sep>人工智能\n' >"$seeds/text/pieces"
printf '\344\270a\377\303(\360\237\230\200\000e\314\201' >"$seeds/text/broken"

# The first byte chooses the reader.
printf '\000<html><head><title>t</title></head><body><h1>题</h1><p>一<b>段</b><br>x &amp; &#20013;</p><pre>c</pre></body>' >"$seeds/corpus/html"
printf '\001.TH A 1\n.SH "名称"\n.PP\nText \\fBbold\\fR \\(co \\[u4E2D].\n.B word\n.TP\n.de XX\n..\n.ig\nno\n..\n' >"$seeds/corpus/roff"
printf '\002One\n%%\n二\n%%\n' >"$seeds/corpus/fortunes"
printf '\003Para one\nline\n\n第二段\n' >"$seeds/corpus/plain"
printf '\004\357\273\277a\r\nb\n\xff\n\000c' >"$seeds/corpus/lines"
printf '\005{"text":"a\\u4e2d\\ud83d\\ude00"}\n\n{"text":""}\n{"x":[1,{"y":null}],"text":"b"}\n' >"$seeds/corpus/jsonl"
{ printf '\006'; printf 'a\n\nb\n' | gzip -n; printf 'c\n' | gzip -n; } >"$seeds/corpus/gzip"
{ printf '\007'; printf '{"text":"a"}\n' | zstd -q -c; } >"$seeds/corpus/zstd"

# A safetensors file: its header, and so many bytes of data.
safetensors() {
    local length
    printf -v length '%016x' "$(printf %s "$1" | wc -c)"
    for at in 14 12 10 8 6 4 2 0; do printf "\\x${length:at:2}"; done
    printf %s "$1"
    head -c "$2" /dev/zero
}
two='{"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]},"b":{"dtype":"BF16","shape":[3],"data_offsets":[16,22]}}  '
safetensors "$two" 22 >"$seeds/safetensors/two"
safetensors '{}' 0 >"$seeds/safetensors/none"
safetensors ' {"é":["F4",[4],[0,2]],"s":{"dtype":{"F64":null},"shape":[],"data_offsets":[2,10]},"e":["I8",[0,9],[10,10]]}' 10 \
    >"$seeds/safetensors/odd"

config='{"model_type":"llama","vocab_size":6,"hidden_size":4,"intermediate_size":8,"num_hidden_layers":1,"num_attention_heads":2,"num_key_value_heads":1,"head_dim":2,"tie_word_embeddings":false,"dtype":"bfloat16","initializer_range":0.02}'
map='{"metadata":{"total_size":208},"weight_map":{"model.embed_tokens.weight":"a.safetensors","model.layers.0.self_attn.q_proj.weight":"a.safetensors","lm_head.weight":"b.safetensors"}}'
{ printf %s "$config"; printf '\000%s' "$map"; } >"$seeds/checkpoint/two-shards"
{ printf %s '{"vocab_size":6}'; printf '\000%s' '{"weight_map":{"lm_head.weight":"b.safetensors"}}'; } >"$seeds/checkpoint/one-shard"

query=base_model.model.model.layers.0.self_attn.q_proj
factors="{\"$query.lora_A.weight\":{\"dtype\":\"F32\",\"shape\":[1,4],\"data_offsets\":[0,16]},\"$query.lora_B.weight\":{\"dtype\":\"F32\",\"shape\":[4,1],\"data_offsets\":[16,32]}"
rows='"base_model.model.model.embed_tokens.weight":{"dtype":"F32","shape":[6,4],"data_offsets":[32,128]}'
lora='{"peft_type":"LORA","r":1,"lora_alpha":2,"lora_dropout":0.05,"target_modules":["q_proj"],"bias":"none"'
{ printf '%s}\000' "$lora"; safetensors "$factors}" 32; } >"$seeds/adapter/plain"
{ printf '%s,"modules_to_save":["embed_tokens"],"use_rslora":true}\000' "$lora"; safetensors "$factors,$rows}" 128; } \
    >"$seeds/adapter/rows"

# A whole model, with the vocabulary of few pieces.
printf %s '{"model_type":"llama","vocab_size":60,"hidden_size":8,"intermediate_size":8,"num_hidden_layers":1,"num_attention_heads":2,"num_key_value_heads":1,"head_dim":4,"max_position_embeddings":16,"rms_norm_eps":1e-5,"tie_word_embeddings":false,"dtype":"float16"}' \
    >"$work/config.json"
"$kuoci" init --config "$work/config.json" --tokenizer "$work/tiny-unigram.model" --out "$work/whole" --progress none >/dev/null
"$kuoci" convert --from "$work/whole" --to "$seeds/gguf-model/whole.gguf" --progress none >/dev/null
