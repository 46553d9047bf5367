/* SPDX-License-Identifier: ISC */
/* Stated limits that more than one part of the system needs (E6). The message after the last free
 * entry is refused, and after one release accepted again: with EXHAUSTED when all share the table,
 * with OVER_LIMIT when the entries were the asker's own. The limits of one service's tables are
 * stated in services/<service>/<service>.h, those of its messages in abi/messages/<service>.h. */
#ifndef BASALT_ABI_LIMITS_H
#define BASALT_ABI_LIMITS_H

#include <stdint.h>

enum {
    PAGE_BYTES = 4096,
    PAGE_SHIFT = 12,

    PROCESS_LIMIT = 1024,          /* processes of the system, in the kernel, procd and pagerd */
    KERNEL_UNTYPED_LIMIT = 4096,   /* untyped objects of the kernel */
    PROCESS_BUDGET_PAGES_MIN = 16, /* fewest pages a process's kernel memory can be made of */
    PROCESS_BUDGET_PAGES_MAX = 16384,

    MEMORY_PAGES_LIMIT = 1 << 20, /* pages that shared tables grow with: 4 GiB */
    VSPACED_MAP_PAGES_MAX =
        512, /* pages of one MAP_FRAMES over image pages, and of one MAP_FRAME */

    /* Regions of a process other than one for each page of its own, for guards and shared pages: so
     * many, or more where its image needs them; and those that vspaced has for each page that is
     * set aside for it at memd. role_region_limit() is the sum that nobody else is short of. */
    PROCESS_SHARED_REGIONS = 32,
    PROCESS_PAGE_REGIONS = 2,

    LOG_LINE_BYTES_MAX = 256,
    SERIAL_BYTES_MAX = 896,         /* of one message to or from a serial line */
    SERIAL_WAIT_TICKS_MAX = 600000, /* ten minutes: who waits for bytes asks again after that */
    FRAME_TRANSFER_BYTES_MAX = 832, /* bytes of one FRAME_READ or FRAME_WRITE */

    INTERRUPT_LINE_COUNT = 16, /* of the machine; 0 is the clock's, 2 joins 8 to 15 to the others */

    ENVELOPE_ENTRY_LIMIT = 48,
    BOOT_MODULE_LIMIT = 64,
    BOOT_MODULE_NAME_BYTES = 24, /* zero padded, at least one zero at the end */
    BOOT_CONFIG_ENTRY_LIMIT = 64,
    ELF_SEGMENT_LIMIT = 8,
    HANDOFF_UNTYPED_LIMIT = 16,
    SERVICE_NAME_BYTES_MAX = 15, /* (published) */

    TICKS_PER_SECOND = 1000,    /* (published) */
    STACK_RESERVE_BYTES = 65536 /* (published for helpers) in the final loaded segment */
};

/* What one process may have when that is less than its role's row allows (abi/roles.def): 0: as much
 * as the role. */
struct process_limits {
    uint32_t page_limit;   /* pages of its own */
    uint32_t budget_pages; /* of kernel memory; PROCESS_BUDGET_PAGES_MIN at least */
    uint32_t child_limit;  /* processes below it */
    uint32_t child_pages;  /* memory of those together */
};

/* How long procd waits, and who waits for procd (P12). Nothing tells procd the time but a message
 * that comes, so that it counts in groups of calls: memd and pagerd have PROCD_PEER_TICKS for all
 * calls of one message, and as long for those of a step of the sweep, or of the end of a life that is
 * not READY. A turn has three such groups at most: a message on each endpoint, or such an end instead
 * of the second one, and a step. Who calls procd may find it at the beginning of
 * a turn, and is answered when its own message was worked on. */
enum {
    /* Thirty seconds: a thousand times what they take beside a spinning crowd, and a system whose
     * memd hangs for longer is lost. */
    PROCD_PEER_TICKS = 30 * TICKS_PER_SECOND,
    PROCD_TURN_TICKS = 3 * PROCD_PEER_TICKS,
    PROCD_CALL_TICKS = PROCD_TURN_TICKS + PROCD_PEER_TICKS + 10 * TICKS_PER_SECOND
};

/* What a client may ask of procd when it makes a process that is started again (SET_RESTART_POLICY; the
 * administrator is not bound): between two lives a twentieth of a second at least, and no more than
 * sixteen restarts in a window that is a minute at least. */
enum {
    RESTART_CLIENT_DELAY_TICKS_MIN = TICKS_PER_SECOND / 20,
    RESTART_CLIENT_WINDOW_TICKS_MIN = 60 * TICKS_PER_SECOND,
    RESTART_CLIENT_BUDGET_MAX = 16 /* restarts in that window */
};

/* User addresses: [USER_VA_FIRST, USER_VA_END). Page 0 is never mapped (V5); the end leaves one
 * page below the first non-canonical address. */
#define USER_VA_FIRST UINT64_C(0x1000)
#define USER_VA_END   UINT64_C(0x00007FFFFFFFF000)

/* Where every process finds its message page, readable and writable. It lies outside the user
 * addresses, so that no request can map, unmap or protect there. */
#define MESSAGE_PAGE_VA USER_VA_END

#endif
