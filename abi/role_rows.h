/* SPDX-License-Identifier: ISC */
/* The rows of roles.def, for whoever has defined what becomes of some of their kinds: of those that it
 * did not define becomes nothing. Included many times; all kinds are undefined afterwards. */
#ifndef ROLE
#define ROLE(NAME, id, image, rank, primary, budget, pages, guarantee, makes, child_limit,         \
             child_pages, kind, presence, why)
#endif
#ifndef INTAKE
#define INTAKE(NAME, slot, type, rights, source, why)
#endif
#ifndef HOLDS
#define HOLDS(NAME, OTHER, why)
#endif
#ifndef LOOKS_UP
#define LOOKS_UP(CLIENT, SERVICE, why)
#endif
#ifndef LATE_BOUND
#define LATE_BOUND(CLIENT, SERVICE, why)
#endif
#ifndef NEEDS
#define NEEDS(NAME, OTHER, why)
#endif
#ifndef READS_LOG
#define READS_LOG(NAME, why)
#endif
#ifndef READS_CRASHES
#define READS_CRASHES(NAME, why)
#endif
#ifndef INTERRUPTS
#define INTERRUPTS(NAME, line, why)
#endif
#ifndef INSPECTS
#define INSPECTS(NAME, why)
#endif
#ifndef RESIDENT
#define RESIDENT(NAME, why)
#endif
#ifndef RESTARTS
#define RESTARTS(NAME, policy, base_delay, delay_cap, stable_after, budget, window, critical, why)
#endif
#ifndef USES_SSE
#define USES_SSE(NAME, why)
#endif
#ifndef FAULT_AROUND
#define FAULT_AROUND(NAME, why)
#endif
#ifndef DATA
#define DATA(NAME, module, why)
#endif
#include "abi/roles.def"
#undef ROLE
#undef INTAKE
#undef HOLDS
#undef LOOKS_UP
#undef LATE_BOUND
#undef NEEDS
#undef READS_LOG
#undef READS_CRASHES
#undef INTERRUPTS
#undef INSPECTS
#undef RESIDENT
#undef RESTARTS
#undef USES_SSE
#undef FAULT_AROUND
#undef DATA
