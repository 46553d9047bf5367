/* SPDX-License-Identifier: ISC */
/* Reads the text of abi/text/print.h back into messages. The text says what a message holds, not
 * what it may hold: values outside their constraint are taken as they are (that is how a trace says
 * what must be refused), and message_decode judges them. */
#ifndef BASALT_ABI_TEXT_TRACE_PARSE_H
#define BASALT_ABI_TEXT_TRACE_PARSE_H

#include <stdbool.h>
#include <stddef.h>

#include "abi/message.h"
#include "abi/message_type.h"
#include "abi/status.h"

/* What a line says besides the message. */
struct trace_message {
    enum service_id service;
    bool reply;
    const struct operation *operation; /* null: the operation has no row */
};

/* Parses text[0, text_bytes), one message and nothing else: single blanks between words, no
 * newline, no final zero. Numbers may be decimal or hex (0x, lower case), without leading zeros.
 * All fields must be there in wire order; only a must-be-zero field may be left out. On OK every
 * byte of *message is written, those that the header does not declare with zero.
 *
 * Errors, *message and *what all zero, *column the offset of the first byte that is wrong:
 * TRUNCATED     the text ends before the message does
 * NOT_FOUND     a service, operation, field, type or status of that name does not exist, or is not
 *               the one that must stand here
 * OUT_OF_RANGE  a number that does not fit the field's width
 * BAD_LENGTH    the count field before bytes or rows differs from how many there are
 * EXHAUSTED     more bytes, rows or descriptors than a message holds
 * BAD_TEXT      anything else, text behind the message included */
enum status trace_parse(const char *text, size_t text_bytes, struct trace_message *what,
                        struct message *message, size_t *column);

#endif
