/* SPDX-License-Identifier: ISC */
/* rootd's lines on the log endpoint. A log that does not take a line changes nothing else. */
#ifndef BASALT_SERVICES_ROOTD_REPORT_H
#define BASALT_SERVICES_ROOTD_REPORT_H

#include "services/rootd/rootd.h"

/* "ERIX_ROOTD:<status>". */
void report_status(struct rootd *rootd);

/* "ROOTD_STAGE:<name>[:<detail>]"; nothing unless the boot config asked for a validation
 * profile. */
void report_stage(struct rootd *rootd, const char *name, const char *detail);

/* "ROOTD_STAGE:<name>:UNEXPECTED:<end>": how a program ended that had to EXIT(0). <end> is the name
 * of the end reason and, of EXIT and KILL, ":" and the code in hexadecimal. */
void report_unexpected(struct rootd *rootd, const char *name, uint32_t reason, uint32_t code);

/* "BASALT_ROOTD:PASSED_OVER:<role>:<cause>", in every image: an optional entry is not there, and
 * why. */
void report_passed_over(struct rootd *rootd, uint32_t role, enum status cause);

/* "BASALT_ROOTD:NOT_MOUNTED:<path>:<role>", in every image: what lies there is of an entry that was
 * passed over. */
void report_not_mounted(struct rootd *rootd, const struct boot_config_mount *mount);

/* "BASALT_ROOTD:FAILED:<stage>:<cause>", in every image: what was refused, and why. Of a service
 * that failed also ":<role>". After procd's end in a system that ran, also ":<end>" as above (P8). */
void report_failure(struct rootd *rootd);

#endif
