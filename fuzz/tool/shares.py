# SPDX-License-Identifier: ISC
"""Who gets the processor on the metal (K7), in instructions, so that a busy host changes nothing: a
helper's life beside processes that spin, and honest processes beside those that would have more than
their share (services/bench/measure_shares.c)."""

import bench_metal

BESIDE_RATIO_MAX = 2
SHARE_MIN = 0.8 # of an equal share


def shares(tally):
    rows = bench_metal.measure(bench_metal.IMAGE)
    alone = rows["spawn-exit"][1]
    wrong = [f"spawn to exit beside {count} processes that spin takes {beside} instructions, {alone} alone"
             for count, beside in [(count, rows[f"spawn-exit-{count}"][1]) for count in (10, 100, 900)]
             if beside > BESIDE_RATIO_MAX * alone]
    tally.complaints("processes that spin do not slow a helper's life", wrong)
    wrong = [f"{name}: {rows[name][0]} thousandths, an equal share is {equal}: {meaning}"
             for name, meaning, equal in bench_metal.SHARE_ROWS if rows[name][0] < SHARE_MIN * equal]
    tally.complaints("nobody has more than its share by whom it calls, and when", wrong)
