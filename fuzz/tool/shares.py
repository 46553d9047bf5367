# SPDX-License-Identifier: ISC
"""Who gets the processor on the metal (K7), in instructions, so that a busy host changes nothing: a
helper's life beside processes that spin, and an honest process beside a thief of its band."""

import bench_metal

BESIDE_RATIO_MAX = 2
SHARE_MIN = 500 # thousandths: one of two


def shares(tally):
    rows = bench_metal.measure(bench_metal.IMAGE)
    alone = rows["spawn-exit"][1]
    wrong = [f"spawn to exit beside {count} processes that spin takes {beside} instructions, {alone} alone"
             for count, beside in [(count, rows[f"spawn-exit-{count}"][1]) for count in (10, 100, 900)]
             if beside > BESIDE_RATIO_MAX * alone]
    tally.complaints("processes that spin do not slow a helper's life", wrong)
    share = rows[bench_metal.SHARE_ROW][1]
    wrong = [] if share >= SHARE_MIN else [f"an honest process gets {share} thousandths beside the thief"]
    tally.complaints("a thief of time gets its share and no more", wrong)
