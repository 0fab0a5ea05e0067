#!/bin/sh
# From seeds/NAME.txt, a seed a line, to corpus/NAME/*, and from words.txt to libFuzzer's words.dict.
set -eu
cd "$(dirname "$0")"
for file in seeds/*.txt; do
    name=$(basename "$file" .txt)
    mkdir -p "corpus/$name"
    awk -v to="corpus/$name/seed" '{ out = to NR; printf "%s", $0 > out; close(out) }' "$file"
done
sed 's/\\/\\\\/g; s/"/\\"/g; s/.*/"&"/' words.txt > words.dict
