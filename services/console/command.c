/* SPDX-License-Identifier: ISC */
/* The parser. Decides what was meant, and nothing about whether it may be done. */
#include "services/console/command.h"

enum need { NEVER, MAY, MUST };

const struct console_command_text console_command_texts[CONSOLE_COMMAND_COUNT] = {
    [CONSOLE_COMMAND_NONE] = {"", "", ""},
#define COMMAND(NAME, name, word, number, arguments, why)                                          \
    [CONSOLE_COMMAND_##NAME] = {name, arguments, why},
    CONSOLE_COMMANDS(COMMAND)
#undef COMMAND
};

static const struct {
    enum need word, number;
} needs[CONSOLE_COMMAND_COUNT] = {[CONSOLE_COMMAND_NONE] = {NEVER, NEVER},
#define COMMAND(NAME, name, word, number, arguments, why) [CONSOLE_COMMAND_##NAME] = {word, number},
                                  CONSOLE_COMMANDS(COMMAND)
#undef COMMAND
};

struct word {
    const char *text;
    uint32_t count; /* 0: there is none */
};

/* The next word; *at is behind it. */
static struct word next_word(const char *text, uint32_t count, uint32_t *at)
{
    while (*at < count && text[*at] == ' ')
        ++*at;
    uint32_t begin = *at;
    while (*at < count && text[*at] != ' ')
        ++*at;
    return (struct word){&text[begin], *at - begin};
}

bool console_is_name(const char *name, const char *bytes, uint32_t count)
{
    uint32_t at = 0;
    while (at < count && name[at] != 0 && name[at] == bytes[at])
        at++;
    return at == count && name[at] == 0;
}

static enum console_command_id command_named(struct word word)
{
    for (unsigned i = CONSOLE_COMMAND_NONE + 1; i < CONSOLE_COMMAND_COUNT; i++) {
        if (console_is_name(console_command_texts[i].name, word.text, word.count))
            return (enum console_command_id)i;
    }
    return CONSOLE_COMMAND_NONE;
}

static unsigned digit_of(char byte)
{
    if (byte >= '0' && byte <= '9')
        return (unsigned)(byte - '0');
    if (byte >= 'a' && byte <= 'f')
        return (unsigned)(byte - 'a') + 10;
    return UINT32_MAX;
}

static bool number_of(struct word word, uint64_t *number)
{
    bool is_hex = word.count > 2 && word.text[0] == '0' && word.text[1] == 'x';
    unsigned base = is_hex ? 16 : 10;
    *number = 0;
    for (uint32_t i = is_hex ? 2 : 0; i < word.count; i++) {
        unsigned digit = digit_of(word.text[i]);
        if (digit >= base || __builtin_mul_overflow(*number, base, number) ||
            __builtin_add_overflow(*number, digit, number))
            return false;
    }
    return word.count != 0;
}

enum console_mistake console_command_parse(const char *text, uint32_t count,
                                           struct console_command *command)
{
    uint32_t at = 0;
    struct word name = next_word(text, count, &at);
    *command = (struct console_command){.id = command_named(name)};
    if (command->id == CONSOLE_COMMAND_NONE)
        return name.count == 0 ? CONSOLE_FINE : CONSOLE_UNKNOWN;
    struct word word = next_word(text, count, &at);
    if (needs[command->id].word != NEVER) {
        command->word = word.text;
        command->word_count = word.count;
        if (word.count == 0 && needs[command->id].word == MUST)
            return CONSOLE_MISSING;
        word = next_word(text, count, &at);
    }
    if (needs[command->id].number != NEVER) {
        if (word.count == 0 && needs[command->id].number == MUST)
            return CONSOLE_MISSING;
        if (word.count != 0 && !number_of(word, &command->number))
            return CONSOLE_NO_NUMBER;
        word = next_word(text, count, &at);
    }
    return word.count == 0 ? CONSOLE_FINE : CONSOLE_TOO_MANY;
}
