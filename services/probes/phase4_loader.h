/* SPDX-License-Identifier: ISC */
/* What the files of phase4-loader share: its calls to loaderd, and its questions
 * (services/probes/phase4_loader.def). */
#ifndef BASALT_SERVICES_PROBES_PHASE4_LOADER_H
#define BASALT_SERVICES_PROBES_PHASE4_LOADER_H

#include "services/lib/call_loaderd.h"
#include "services/lib/call_memd.h"
#include "services/lib/call_procd.h"
#include "services/probes/phase4_files.h"

enum {
    LOADER_CALL_TICKS = 4 * PROCD_CALL_TICKS, /* a launch has a few calls to procd */
    LOADER_END_TICKS = 30 * TICKS_PER_SECOND, /* a program ends in far less */
    LOADER_STOP_CODE = 0x570
};

/* What is there of what a launch takes. Compared as bytes. */
struct loader_resources {
    struct memd_query_memory_reply memory;
    uint32_t accounts;
    uint32_t processes; /* and records of ended ones, whoever made them */
};

/* Requests and replies lie in one place (services/probes/phase4_files.h). */
struct loader {
    struct files files;
    uint64_t process_id;  /* of the last launch */
    uint64_t copy_handle; /* of the file in memory */
    uint64_t copy_bytes;
    struct loaderd_wait_program_reply ended;
    struct loader_resources before; /* as count_resources found it */
    union {
        struct loaderd_launch_path_request launch;
        struct procd_begin_loader_image_transfer_request begin;
        struct procd_send_loader_image_chunk_request chunk;
        struct vfsd_write_request write;
    } request;
};

static inline struct caller *loader_caller(struct loader *loader)
{
    return &loader->files.caller;
}

static inline uint64_t loader_soon(struct loader *loader)
{
    return caller_deadline(loader_caller(loader), LOADER_CALL_TICKS);
}

/* How long a program is waited for: one that does not end is an answer. */
static inline uint64_t loader_patience(struct loader *loader)
{
    return caller_deadline(loader_caller(loader), LOADER_END_TICKS);
}

/* LAUNCH_PATH of this text; and to the program's end, which is in loader->ended. */
enum status loader_launch(struct loader *loader, const char *path);
enum status loader_wait(struct loader *loader, uint64_t deadline_ticks);

/* What is there now. INTERNAL when it cannot be asked. */
enum status loader_count(struct loader *loader, struct loader_resources *found);

/* The questions of rows ASK: OK, or what was answered; INTERNAL when an answer that is OK says
 * something else than it should. */
typedef enum status loader_ask(struct loader *loader);
#define REFUSED(group, path, status)
#define ENDS(group, path, reason, code)
#define POINT(group, name, path, status)
#define ASK(group, name, function, status) loader_ask loader_##function;
#include "services/probes/phase4_loader.def"
#undef REFUSED
#undef ENDS
#undef POINT
#undef ASK

#endif
