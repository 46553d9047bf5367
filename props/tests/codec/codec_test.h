/* SPDX-License-Identifier: ISC */
/* Literal fixtures of message bodies, written from the tables by hand and never by the encoder.
 *
 *   OF(SERVICE, id, direction, caps, body)  an accepted message: descriptors of 16 bytes each and
 *                                           the body, in hex
 *   YES(edits, what)                        accepted with these edits of the body
 *   NO(edits, what)                         refused with INVALID_ARGUMENT
 *   CAPS_YES(caps, what), CAPS_NO(...)      the same body with other descriptors
 *
 * edits: "@offset bytes" (offset decimal, bytes in hex), several in a row; "=bytes" another body
 * altogether. Of every base the runner itself tries the body one byte shorter, one byte longer, and
 * with a descriptor that no field asks for, and each capability in each type that no CAPS_YES
 * states; all must be refused. */
#ifndef BASALT_PROPS_TESTS_CODEC_CODEC_TEST_H
#define BASALT_PROPS_TESTS_CODEC_CODEC_TEST_H

#include <stdbool.h>

#include "abi/message_type.h"

enum fixture_kind { FIXTURE_BASE, FIXTURE_YES, FIXTURE_NO, FIXTURE_CAPS_YES, FIXTURE_CAPS_NO };

struct codec_fixture {
    enum fixture_kind kind;
    enum service_id service;
    uint16_t operation;
    bool reply;
    const char *caps;
    const char *body; /* or edits */
    const char *what;
};

enum { REQUEST = 0, REPLY = 1 };

#define OF(SERVICE, id, direction, caps, body)                                                     \
    {FIXTURE_BASE, SERVICE_##SERVICE, id, direction, caps, body, "base"},
#define YES(edits, what)     {FIXTURE_YES, SERVICE_COUNT, 0, 0, "", edits, what},
#define NO(edits, what)      {FIXTURE_NO, SERVICE_COUNT, 0, 0, "", edits, what},
#define CAPS_YES(caps, what) {FIXTURE_CAPS_YES, SERVICE_COUNT, 0, 0, caps, "", what},
#define CAPS_NO(caps, what)  {FIXTURE_CAPS_NO, SERVICE_COUNT, 0, 0, caps, "", what},

/* Descriptor hex: field offset and rights little-endian, mode, flags, type, reserved, badge. */
#define NO_BADGE "0000000000000000 "

extern const struct codec_fixture codec_kernel_fixtures[];
extern const unsigned codec_kernel_count;
extern const struct codec_fixture codec_service_fixtures[];
extern const unsigned codec_service_count;
extern const struct codec_fixture codec_graph_fixtures[];
extern const unsigned codec_graph_count;
extern const struct codec_fixture codec_files_fixtures[];
extern const unsigned codec_files_count;
extern const struct codec_fixture codec_loader_fixtures[];
extern const unsigned codec_loader_count;

/* Text of messages, printed and parsed: literal lines. */
void codec_text_tests(void);

/* The codec against its model, on messages of every type and what can be made of them. */
void codec_agree_tests(void);

#endif
