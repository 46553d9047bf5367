/* SPDX-License-Identifier: ISC */
/* bench-echo: the other side of a round trip. */
#ifndef BASALT_SERVICES_BENCH_BENCH_ECHO_H
#define BASALT_SERVICES_BENCH_BENCH_ECHO_H

/* Never returns. */
void bench_echo_main(void);

#endif
