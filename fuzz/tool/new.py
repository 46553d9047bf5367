# SPDX-License-Identifier: ISC
"""./basalt new: the complete list of places that one more operation, service or harness needs, with
the text to put there. Changes nothing. What is printed names real files: `test` checks that."""

import glob
import os
import re

import build

OPERATION = re.compile(r"^OPERATION\((\w+), (\w+), (\w+), (\w+),\s*(0x[0-9a-f]+|\d+),", re.M)
ROLE = re.compile(r'^ROLE\((\w+), (\d+), "([\w-]+)"', re.M)


def text_of(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def operations():
    """{service: {operation's name in lower case: id}} of every message table."""
    found = {}
    for path in sorted(glob.glob("abi/messages/*.def")):
        for _, service, name, _, number in OPERATION.findall(text_of(path)):
            found.setdefault(service, {})[name] = int(number, 0)
    return found


def roles():
    """{name: id} of every role, by the name of its module."""
    return {image: int(number) for _, number, image in ROLE.findall(text_of("abi/roles.def"))}


def taken(what, problem):
    raise build.Stop(f"{what}: {problem}", 2)


def list_of(title, places):
    """Prints the places, numbered: (file, what to do there, text or None)."""
    print(f"{title}\n")
    for number, (path, what, text) in enumerate(places, 1):
        print(f"{number:2}. {path}\n    {what}")
        if text:
            print("".join(f"\n        {line}" if line else "\n" for line in text.splitlines()) + "\n")
    return 0


def new_operation(options):
    service, name = options.service, options.name.lower()
    known = operations()
    served = sorted(name for name in known if name == "kernel" or os.path.isdir(f"services/{name}"))
    if service not in served:
        taken(service, f"nobody serves it; there are: {' '.join(served)}")
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        taken(options.name, "an operation's name is letters, digits and underscores")
    if name in known[service]:
        taken(f"{service}.{name}", f"is there already, id {known[service][name]:#x}")
    used = {number: f"{other}.{row}" for other, rows in known.items() for row, number in rows.items()}
    number = options.id if options.id is not None else max(known[service].values()) + 1
    if not 0 < number <= 0xffff:
        taken(f"{number:#x}", "is no id: those are from 1 to 0xffff")
    if number in used:
        taken(f"{number:#x}", f"is the id of {used[number]}")
    return list_of(f"One more operation: {service}.{name}, id {number:#x}",
                   kernel_operation(name, number) if service == "kernel" else
                   service_operation(service, name, number))


def row_text(service, name, number):
    upper = service.upper()
    return (f"OPERATION({upper}, {service}, {name}, {name.upper()}, {number:#x}, FROM_..., LIVE,\n"
            f'          "what it does, in one line")\n'
            f"REQUEST({service}_{name})\nU64(...)\nEND_REQUEST({service}_{name})\n"
            f"REPLY({service}_{name})\nEND_REPLY({service}_{name})")


def proof_places(service, name, fixtures, harness):
    """What shows that an operation does what it should; the same for the kernel and for services."""
    return [
        (f"props/tests/codec/{fixtures}",
         "Its bytes, written by hand: one accepted request and reply, one refused variation per rule.", None),
        ("props/tests/tables_test_masks.c", "Who may send it (not of the kernel's), and the bits of its flags, a second time.", None),
        (f"corpus/{harness}/{name.replace('_', '-')}.trace",
         "New: a few lines that send it, accepted and refused, each with its status.",
         f"{service}.{name} ... -> OK\n{service}.{name} ... -> DENIED"),
        ("services/probes/*.c", "Or services/tester/: a program of an image that ends by itself sends it, accepted and refused; "
         "./basalt test operations asks all images.", None),
        ("abi/REFERENCE.md", "./basalt reference writes it.", None),
        (f"corpus/{harness}/DIGESTS",
         f"./basalt bless {harness} adds lines here and to FLOORS; then ./basalt test --quick. No digest "
         "that was there moves.", None),
        (f"props/mutants/{service}-{name.replace('_', '-')}.patch",
         "New: a seeded bug that only this operation's tests can notice; ./basalt mutants NAME.", None),
    ]


def service_operation(service, name, number):
    return [
        (f"abi/messages/{service}.def",
         "The row; the columns are explained in abi/messages.h. Everything that reads messages follows.",
         row_text(service, name, number)),
        (f"services/{service}/{service}.h", "The contract: its statuses, in the order of the questions.", None),
        (f"services/{service}/{service}.c",
         "The function that the row declares; without it nothing links.",
         f"enum status {service}_{name}(struct {service} *{service}, struct {service}_request *request)"),
        (f"props/models/model_{service}.c", "What it answers and changes, from the contract alone.", None),
        (f"props/models/model_{service}.h", "A member of the answer, when its reply states something.", None),
        (f"fuzz/life/{service}_life.c", "Its row, at the end of the table: how it is drawn, learned from and "
         "compared.", None),
    ] + life_places(service, name) + proof_places(service, name, fixtures_of(service), f"{service}_life")


def life_places(service, name):
    """Where a life draws and compares: in files of its own, or in the one that it is."""
    base = f"fuzz/life/{service}_life"
    parts = os.path.exists(f"{base}_generate.c")
    static = "" if parts else "static "
    return [
        (f"{base}_generate.c" if parts else f"{base}.c", "How its fields are drawn; life_draw_nothing when there are none.",
         f"{static}void draw_{name}(struct choices *choices, struct life_draft *draft)"),
        (f"{base}_check.c" if parts else f"{base}.c", "What its reply says, against the model's answer.",
         f"{static}void compare_{name}(void)"),
        *([(f"{base}.h", "Both declared.", None)] if parts else []),
    ]


def fixtures_of(service):
    """The file that holds the bytes of a service's messages."""
    found = [path for path in sorted(glob.glob("props/tests/codec/*_fixtures.c")) if f"OF({service.upper()}," in text_of(path)]
    return os.path.basename(found[0]) if found else "codec_service_fixtures.c"


def kernel_operation(name, number):
    return [
        ("abi/messages/kernel.def",
         "The row; the columns are explained in abi/messages.h. Everything that reads messages follows.",
         row_text("kernel", name, number).replace("FROM_...", "KIND(...)")),
        ("kernel/core/control.h", "The contract: its statuses, in the order of the questions.", None),
        ("kernel/core/control_*.c", "The function that the row declares; without it nothing links.",
         f"enum status control_{name}(...)"),
        ("props/models/model_kernel_control.c", "What it answers and changes, from the contract alone.", None),
        ("fuzz/kernel/kernel_core_generate.c", "How its fields are drawn.", None),
        ("services/lib/kernel_calls.h", "Its call, when a service makes it.", None),
    ] + proof_places("kernel", name, "codec_kernel_fixtures.c", "kernel_core")


def new_service(options):
    name = options.name
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,14}", name):
        taken(name, "a service's name is at most 15 small letters, digits and hyphens")
    if name in roles():
        taken(name, f"is the image of role {roles()[name]} in abi/roles.def; a role marked LATER needs "
                    "its presence changed and the places below from the second on")
    free = max(number for number in roles().values() if number < 256) + 1
    word = name.replace("-", "_")
    return list_of(f"One more service: {name}", [
        ("abi/roles.def", "Its role, and one INTAKE row for each capability that it holds at start.",
         f'ROLE({word.upper()}, {free}, "{name}", rank, primary_slot, budget_pages, page_limit, guarantee_pages, 0, 0, 0, SERVICE, '
         f'RUNTIME,\n     "why it exists")'),
        (f"abi/messages/{word}.def", "New: its operations.", row_text(word, "ping", 0x700)),
        (f"abi/messages/{word}.h", f"New: that table unfolded, from memd.h; and {word}.c, from memd.c.",
         f'#define MESSAGES_TABLE "abi/messages/{word}.def"\n#include "abi/messages/unfold.h"'),
        ("abi/messages/all.def", "Its table, at the end.", f'#include "abi/messages/{word}.def"'),
        ("abi/messages.h", "Its header.", f'#include "abi/messages/{word}.h"'),
        ("abi/units.ninja", f"The compile line of abi/messages/{word}.c, and its object in abi.a.", None),
        ("abi/message_type.h", "Its member of enum service_id, and who may send (FROM_...).", None),
        (f"services/lib/call_{word}.h", "New: the typed calls of its callers, from call_memd.h.", None),
        ("abi/slots.h", "The slot of its peer capability, when other services call it.", None),
        ("services/lib/service.c", "The role behind that slot (the start-up check).", None),
        (f"services/{word}/{word}.h", f"New: the contract and struct {word}.", None),
        (f"services/{word}/internal.h", f"New: struct {word}_request around services/lib/unfold.h.", None),
        (f"services/{word}/{word}.c", "New: one function per row, who its senders are, its run loop.", None),
        (f"services/{word}/check.c", "New: the walk over its whole state.", None),
        (f"services/{word}/README.md", "New: each published rule, where it lives and what shows it.", None),
        (f"services/{word}/units.ninja", "New: compile lines and the archive.", None),
        ("services/units.ninja", "Includes that list.", f"include services/{word}/units.ninja"),
        (f"services/runtime/main_{word}.c", "New: its main, from main_memd.c.", None),
        ("services/runtime/units.ninja", "The compile line of that main.", None),
        ("linker/units.ninja", "Its link, and its name among the modules of each image.", None),
        ("services/rootd/plan.c", "Its place in the launch, until the boot config gives the order.", None),
        ("props/world/programs.c", "Its entry in the host world; its archive in props/world/units.ninja.", None),
        ("props/world/units.ninja", "Its archive in the links of the world.", None),
        (f"props/models/model_{word}.c", "New: what it answers and changes, from the contract alone.", None),
        ("props/models/units.ninja", "The model's compile line and its object in models.a.", None),
        (f"props/stand_ins/peers_of_{word}.c", "New: what it asks of its peers, when it has any.", None),
        (f"fuzz/life/{word}_life.c", "New: its life harness (./basalt new harness), linked with life_service.o and life_failures.o.", None),
        ("fuzz/adversary/service_adversary.c", "Its row among the services whose peers lie.", None),
        ("fuzz/tool/source_checks.py", "Its name in SERVICE_MARKS, or its operations count as unreached.", None),
        ("props/tools/state_bytes.c", "Its state, among the sizes that ./basalt bench prints.", None),
        ("props/tests/codec/codec_graph_fixtures.c", "The bytes of its messages, by hand.", None),
        ("props/tests/tables_test_masks.c", "Who may send each of its operations, a second time.", None),
        ("props/tests/memory_limits_test.c", "Its tables when they are full.", None),
        (f"corpus/{word}_life/README.trace", f"New: traces; then ./basalt bless {word}_life.", None),
        (f"props/mutants/{word}-lost-reply.patch", "New: two seeded bugs at least.", None),
        ("abi/REFERENCE.md", "./basalt reference writes it.", None),
        ("README.md", "Its row in the table of what is real.", None),
    ])


def new_harness(options):
    name, family = options.name, options.family
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        taken(name, "a harness's name is small letters, digits and underscores")
    if name in build.harnesses():
        taken(name, "is a harness already")
    if glob.glob(f"fuzz/*/{name}.*") or glob.glob(f"props/**/{name}.*", recursive=True):
        taken(name, "is the name of a file of fuzz/ or props/; base names are unique there")
    return list_of(f"One more harness: {name}", [
        (f"fuzz/{family}/{name}.c", "New: what is drawn, run, marked, digested, and what must hold.",
         "/* SPDX-License-Identifier: ISC */\n/* What it runs and what it may never do. */\n"
         f'#include "fuzz/harness.h"\n\nconst char harness_name[] = "{name}";\nMARKS(12, 0);\n\n'
         "int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size_bytes)\n{\n"
         "    struct choices choices = harness_begin(bytes, size_bytes);\n"
         "    ... draw, run, MARK, digest_add_u64, PROPERTY(E1, ...) ...\n    return 0;\n}"),
        ("fuzz/units.ninja", "Its compile line, in the part of its folder.",
         f"build $h/fuzz/{family}/{name}.o: hostcc fuzz/{family}/{name}.c"),
        ("fuzz/harnesses.ninja", "Its link: what it runs against.",
         f"build $o/{name}: harness $h/fuzz/{family}/{name}.o $main $h/models.a $u/abi.a $h/props.a"),
        (f"corpus/{name}/seed", "New: at least one input; a life harness takes .trace files.", None),
        (f"corpus/{name}/DIGESTS", f"./basalt bless {name} writes it and FLOORS.", None),
        (f"props/mutants/{name.replace('_', '-')}.patch",
         f"New: a seeded bug that it must notice (`Harness: {name}`).", None),
        ("fuzz/CAMPAIGNS.md", "When it is a kind of harness that the page does not name yet.", None),
    ])
