/* SPDX-License-Identifier: ISC */
/* Makes messages for pagerd from choices: mostly right in the state that the model is in. */
#ifndef BASALT_FUZZ_LIFE_PAGERD_LIFE_GENERATE_H
#define BASALT_FUZZ_LIFE_PAGERD_LIFE_GENERATE_H

#include "abi/message.h"
#include "props/base/choices.h"
#include "props/models/model_pagerd.h"

/* `message` is all zero before; its capability fields name objects, header.badge is the sender. */
void pagerd_generate(const struct model_pagerd *model, struct choices *choices,
                     struct message *message);

#endif
