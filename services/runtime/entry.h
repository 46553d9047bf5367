/* SPDX-License-Identifier: ISC */
/* What lies at the entry point of every image of this project: a jump, then, ENTRY_TAG_OFFSET bytes
 * behind the entry point, a tag and the image's name. The host world reads the name through the
 * process's page tables to know which unit stands for the loaded code; the metal never looks at it.
 * Used by assembly, too: macros only. */
#ifndef BASALT_SERVICES_RUNTIME_ENTRY_H
#define BASALT_SERVICES_RUNTIME_ENTRY_H

#define ENTRY_TAG_OFFSET 8 /* a near jump takes 5 bytes; the rest is padding */
#define ENTRY_TAG        "BASALT:"
#define ENTRY_TAG_BYTES  7  /* without the terminating zero */
#define ENTRY_NAME_BYTES 24 /* zero padded, at least one zero at the end */

/* Pages at the top of its stack that a helper writes before any C runs: more than its C ever uses,
 * so that no compiler decides when one of them arrives (E3). */
#define HELPER_STACK_PAGES 4

#endif
