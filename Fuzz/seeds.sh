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
mkdir -p "$seeds"/{model,text,corpus,json,gguf}
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
