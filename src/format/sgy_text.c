#include "seisdcn/sgy_text.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { FIRST_PRINTABLE = 0x20, LAST_PRINTABLE = 0x7e, WORDS = SGY_LINE - 4 };

/* ASCII's printable letters, from the blank on, in EBCDIC (code page 037, as IBM's tables have it). */
static const uint8_t ebcdic[LAST_PRINTABLE - FIRST_PRINTABLE + 1] = {
    0x40, 0x5a, 0x7f, 0x7b, 0x5b, 0x6c, 0x50, 0x7d, 0x4d, 0x5d, 0x5c, 0x4e, 0x6b, 0x60, 0x4b, 0x61, /* blank to / */
    0xf0, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9, 0x7a, 0x5e, 0x4c, 0x7e, 0x6e, 0x6f, /* 0 to ? */
    0x7c, 0xc1, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7, 0xc8, 0xc9, 0xd1, 0xd2, 0xd3, 0xd4, 0xd5, 0xd6, /* @ to O */
    0xd7, 0xd8, 0xd9, 0xe2, 0xe3, 0xe4, 0xe5, 0xe6, 0xe7, 0xe8, 0xe9, 0xba, 0xe0, 0xbb, 0xb0, 0x6d, /* P to _ */
    0x79, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x91, 0x92, 0x93, 0x94, 0x95, 0x96, /* ` to o */
    0x97, 0x98, 0x99, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8, 0xa9, 0xc0, 0x4f, 0xd0, 0xa1,       /* p to ~ */
};

static uint8_t to_code(char letter, bool is_ebcdic)
{
    uint8_t ascii = (uint8_t)letter;
    if (ascii < FIRST_PRINTABLE || ascii > LAST_PRINTABLE) ascii = FIRST_PRINTABLE;
    return is_ebcdic ? ebcdic[ascii - FIRST_PRINTABLE] : ascii;
}

static char to_ascii(uint8_t code, bool is_ebcdic)
{
    if (!is_ebcdic) return code >= FIRST_PRINTABLE && code <= LAST_PRINTABLE ? (char)code : ' ';
    for (int i = 0; i <= LAST_PRINTABLE - FIRST_PRINTABLE; i++)
        if (ebcdic[i] == code) return (char)(FIRST_PRINTABLE + i);
    return ' ';
}

static bool is_letter(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

bool sgy_text_is_ebcdic(const uint8_t *text, size_t n)
{
    size_t as_ebcdic = 0, as_ascii = 0;
    for (size_t i = 0; i < n; i++) {
        /* EBCDIC's letters and digits lie where ASCII has nothing; EBCDIC's blank is ASCII's @ */
        as_ebcdic += text[i] == 0x40 || is_letter(to_ascii(text[i], true));
        as_ascii += text[i] == 0x20 || is_letter(to_ascii(text[i], false));
    }
    return as_ebcdic >= as_ascii;
}

void sgy_text_read(const uint8_t *text, size_t n, char *ascii)
{
    bool is_ebcdic = sgy_text_is_ebcdic(text, n);
    for (size_t i = 0; i < n; i++) ascii[i] = to_ascii(text[i], is_ebcdic);
    ascii[n] = '\0';
}

/* What stands behind the number of a line ("C 1 "), where there is one. */
static const char *behind_number(const char *line)
{
    size_t n = *line == 'C' ? 1 + strspn(line + 1, " 0123456789") : 0;
    return n > 4 ? line : line + n;
}

bool sgy_text_begins_stanza(const uint8_t record[SGY_STANZA])
{
    char ascii[SGY_STANZA + 1];
    sgy_text_read(record, SGY_STANZA, ascii);
    return strncmp(behind_number(ascii), "((", 2) == 0;
}

bool sgy_text_ends(const uint8_t record[SGY_STANZA])
{
    static const char wanted[] = "((seg:endtext))";
    char ascii[SGY_STANZA + 1];
    size_t at = 0;
    sgy_text_read(record, SGY_STANZA, ascii);
    for (const char *c = behind_number(ascii); *c != '\0' && wanted[at] != '\0'; c++)
        if (*c != ' ' && tolower((unsigned char)*c) != wanted[at++]) return false;
    return wanted[at] == '\0';
}

/* Nothing but blanks or zeros, behind the line's number where it has one ("C38", "C 7", "C7"). */
static bool line_is_free(const uint8_t line[SGY_LINE], bool is_ebcdic)
{
    int at = line[0] == to_code('C', is_ebcdic);
    while (at > 0 && at < 3 && strchr(" 0123456789", to_ascii(line[at], is_ebcdic)) != NULL) at++;
    for (; at < SGY_LINE; at++)
        if (line[at] != to_code(' ', is_ebcdic) && line[at] != 0) return false;
    return true;
}

/* Line `number` (from 1) becomes "C38 words". */
static void put_line(uint8_t text[SGY_TEXT], int number, const char *words, bool is_ebcdic)
{
    char line[SGY_LINE + 1];
    uint8_t *at = text + (number - 1) * SGY_LINE;
    snprintf(line, sizeof line, "C%2d %-*.*s", number, (int)WORDS, (int)WORDS, words);
    for (int i = 0; i < SGY_LINE; i++) at[i] = to_code(line[i], is_ebcdic);
}

int sgy_text_stamp(uint8_t text[SGY_TEXT], const char *words)
{
    bool is_ebcdic = sgy_text_is_ebcdic(text, SGY_TEXT);
    int number = SGY_LINES;
    while (number > 0 && !line_is_free(text + (number - 1) * SGY_LINE, is_ebcdic)) number--;
    if (number == 0) number = SGY_LINES;
    put_line(text, number, words, is_ebcdic);
    return number;
}

void sgy_text_new(uint8_t text[SGY_TEXT], const char *const *words, int n)
{
    for (int number = 1; number <= SGY_LINES; number++) {
        const char *line = number <= n ? words[number - 1] : "";
        if (number == SGY_LINES - 1) line = "SEG-Y REV1";
        if (number == SGY_LINES) line = "END TEXTUAL HEADER";
        put_line(text, number, line, true);
    }
}
