/* SPDX-License-Identifier: ISC */
/* What the files of the model of ramfsd share. */
#ifndef BASALT_PROPS_MODELS_MODEL_RAMFSD_INSIDE_H
#define BASALT_PROPS_MODELS_MODEL_RAMFSD_INSIDE_H

#include "props/models/model_ramfsd.h"

struct model_ramfsd_text {
    const uint8_t *bytes;
    uint32_t count;
};

/* A new node, in the place that became free last or the next one; and its name in a directory. */
struct model_ramfsd_node *model_ramfsd_make(struct model_ramfsd *model, uint64_t account,
                                            uint32_t kind, uint32_t mode);
void model_ramfsd_give_name(struct model_ramfsd_node *node, struct model_ramfsd_node *directory,
                            struct model_ramfsd_text name);

/* Whether only a source that can be changed is asked for an operation. */
bool model_ramfsd_would_change(uint16_t operation);

/* Whether an account may have so many more: OK, OVER_LIMIT, EXHAUSTED. */
enum status model_ramfsd_may_have(const struct model_ramfsd *model, uint64_t account,
                                  uint32_t pages, uint32_t nodes);

/* Bytes of a node, zeros where it has no page. */
void model_ramfsd_read(struct model_ramfsd *model, const struct model_ramfsd_node *node,
                       uint64_t offset, uint8_t *bytes, uint32_t count);

void model_ramfsd_write(struct model_ramfsd *model, const struct model_ramfsd_node *node,
                        uint64_t account, uint64_t offset, const uint8_t *bytes, uint32_t count);

/* Nothing is left from an offset on: neither a byte nor a page that has none before it. */
void model_ramfsd_forget(struct model_ramfsd *model, const struct model_ramfsd_node *node,
                         uint64_t offset);

/* How many pages it would need besides those that it has. */
uint32_t model_ramfsd_missing(struct model_ramfsd *model, const struct model_ramfsd_node *node,
                              uint64_t offset, uint32_t count);

#endif
