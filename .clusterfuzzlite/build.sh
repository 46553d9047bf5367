#!/bin/bash -eu
# SPDX-License-Identifier: ISC
exec bash -eu "$SRC/basalt/fuzz/oss-fuzz/build.sh"
