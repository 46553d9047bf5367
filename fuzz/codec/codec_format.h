/* SPDX-License-Identifier: ISC */
/* The checks that harnesses of a format share which is parsed into a structure and encoded from one:
 * any bytes give a status, or a structure that encodes back to the same bytes (E2), and the verdict
 * is the one of the harness's model (R2). */
#ifndef BASALT_FUZZ_CODEC_CODEC_FORMAT_H
#define BASALT_FUZZ_CODEC_CODEC_FORMAT_H

#include "fuzz/codec/codec.h"

struct codec_format {
    const char *name;         /* in marks and traces */
    const char *profile_mark; /* null: the format has no profile */
    enum status (*parse)(const uint8_t *bytes, size_t size_bytes, void *value);
    enum status (*encode)(const void *value, uint8_t *bytes, size_t limit_bytes, size_t *written);
    bool (*model_accepts)(const uint8_t *bytes, size_t size_bytes);
    void *value; /* what codec_check_format parses into */
    size_t value_bytes;
    uint8_t *again; /* room for the longest one */
    size_t again_bytes;
    size_t profile_at;     /* of the profile, a uint32_t, in the structure, */
    size_t profile_offset; /* and in the bytes */
};

/* What was accepted encodes to the bytes it came from, and into not one byte less. */
static inline void codec_check_again(const struct codec_format *format, const uint8_t *bytes,
                                     size_t size_bytes)
{
    size_t written;
    PROPERTY_EQUAL(E2, format->encode(format->value, format->again, format->again_bytes, &written),
                   STATUS_OK);
    PROPERTY(E2, written == size_bytes && memcmp(format->again, bytes, written) == 0);
    if (codec_turn(4))
        PROPERTY_EQUAL(E6, format->encode(format->value, format->again, size_bytes - 1, &written),
                       STATUS_EXHAUSTED);
}

/* Bytes against the model, and a round trip of those that are accepted. `from`: what they were
 * encoded from, which is what they are then read as; null: nobody knows. */
static inline enum status codec_check_format(const struct codec_format *format,
                                             enum codec_mode mode, const uint8_t *bytes,
                                             size_t size_bytes, const void *from)
{
    memset(format->value, 0x5A, format->value_bytes);
    enum status status = format->parse(bytes, size_bytes, format->value);
    codec_report(format->name, mode, bytes, size_bytes, status);
    PROPERTY_EQUAL(R2, format->model_accepts(bytes, size_bytes), status == STATUS_OK);
    PROPERTY(R2, mode != CODEC_BUILT || status == STATUS_OK);
    if (status != STATUS_OK) {
        PROPERTY(R2, codec_zero(format->value, format->value_bytes));
        return status;
    }
    digest_bytes(bytes, size_bytes);
    PROPERTY(E2, "value", from == NULL || memcmp(format->value, from, format->value_bytes) == 0);
    if (from == NULL || codec_turn(8))
        codec_check_again(format, bytes, size_bytes);
    return STATUS_OK;
}

/* The same of a copy of exact size. */
static inline enum status codec_check_copy(const struct codec_format *format, enum codec_mode mode,
                                           const uint8_t *bytes, size_t size_bytes,
                                           const void *from)
{
    uint8_t *exact = codec_copy(bytes, size_bytes);
    enum status status = codec_check_format(format, mode, exact, size_bytes, from);
    free(exact);
    return status;
}

/* The profile of a sound structure, which was built and got `status`; then one that is none, mostly
 * not drawn: neither written nor read. */
static inline void codec_check_profile(const struct codec_format *format, struct choices *choices,
                                       void *sound, uint8_t *built, size_t built_bytes,
                                       enum status status)
{
    uint32_t profile;
    size_t written;
    memcpy(&profile, (uint8_t *)sound + format->profile_at, sizeof profile);
    codec_mark_profile(format->profile_mark, profile, status);
    profile = codec_draw_wrong_profile(choices);
    if (profile == 0)
        return;
    memcpy((uint8_t *)sound + format->profile_at, &profile, sizeof profile);
    PROPERTY_EQUAL(R2, format->encode(sound, built, built_bytes, &written),
                   STATUS_INVALID_ARGUMENT);
    codec_store(built + format->profile_offset, profile, 4);
    status = codec_check_copy(format, CODEC_EDITED, built, built_bytes, NULL);
    PROPERTY_EQUAL(R2, status, STATUS_INVALID_ARGUMENT);
    codec_mark_profile(format->profile_mark, profile, status);
}

/* parse and encode of a format by their types. */
#define CODEC_FORMAT_CALLS(format)                                                                 \
    static enum status parse(const uint8_t *bytes, size_t size_bytes, void *value)                 \
    {                                                                                              \
        return format##_parse(bytes, size_bytes, value);                                           \
    }                                                                                              \
    static enum status encode(const void *value, uint8_t *bytes, size_t limit_bytes,               \
                              size_t *written)                                                     \
    {                                                                                              \
        return format##_encode(value, bytes, limit_bytes, written);                                \
    }

#endif
