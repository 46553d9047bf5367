/* SPDX-License-Identifier: ISC */
/* Handoffs: any bytes give a status or a handoff that encodes back to the same bytes (E2), and the
 * verdict is the one of a model that reads the documented offsets (R2). */
#include "abi/formats/handoff.h"
#include "abi/slots.h"
#include "fuzz/codec/codec_format.h"

const char harness_name[] = "codec_handoff";
MARKS(12, 0);

enum { LIMIT_BYTES = HANDOFF_BYTES_MAX + 128 };

static bool slot_ok(uint32_t slot)
{
    return slot != 0 && slot != 4 && slot < 4194304;
}

static bool model_untyped(const uint8_t *bytes, uint32_t count)
{
    unsigned __int128 sum = 0;
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *row = bytes + 88 + 16 * i;
        uint32_t slot = codec_u32(row);
        if (slot < 32 || slot > 47 || !codec_zero(row + 4, 4) || codec_u64(row + 8) == 0)
            return false;
        if (i > 0 && slot <= codec_u32(row - 16))
            return false;
        if (slot == codec_u32(bytes + 16) || slot == codec_u32(bytes + 20))
            return false;
        sum += codec_u64(row + 8);
    }
    return sum == codec_u64(bytes + 72);
}

static bool model_modules(const uint8_t *rows, uint32_t count, uint64_t image_bytes)
{
    unsigned __int128 free_from = 0; /* first byte of the image that no module has yet */
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *row = rows + 48 * i;
        uint64_t offset = codec_u64(row + 32);
        uint64_t size = codec_u64(row + 40);
        uint32_t kind = codec_u32(row + 24);
        if (!codec_name_ok(row, 24) || kind < 1 || kind > 3 || !codec_zero(row + 28, 4))
            return false;
        if (size == 0 || offset % 4096 != 0 || offset < free_from ||
            (unsigned __int128)offset + size > image_bytes)
            return false;
        free_from = (unsigned __int128)offset + size;
    }
    return !codec_repeats(rows, count, 48, 24);
}

static bool model_accepts(const uint8_t *bytes, size_t size_bytes)
{
    if (size_bytes < 88 || memcmp(bytes, "BASALTHO\1\0\0\0", 12) != 0 ||
        codec_u32(bytes + 12) != size_bytes)
        return false;
    uint32_t untyped = codec_u32(bytes + 80);
    uint32_t modules = codec_u32(bytes + 84);
    uint64_t image_bytes = codec_u64(bytes + 24);
    if (untyped > 16 || modules > 64 || size_bytes != 88 + 16 * untyped + 48 * modules)
        return false;
    if (!slot_ok(codec_u32(bytes + 16)) || !slot_ok(codec_u32(bytes + 20)) ||
        codec_u32(bytes + 16) == codec_u32(bytes + 20))
        return false;
    if (image_bytes == 0 || image_bytes % 4096 != 0 ||
        codec_u64(bytes + 72) > codec_u64(bytes + 64))
        return false;
    return model_untyped(bytes, untyped) &&
           model_modules(bytes + 88 + 16 * untyped, modules, image_bytes);
}

static void draw_modules(struct choices *choices, struct handoff *handoff)
{
    uint64_t end = 0;
    handoff->module_count = codec_draw_count(choices, 0, BOOT_MODULE_LIMIT);
    for (uint32_t i = 0; i < handoff->module_count; i++) {
        struct handoff_module *row = &handoff->modules[i];
        codec_draw_name(choices, row->name, sizeof row->name, i);
        row->kind = (uint32_t)choices_between(choices, 1, 3);
        row->offset_bytes = end + choices_below(choices, 4) * PAGE_BYTES;
        row->size_bytes = choices_between(choices, 1, 3 * PAGE_BYTES);
        end = (row->offset_bytes + row->size_bytes + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
    }
    handoff->image_bytes = end + choices_below(choices, 3) * PAGE_BYTES;
    if (handoff->image_bytes == 0)
        handoff->image_bytes = PAGE_BYTES;
}

/* Sound by construction. */
static void draw_handoff(struct choices *choices, struct handoff *handoff)
{
    memset(handoff, 0, sizeof *handoff); /* it is compared as a whole */
    handoff->root_endpoint_slot = (uint32_t)choices_between(choices, 1, 3);
    handoff->image_slot = (uint32_t)choices_between(choices, 5, 31);
    uint16_t slots = choices_u16(choices); /* which of the sixteen untyped slots are filled */
    choices_bytes(choices, handoff->image_digest, sizeof handoff->image_digest);
    for (uint32_t i = 0; i < SLOT_UNTYPED_COUNT; i++) {
        if ((slots >> i & 1) == 0)
            continue;
        struct handoff_untyped *row = &handoff->untyped[handoff->untyped_count++];
        row->slot = SLOT_UNTYPED_BASE + i;
        row->pages = choices_between(choices, 1, UINT32_MAX);
        handoff->free_pages += row->pages;
    }
    handoff->page_count = handoff->free_pages + choices_u16(choices);
    draw_modules(choices, handoff);
}

CODEC_FORMAT_CALLS(handoff)

static struct handoff parsed;
static uint8_t again[HANDOFF_BYTES_MAX];
static const struct codec_format format = {
    .name = "handoff",
    .parse = parse,
    .encode = encode,
    .model_accepts = model_accepts,
    .value = &parsed,
    .value_bytes = sizeof parsed,
    .again = again,
    .again_bytes = sizeof again,
};

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size_bytes)
{
    struct choices choices = harness_begin(bytes, size_bytes);
    enum codec_mode mode = codec_mode(&choices);
    static uint8_t built[LIMIT_BYTES];
    static struct handoff handoff;
    size_t built_bytes = 0;
    if (mode == CODEC_RAW) {
        built_bytes = codec_raw(&choices, built, LIMIT_BYTES);
    } else {
        draw_handoff(&choices, &handoff);
        PROPERTY_EQUAL(E2, handoff_encode(&handoff, built, sizeof built, &built_bytes), STATUS_OK);
        MARK_IF("codec_handoff: no module", handoff.module_count == 0);
        MARK_IF("codec_handoff: every untyped slot", handoff.untyped_count == 16);
    }
    if (mode == CODEC_EDITED)
        codec_edit(&choices, built, &built_bytes, LIMIT_BYTES);
    if (codec_check_copy(&format, mode, built, built_bytes,
                         mode == CODEC_BUILT ? &handoff : NULL) != STATUS_OK ||
        parsed.module_count == 0)
        return 0;
    uint32_t asked = (uint32_t)(digest_value() % parsed.module_count);
    PROPERTY_EQUAL(R2, handoff_find(&parsed, parsed.modules[asked].name), asked);
    return 0;
}
