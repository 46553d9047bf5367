/* SPDX-License-Identifier: ISC */
/* Prints how many bytes of state each service and the kernel core keep, for ./basalt bench. */
#include <stdio.h>

#include "kernel/core/kernel.h"
#include "services/crashd/crashd.h"
#include "services/deviced/deviced.h"
#include "services/drv_serial/drv_serial.h"
#include "services/irqd/irqd.h"
#include "services/loaderd/loaderd.h"
#include "services/logd/logd.h"
#include "services/memd/memd.h"
#include "services/named/named.h"
#include "services/pagerd/pagerd.h"
#include "services/probed/probed.h"
#include "services/procd/procd.h"
#include "services/ramfsd/ramfsd.h"
#include "services/rootd/rootd.h"
#include "services/seriald/seriald.h"
#include "services/timed/timed.h"
#include "services/vfsd/vfsd.h"
#include "services/vspaced/vspaced.h"

int main(void)
{
    printf("  rootd: %zu\n", sizeof(struct rootd));
    printf("  procd: %zu\n", sizeof(struct procd));
    printf("  pagerd: %zu\n", sizeof(struct pagerd));
    printf("  vspaced: %zu\n", sizeof(struct vspaced));
    printf("  memd: %zu\n", sizeof(struct memd));
    printf("  named: %zu\n", sizeof(struct named));
    printf("  logd: %zu\n", sizeof(struct logd));
    printf("  timed: %zu\n", sizeof(struct timed));
    printf("  crashd: %zu\n", sizeof(struct crashd));
    printf("  deviced: %zu\n", sizeof(struct deviced));
    printf("  irqd: %zu\n", sizeof(struct irqd));
    printf("  probed: %zu\n", sizeof(struct probed));
    printf("  drv-serial: %zu\n", sizeof(struct drv_serial));
    printf("  seriald: %zu\n", sizeof(struct seriald));
    printf("  loaderd: %zu\n", sizeof(struct loaderd));
    printf("  ramfsd, without its memory: %zu\n", sizeof(struct ramfsd));
    printf("  vfsd: %zu\n", sizeof(struct vfsd));
    printf("  kernel core, without page records: %zu\n", sizeof(struct kernel));
    return 0;
}
