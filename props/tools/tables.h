/* SPDX-License-Identifier: ISC */
/* What follows from tables, as text: dictionaries for the engines and the generated pages. */
#ifndef BASALT_PROPS_TOOLS_TABLES_H
#define BASALT_PROPS_TOOLS_TABLES_H

#include <stdbool.h>
#include <stdio.h>

/* Words for libFuzzer (-dict) and AFL++ (-x): of each part that is named, of all when none is. A part
 * is a service (the ids of its operations, field bounds and what lies next to them), a format or
 * another set of constants. False: a part is none, which is said on the standard error. */
bool tables_dictionary(FILE *out, unsigned part_count, char *const parts[]);

/* Words of the text form of messages (abi/text/print.h): operations, object types, statuses, and the
 * names of fields unless the part "names" is asked for. */
bool tables_text_dictionary(FILE *out, unsigned part_count, char *const parts[]);

/* abi/REFERENCE.md: statuses, object types, roles, who may send what, every message. */
void tables_reference(FILE *out);

/* props/PROPERTIES.md. */
void tables_properties(FILE *out);

/* The roles of the images, as one markdown table. */
void tables_roles(FILE *out);

/* Which role may send which operation, as one markdown table. */
void tables_authority(FILE *out);

#endif
