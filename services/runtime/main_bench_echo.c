/* SPDX-License-Identifier: ISC */
/* The program bench-echo of the bench image: its entry point. */
#include "services/bench/bench_echo.h"
#include "services/runtime/entry_code.h"

SERVICE_ENTRY("bench-echo", bench_echo_main);
