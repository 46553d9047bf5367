/* SPDX-License-Identifier: ISC */
/* phase4-loader: a client of loaderd, in the images of the profiles of programs from files; which of them
 * says the validation profile of its envelope. Has programs of the archive at "/" (linker/files, and the
 * programs of linker/units.ninja) and of the memory at "/tmp" run, and asks what it may not. Each row of
 * services/probes/phase4_loader.def is a question, and a line on the log when it was answered:
 *
 *   ROOTD_STAGE:phase4-loader:<path or name>:<status, or how the program ended>[:RESOURCES_BACK]
 *   ROOTD_STAGE:phase4-loader:<path or name>:UNEXPECTED:<the same>[:RESOURCES_KEPT]
 *
 * Ends with 0 when every answer was the stated one; after the first other one, with INTERNAL. */
#include "services/probes/phase4_loader.h"

#include <string.h>

#include "services/lib/discovery.h"
#include "services/lib/log_line.h"
#include "services/probes/expectations.h"
#include "services/probes/probes.h"

enum group {
    OF_PROFILE,
    CONTRACT,
    FS_DISCOVERY,
    MATERIALIZED_LAUNCH,
    CLEANUP_AUTHORITY,
    POINTS,
    CHANGES
};

struct question {
    enum group group;
    const char *name; /* in the line */
    const char *path; /* to launch; null: `ask` is asked */
    loader_ask *ask;
    enum status status; /* the stated answer */
    uint32_t reason;    /* of a launch: how it ends; NONE: it is refused */
    uint32_t code;
};

#define REFUSED(group, path, status)     {group, path, path, NULL, STATUS_##status, END_NONE, 0},
#define ENDS(group, path, reason, code)  {group, path, path, NULL, STATUS_OK, END_##reason, code},
#define POINT(group, name, path, status) {group, name, path, NULL, STATUS_##status, END_NONE, 0},
#define ASK(group, name, function, status)                                                         \
    {group, name, NULL, loader_##function, STATUS_##status, END_NONE, 0},
static const struct question questions[] = {
#include "services/probes/phase4_loader.def"
};
#undef REFUSED
#undef ENDS
#undef POINT
#undef ASK

/* --- one question ----------------------------------------------------------------------------- */

/* Whether it is launched and what it comes to is the stated end. */
static bool ends_as_stated(const struct loader *loader, const struct question *question)
{
    const struct loaderd_wait_program_reply *ended = &loader->ended;
    uint64_t fault_va = question->reason == END_FAULT_OUTSIDE ? LOADED_FAULT_VA : 0;
    return ended->process_id == loader->process_id && ended->reason == question->reason &&
           ended->code == question->code && ended->fault_va == fault_va;
}

/* The answer; of a launch that is not refused, OK when it was waited for, too. A refusal that comes with a
 * process is none. */
static enum status put(struct loader *loader, const struct question *question)
{
    memset(&loader->ended, 0, sizeof loader->ended);
    if (question->path == NULL)
        return question->ask(loader);
    enum status status = loader_launch(loader, question->path);
    if (status != STATUS_OK && loader->process_id != 0)
        return STATUS_INTERNAL;
    return status == STATUS_OK ? loader_wait(loader, loader_patience(loader)) : status;
}

/* Of a refused launch nothing is left; of one that ended its record. */
static bool resources_are_back(struct loader *loader, const struct question *question,
                               uint32_t processes)
{
    struct loader_resources now;
    if (loader_count(loader, &now) != STATUS_OK)
        return false;
    bool refused = question->reason == END_NONE;
    return memcmp(&now.memory, &loader->before.memory, sizeof now.memory) == 0 &&
           now.accounts == loader->before.accounts && (!refused || now.processes == processes);
}

static void report(struct loader *loader, const struct question *question, bool as_stated,
                   enum status status, const char *resources)
{
    struct log_line line = {.count = 0};
    log_line_add(&line, "ROOTD_STAGE:phase4-loader:");
    log_line_add(&line, question->name);
    if (!as_stated)
        log_line_add(&line, ":UNEXPECTED");
    if (question->path != NULL && status == STATUS_OK) {
        log_line_add_end(&line, loader->ended.reason, loader->ended.code);
    } else {
        log_line_add(&line, ":");
        log_line_add(&line, status_name(status));
    }
    log_line_add(&line, resources);
    log_line_send(&line, loader_caller(loader), SLOT_KERNEL_LOG_ENDPOINT);
}

/* Whether the answer is the stated one. */
static bool ask(struct loader *loader, const struct question *question)
{
    bool counted = question->path != NULL && question->group >= CLEANUP_AUTHORITY;
    struct loader_resources at_first = {0};
    bool back = !counted || loader_count(loader, &at_first) == STATUS_OK;
    enum status status = put(loader, question);
    bool as_stated = status == question->status && (question->path == NULL || status != STATUS_OK ||
                                                    ends_as_stated(loader, question));
    if (counted)
        back = back && resources_are_back(loader, question, at_first.processes);
    report(loader, question, as_stated && back, status,
           !counted ? "" : (back ? ":RESOURCES_BACK" : ":RESOURCES_KEPT"));
    return as_stated && back;
}

/* --- all -------------------------------------------------------------------------------------- */

static bool is_asked(enum group group, uint32_t profile)
{
    switch (profile) {
    case VALIDATION_PROFILE_PHASE4_LOADER_CONTRACT:
        return group == CONTRACT;
    case VALIDATION_PROFILE_PHASE4_LOADER_FS_DISCOVERY:
        return group == FS_DISCOVERY;
    case VALIDATION_PROFILE_PHASE4_LOADER_MATERIALIZED_LAUNCH:
        return group == MATERIALIZED_LAUNCH;
    case VALIDATION_PROFILE_PHASE4_LOADER_CLEANUP_AUTHORITY:
        return group == CLEANUP_AUTHORITY;
    case VALIDATION_PROFILE_PHASE4_LOADER_CLOSURE:
        return group < POINTS;
    default:
        return false;
    }
}

static enum status begin(struct loader *loader)
{
    struct files *files = &loader->files;
    memset(loader, 0, sizeof *loader);
    enum status status =
        service_start(&files->caller, ROLE_PHASE4_LOADER, &files->envelope, NULL, NULL, NULL);
    if (status == STATUS_OK)
        status = service_take_offer(&files->caller, &files->offer);
    if (status == STATUS_OK)
        status = discovery_find(&files->caller, ROLE_VFSD, SLOT_PEER_VFSD);
    return status == STATUS_OK ? files_attach(files) : status;
}

/* The questions of a group; OF_PROFILE: of those of the profile. */
static uint32_t ask_all(enum group which)
{
    struct loader loader;
    uint32_t asked = 0;
    enum status status = begin(&loader);
    if (status != STATUS_OK)
        return status;
    uint32_t profile = loader.files.envelope.validation_profile;
    for (unsigned i = 0; i < sizeof questions / sizeof questions[0]; i++) {
        const struct question *question = &questions[i];
        bool asks =
            which != OF_PROFILE ? question->group == which : is_asked(question->group, profile);
        if (!asks)
            continue;
        if (!ask(&loader, question))
            return STATUS_INTERNAL;
        asked++;
    }
    return asked != 0 ? STATUS_OK : STATUS_INVALID_ARGUMENT; /* the profile is one of these */
}

uint32_t loader_cleanup_main(uint64_t argument)
{
    (void)argument;
    return ask_all(POINTS);
}

uint32_t loader_changed_main(uint64_t argument)
{
    (void)argument;
    return ask_all(CHANGES);
}

uint32_t phase4_loader_main(uint64_t argument)
{
    (void)argument;
    return ask_all(OF_PROFILE);
}
