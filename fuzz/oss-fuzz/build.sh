#!/bin/bash -eu
# SPDX-License-Identifier: ISC
# Builds every harness with the compilers, flags and engine of the environment and leaves in $OUT, for each, the
# program, its seeds, dictionary and options. OSS-Fuzz, ClusterFuzz, ClusterFuzzLite and `./basalt test oss-fuzz`
# run it; README.md says what they set. Only here: HARNESSES (these instead of all), TOOL_CC (the compiler of what
# runs here).
cd "$SRC/basalt"
: "${FUZZING_ENGINE:=libfuzzer}" "${SANITIZER:=address}" "${ARCHITECTURE:=x86_64}" "${CFLAGS:=}" "${CXXFLAGS:=}"
export TOOL_CC="${TOOL_CC:-$(command -v clang || command -v clang-14 || command -v cc)}"
if [ "$ARCHITECTURE" != x86_64 ]; then
    echo "basalt: $ARCHITECTURE: the harnesses are for x86_64" >&2
    exit 1
fi

work="$WORK/basalt" # of the last build with other flags: what ninja knows of flags is their variable
rm -rf "$work"
mkdir -p "$work" "$OUT"

# What this engine can be told besides coverage: marks, and steps to mutate by.
marks=
case "$FUZZING_ENGINE" in
libfuzzer) engine=fuzz/engine/libfuzzer_glue.o ;;
afl | honggfuzz) engine=fuzz/engine/afl_glue.o marks=-DMARK_GUARDS ;;
centipede) engine=fuzz/engine/centipede_glue.o marks=-DMARK_FEATURES ;;
*) engine= ;; # nothing: LLVMFuzzerTestOneInput is all that there is
esac
cat > "$work/build.ninja" <<END
out = $work
marks = $marks
engine = $work/objects/${engine:-props.a}
include fuzz/oss-fuzz/oss-fuzz.ninja
END

# Canaries fail on purpose, and `empty` has nothing to find.
: "${HARNESSES:=$(ninja -f "$work/build.ninja" -t targets rule harness |
    sed -n "s,^$work/harnesses/,,p" | grep -v -e '^canary' -e '^empty$' | sort)}"
targets=
for name in $HARNESSES; do
    targets="$targets $work/harnesses/$name"
    if compgen -G "corpus/$name/*.trace" > /dev/null; then
        targets="$targets $work/tools/$name" # makes inputs of texts
    fi
done
ninja -f "$work/build.ninja" ${BASALT_JOBS:+-j "$BASALT_JOBS"} $targets "$work/tools/abi_tables"
for name in $HARNESSES; do
    cp "$work/harnesses/$name" "$OUT/"
    python3 -B fuzz/tool/beside.py "$name" "$work/tools" "$OUT"
done
