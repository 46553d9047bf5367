/* SPDX-License-Identifier: ISC */
/* The counters of programs that define none of their own. */
#include "props/base/marks.h"

MARKS(12, 0);
