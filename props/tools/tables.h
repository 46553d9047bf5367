/* SPDX-License-Identifier: ISC */
/* What follows from tables, as text: dictionaries for the engines and the generated pages. */
#ifndef BASALT_PROPS_TOOLS_TABLES_H
#define BASALT_PROPS_TOOLS_TABLES_H

#include <stdio.h>

/* Words of the wire formats for libFuzzer (-dict) and AFL++ (-x): operation ids, field bounds and
 * what lies next to them, status values, published slots, magics. */
void tables_dictionary(FILE *out);

/* Words of the text form of messages (abi/text/print.h): operations, fields, object types,
 * statuses. */
void tables_text_dictionary(FILE *out);

/* abi/REFERENCE.md: statuses, object types, roles, who may send what, every message. */
void tables_reference(FILE *out);

/* props/PROPERTIES.md. */
void tables_properties(FILE *out);

/* The roles of the images, as one markdown table. */
void tables_roles(FILE *out);

/* Which role may send which operation, as one markdown table. */
void tables_authority(FILE *out);

#endif
