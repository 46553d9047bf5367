/* SPDX-License-Identifier: ISC */
/* What vspaced must answer, written from its contract (services/vspaced/vspaced.h): every page of
 * every address space on its own, no regions. It predicts the status of every message and what the
 * books and the kernel hold afterwards (V1). What a kernel and a memd that keep their contracts do
 * is part of the prediction. */
#ifndef BASALT_PROPS_MODELS_MODEL_VSPACED_H
#define BASALT_PROPS_MODELS_MODEL_VSPACED_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/messages/vspaced.h"
#include "abi/status.h"
#include "props/models/model.h"

enum {
    MODEL_VSPACED_VSPACE_LIMIT = 64,
    MODEL_VSPACED_PAGE_LIMIT = 65536,
    MODEL_VSPACED_FRAME_LIMIT = 4096,
    MODEL_VSPACED_ACCOUNT_LIMIT = 4,
    MODEL_VSPACED_ID_LIMIT = 65536,
    MODEL_VSPACED_IMAGE_PAGES = 64,
    MODEL_VSPACED_REGIONS = 2 * 1024 + 32 * 1024, /* of a machine of 1,024 pages */
    MODEL_VSPACED_OWED_LIMIT = 4096
};

/* One page of one vspace, as vspaced's books have it and as the kernel has it. */
struct model_vspaced_page {
    bool used;
    bool in_books;
    bool in_kernel;
    uint32_t vspace; /* the harness's number of the vspace */
    uint64_t page;
    uint32_t next; /* of its bucket: index + 1 */

    uint32_t kind;
    uint32_t rights;
    uint32_t rights_mapped;
    uint64_t image_page;
    uint32_t frame_id; /* 0: none that UNMAP gives back */

    bool kernel_image;
    uint32_t kernel_object; /* frame, or page of the image */
    uint32_t kernel_rights;
    bool kernel_unknown; /* an anonymous page whose frame is still to be learned */
};

struct model_vspaced_vspace {
    bool alive;
    bool registered;
    bool account_held; /* false: an UNREGISTER stopped half way */
    uint32_t account;
    uint32_t slot;
    uint32_t region_limit;
};

struct model_vspaced_frame {
    uint32_t use; /* RIGHT_WRITE, RIGHT_EXECUTE or 0: how it was mapped */
};

struct model_vspaced_id {
    bool live;
    uint32_t account;
    uint32_t object;
};

struct model_vspaced {
    struct model_vspaced_vspace vspaces[MODEL_VSPACED_VSPACE_LIMIT];
    uint32_t vspace_count;
    struct model_vspaced_frame frames[MODEL_VSPACED_FRAME_LIMIT];
    uint32_t account_limit[MODEL_VSPACED_ACCOUNT_LIMIT];
    uint32_t account_held[MODEL_VSPACED_ACCOUNT_LIMIT];
    uint32_t pool_left;
    uint32_t swept_slot; /* of the space that the kernel was asked about last, for want of room */
    struct model_vspaced_id ids[MODEL_VSPACED_ID_LIMIT];
    uint32_t id_high; /* ids below this may be live */
    struct model_vspaced_page pages[MODEL_VSPACED_PAGE_LIMIT];
    uint32_t page_high;
    uint32_t window_filled; /* places of the frame window whose DROP was refused: bit i */
    struct {
        uint32_t vspace; /* whose account it is */
        uint32_t frame_id;
    } owed[MODEL_VSPACED_OWED_LIMIT]; /* what memd has not taken back, in order of the next offer */
    uint32_t owed_count;
    uint32_t buckets[MODEL_VSPACED_PAGE_LIMIT];
};

/* A request as it was delivered, with what its capabilities are. */
struct model_vspaced_request {
    const struct message *message;
    uint32_t vspace;        /* REGISTER_VSPACE: the harness's number */
    uint32_t account;       /* REGISTER_VSPACE */
    uint32_t cap_type;      /* MAP_FRAMES */
    uint32_t cap_rights;    /* MAP_FRAMES */
    uint32_t frame_object;  /* MAP_FRAMES of a frame */
    uint32_t next_frame_id; /* MAP_ANONYMOUS: memd's next; they count up */
    bool late;              /* a FREE_FRAMES that fails was done, and not heard of */
};

struct model_vspaced_answer {
    enum status status;
    bool changed;            /* books or kernel may differ from before */
    bool kernel_refuses_use; /* V2 over time: only the kernel knows which frame it is */
    uint32_t vspace;         /* the one that was named; MODEL_VSPACED_VSPACE_LIMIT: none */
    uint64_t first_page;
    uint64_t page_count;
    struct vspaced_query_region_reply region;
};

void model_vspaced_reset(struct model_vspaced *model);
uint32_t model_vspaced_vspace(struct model_vspaced *model); /* a new vspace's number */
void model_vspaced_vspace_died(struct model_vspaced *model, uint32_t vspace);
void model_vspaced_frame_made(struct model_vspaced *model, uint32_t object, uint32_t frame_id,
                              uint32_t account);
void model_vspaced_frame_destroyed(struct model_vspaced *model, uint32_t object);

/* Regions of a vspace: runs of pages that are alike. */
uint32_t model_vspaced_regions(struct model_vspaced *model, uint32_t vspace);

struct model_vspaced_answer model_vspaced_step(struct model_vspaced *model,
                                               const struct model_vspaced_request *request,
                                               const struct model_failure *failure);

struct model_vspaced_page *model_vspaced_page(struct model_vspaced *model, uint32_t vspace,
                                              uint64_t page);

#endif
