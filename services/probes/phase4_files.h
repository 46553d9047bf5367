/* SPDX-License-Identifier: ISC */
/* The calls of phase4-files: to vfsd, by paths that are written as text. Requests and replies lie in
 * one place, not on the stack, whose pages are few (services/runtime/entry.h). */
#ifndef BASALT_SERVICES_PROBES_PHASE4_FILES_H
#define BASALT_SERVICES_PROBES_PHASE4_FILES_H

#include "services/lib/call_vfsd.h"
#include "services/lib/service.h"

enum {
    FILES_CALL_TICKS = 30 * TICKS_PER_SECOND, /* longer than vfsd waits for anybody */
    FILES_MODE = 0640                         /* of files that are made */
};

struct files {
    struct caller caller;
    uint32_t asked;  /* questions so far */
    uint32_t failed; /* the first one with a wrong answer; 0: none */
    uint32_t listed; /* entries of the last folder */
    uint32_t reserved0;
    struct vfsd_stat_reply is; /* attributes that the last OPEN, STAT or STAT_HANDLE told */
    union {
        struct vfsd_open_request open;
        struct vfsd_read_request read;
        struct vfsd_write_request write;
        struct vfsd_stat_request stat;
        struct vfsd_mkdir_request mkdir;
        struct vfsd_unlink_request unlink;
        struct vfsd_rmdir_request rmdir;
        struct vfsd_rename_request rename;
        struct vfsd_symlink_request symlink;
        struct vfsd_readlink_request readlink;
        struct vfsd_link_request link;
        struct vfsd_set_metadata_request set_metadata;
    } request;
    union {
        struct vfsd_open_reply open;
        struct vfsd_read_reply read;
        struct vfsd_write_reply write;
        struct vfsd_readdir_reply readdir;
        struct vfsd_readlink_reply readlink;
    } reply;
    struct envelope envelope;
    struct startup_offer_modules_request offer;
};

/* One call each. READ's reply is in files->reply, as WRITE's and READDIR's. */
enum status files_attach(struct files *files);
enum status files_open(struct files *files, const char *path, uint32_t flags, uint64_t *handle);
enum status files_close(struct files *files, uint64_t handle);
enum status files_read(struct files *files, uint64_t handle, uint64_t offset_bytes, uint32_t count);
enum status files_write(struct files *files, uint64_t handle, uint64_t offset_bytes,
                        const char *text);
enum status files_truncate(struct files *files, uint64_t handle, uint64_t size_bytes);
enum status files_readdir(struct files *files, uint64_t handle, uint64_t cursor);
enum status files_stat(struct files *files, const char *path, uint32_t flags);
enum status files_stat_handle(struct files *files, uint64_t handle);
enum status files_mkdir(struct files *files, const char *path);
enum status files_unlink(struct files *files, const char *path);
enum status files_rmdir(struct files *files, const char *path);
enum status files_rename(struct files *files, const char *from, const char *to);
enum status files_symlink(struct files *files, const char *path, const char *target);
enum status files_link(struct files *files, const char *from, const char *to);
enum status files_readlink(struct files *files, const char *path);
enum status files_set_mode(struct files *files, const char *path, uint32_t mode);
enum status files_set_owner(struct files *files, const char *path, uint64_t owner);
enum status files_set_flags(struct files *files, const char *path, uint32_t file_flags);
enum status files_set_times(struct files *files, const char *path, uint64_t accessed_ticks,
                            uint64_t modified_ticks);

/* Whether from an offset on there is this text, and then the end of the file; or more. */
bool files_reads(struct files *files, uint64_t handle, uint64_t offset_bytes, const char *text);
bool files_reads_first(struct files *files, uint64_t handle, uint64_t offset_bytes,
                       const char *text);
/* Whether so many bytes are there, and all are zero. */
bool files_is_zero(struct files *files, uint64_t handle, uint64_t offset_bytes, uint32_t count);
/* Whether a file holds this text and nothing else. */
bool files_holds(struct files *files, const char *path, const char *text);
bool files_leads_to(struct files *files, const char *path, const char *target);
/* How often a folder lists a name; in files->listed, how many entries it has. */
uint32_t files_lists(struct files *files, const char *path, const char *name);
/* Makes a file of a text. */
enum status files_put(struct files *files, const char *path, const char *text);
/* The version of what a handle means; 0: it means nothing. */
uint64_t files_version(struct files *files, uint64_t handle);

#endif
