/* SPDX-License-Identifier: ISC */
/* Slot numbers of every cspace. Those marked (published) are EriX's and never change; the others
 * are this project's own, defined here and nowhere else. */
#ifndef BASALT_ABI_SLOTS_H
#define BASALT_ABI_SLOTS_H

enum {
    SLOT_NULL = 0,              /* never holds anything; "no capability" in an optional field */
    SLOT_SELF = 1,              /* KERNEL_SELF of the process itself */
    SLOT_SERVICE_ENDPOINT = 2,  /* the process's own endpoint; procd's is its bootstrap endpoint */
    SLOT_LEGACY = 4,            /* (published) must be empty: rootd refuses to start otherwise */
    SLOT_IMAGE = 5,             /* the boot image: rootd, procd, pagerd */
    SLOT_BOOTSTRAP_UNTYPED = 6, /* procd only, empty after UPDATE_FOUNDATION_ENDPOINTS */

    SLOT_PEER_MEMD = 16, /* send capabilities to the foundation services */
    SLOT_PEER_VSPACED = 17,
    SLOT_PEER_PAGERD = 18,
    SLOT_PEER_PROCD = 19,
    SLOT_PROCD_ADMINISTRATOR = 20, /* procd without a badge: who launches clients, as rootd does */
    SLOT_PEER_NAMED = 21,          /* and to the services above it, given at start or looked up */
    SLOT_PEER_LOGD = 22,
    SLOT_PEER_CRASHD = 23,
    SLOT_PEER_TIMED = 24,
    SLOT_PEER_IRQD = 25,
    SLOT_PEER_DEVICED = 26,
    SLOT_PEER_DRV_SERIAL = 27,
    SLOT_PEER_SERIALD = 28,
    SLOT_PEER_VFSD = 29,
    SLOT_PEER_LOADERD = 30,

    SLOT_UNTYPED_BASE = 32, /* untyped memory: rootd at boot, then memd */
    SLOT_UNTYPED_COUNT = 16,

    SLOT_PEER_TEST_SERVICE = 56,  /* of test roles */
    SLOT_MEMD_ADMINISTRATOR = 57, /* memd, vspaced and pagerd without a badge */
    SLOT_VSPACED_ADMINISTRATOR = 58,
    SLOT_PAGERD_ADMINISTRATOR = 59,
    SLOT_PEER_TEST_MORTAL = 60,
    SLOT_DEVICED_ADMINISTRATOR = 61,

    SLOT_RECEIVE_BASE = 64, /* where receive windows lie, by convention of services/lib */
    SLOT_RECEIVE_COUNT = 64,

    /* (published) kernel-control endpoints and procd's driver endpoint; the stride is 16 */
    SLOT_PROCD_DRIVER_ENDPOINT = 2112,
    SLOT_KERNEL_TIME_ENDPOINT = 2128,
    SLOT_KERNEL_IRQ_ENDPOINT = 2144,
    SLOT_KERNEL_HOTPLUG_ENDPOINT = 2160,
    SLOT_KERNEL_PCI_CONFIG_ENDPOINT = 2176,
    SLOT_KERNEL_CONSOLE_ENDPOINT = 2192,
    SLOT_KERNEL_COM1_ENDPOINT = 2208,
    SLOT_KERNEL_MEM_ENDPOINT = 2224,
    SLOT_KERNEL_VSPACE_ENDPOINT = 2240,
    SLOT_KERNEL_PAGER_ENDPOINT = 2256,
    SLOT_KERNEL_LOG_ENDPOINT = 2272,
    SLOT_KERNEL_PROCESS_ENDPOINT = 2288,
    SLOT_KERNEL_CHILD_POPULATE_ENDPOINT = 2304, /* its number is ours: the free place */
    SLOT_KERNEL_ACPI_ENDPOINT = 2320,
    SLOT_KERNEL_I8042_ENDPOINT = 2336,
    SLOT_STARTUP_LAST = 2336, /* no start-up capability lies above */

    SLOT_REPLY_BASE = 2560, /* reply capabilities, filled by RECV alone */
    SLOT_REPLY_COUNT = 1024,

    SLOT_DYNAMIC_BASE = 4096, /* what a service allocates at run time lies from here on */
    SLOT_LIMIT = 1 << 22      /* slots of a cspace: 0 to SLOT_LIMIT - 1 */
};

_Static_assert(SLOT_REPLY_BASE > SLOT_STARTUP_LAST, "reply slots lie after the start-up slots");
_Static_assert(SLOT_DYNAMIC_BASE >= SLOT_REPLY_BASE + SLOT_REPLY_COUNT, "windows are disjoint");

#endif
