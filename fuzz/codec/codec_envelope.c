/* SPDX-License-Identifier: ISC */
/* Start envelopes: any bytes give a status or an envelope that encodes back to the same bytes (E2),
 * and the verdict is the one of a model that reads the documented offsets (R2). */
#include "abi/capability.h"
#include "abi/formats/envelope.h"
#include "abi/slots.h"
#include "fuzz/codec/codec_format.h"
#include "props/base/rows.h"

const char harness_name[] = "codec_envelope";
MARKS(12, 0);

enum { LIMIT_BYTES = ENVELOPE_BYTES_MAX + 128 };

static bool entry_ok(const uint8_t *entry, uint32_t first, uint32_t last)
{
    uint32_t slot = codec_u32(entry);
    uint16_t type = codec_u16(entry + 4);
    uint16_t rights = codec_u16(entry + 6);
    uint16_t possible = object_type_rights(type);
    return slot >= first && slot <= last && slot != 4 && type != OBJECT_NONE &&
           type != OBJECT_REPLY && rights != 0 && (rights | possible) == possible &&
           codec_zero(entry + 12, 4);
}

/* Whether the documentation calls these bytes an envelope. */
static bool model_accepts(const uint8_t *bytes, size_t size_bytes)
{
    if (size_bytes < 56 || memcmp(bytes, "BASALTSE\1\0\0\0", 12) != 0 ||
        codec_u32(bytes + 44) > 1u << 20)
        return false;
    uint32_t count = codec_u32(bytes + 20);
    uint32_t service = codec_u32(bytes + 24);
    uint32_t primary = codec_u32(bytes + 28);
    uint32_t first = codec_u32(bytes + 32);
    uint32_t last = codec_u32(bytes + 36);
    if (codec_u32(bytes + 12) != size_bytes || count > 48 || size_bytes != 56 + 16 * count)
        return false;
    if (codec_u32(bytes + 16) == 0 || first == 0 || last < first || last > 4194303 ||
        codec_u32(bytes + 40) > 11)
        return false;
    bool service_found = false;
    bool primary_found = primary == 0;
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *entry = bytes + 56 + 16 * i;
        uint32_t slot = codec_u32(entry);
        if (!entry_ok(entry, first, last) || (i > 0 && slot <= codec_u32(entry - 16)))
            return false;
        if (slot == service)
            service_found =
                codec_u16(entry + 4) == OBJECT_ENDPOINT && (codec_u16(entry + 6) & 2) != 0;
        if (slot == primary)
            primary_found = codec_u16(entry + 4) >= 16;
    }
    return service_found && primary_found;
}

/* Sound by construction: ascending slots inside the window, rights of the type. */
static void draw_envelope(struct choices *choices, struct envelope *envelope)
{
    memset(envelope, 0, sizeof *envelope); /* it is compared as a whole */
    envelope->role = (uint32_t)choices_between(choices, 1, 300);
    uint32_t slot = (uint32_t)choices_between(choices, 1, 64);
    uint32_t count = codec_draw_count(choices, 1, ENVELOPE_ENTRY_LIMIT);
    uint32_t service = (uint32_t)choices_below(choices, count);
    envelope->slot_window_first = slot;
    envelope->validation_profile = (uint32_t)choose_up_to(choices, VALIDATION_PROFILE_LAST);
    envelope->ready_ticks = choices_u64(choices);
    for (uint32_t i = 0; i < count; i++) {
        struct envelope_entry *entry = &envelope->entries[envelope->entry_count++];
        uint16_t rights = 0;
        while (rights == 0) { /* ends: past the end, type 1 has rights */
            entry->object_type = (uint16_t)choose_object_type(choices);
            if (entry->object_type == OBJECT_REPLY || i == service)
                entry->object_type = OBJECT_ENDPOINT;
            rights = object_type_rights(entry->object_type);
        }
        entry->slot = slot == SLOT_LEGACY ? ++slot : slot;
        uint16_t masked = rights & choices_u8(choices);
        entry->rights = masked != 0 && i != service ? masked : rights;
        entry->peer_role = choices_u8(choices);
        if (i == service)
            envelope->service_endpoint_slot = slot;
        if (entry->object_type >= OBJECT_KERNEL_SELF && choices_flag(choices))
            envelope->primary_control_slot = slot;
        envelope->slot_window_last = slot;
        slot += (uint32_t)choices_between(choices, 1, 2000);
    }
    if (choices_flag(choices))
        envelope->slot_window_last = SLOT_LIMIT - 1;
    /* No choice of its own, so that older inputs mean what they meant. */
    envelope->memory_pages = (uint32_t)(envelope->ready_ticks % (MEMORY_PAGES_LIMIT + 1));
}

CODEC_FORMAT_CALLS(envelope)

static struct envelope parsed;
static uint8_t again[ENVELOPE_BYTES_MAX];
static const struct codec_format format = {
    .name = "envelope",
    .profile_mark = "codec_envelope profile",
    .parse = parse,
    .encode = encode,
    .model_accepts = model_accepts,
    .value = &parsed,
    .value_bytes = sizeof parsed,
    .again = again,
    .again_bytes = sizeof again,
    .profile_at = offsetof(struct envelope, validation_profile),
    .profile_offset = 40,
};

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size_bytes)
{
    struct choices choices = harness_begin(bytes, size_bytes);
    enum codec_mode mode = codec_mode(&choices);
    uint8_t built[LIMIT_BYTES];
    size_t built_bytes = 0;
    static struct envelope envelope;
    if (mode == CODEC_RAW) {
        built_bytes = codec_raw(&choices, built, LIMIT_BYTES);
    } else {
        draw_envelope(&choices, &envelope);
        PROPERTY_EQUAL(E2, envelope_encode(&envelope, built, sizeof built, &built_bytes),
                       STATUS_OK);
        MARK_IF("codec_envelope: as many entries as there can be",
                envelope.entry_count == ENVELOPE_ENTRY_LIMIT);
    }
    if (mode == CODEC_EDITED)
        codec_edit(&choices, built, &built_bytes, LIMIT_BYTES);
    enum status status =
        codec_check_copy(&format, mode, built, built_bytes, mode == CODEC_BUILT ? &envelope : NULL);
    if (mode == CODEC_BUILT)
        codec_check_profile(&format, &choices, &envelope, built, built_bytes, status);
    return 0;
}
