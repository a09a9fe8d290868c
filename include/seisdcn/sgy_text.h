/* sgy_text: the text headers of SEG-Y files: 40 lines of 80 letters, in EBCDIC or ASCII. */
#ifndef SEISDCN_SGY_TEXT_H
#define SEISDCN_SGY_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SGY_TEXT = 3200, SGY_LINE = 80, SGY_LINES = 40, SGY_STANZA = 64 /* bytes that tell a stanza */ };

/* Whether a text header of n bytes is EBCDIC (by its blanks and letters; where neither shows, yes). Pure. */
bool sgy_text_is_ebcdic(const uint8_t *text, size_t n);

/* Translates n bytes of a text header to ASCII, everything unprintable to blanks; ascii holds n + 1 bytes. Pure. */
void sgy_text_read(const uint8_t *text, size_t n, char *ascii);

/* Whether a record of extended text or trailer begins a stanza, "((...", or with a line number "C 1 ((...". Pure. */
bool sgy_text_begins_stanza(const uint8_t record[SGY_STANZA]);

/* Whether a record of extended text ends it: "((SEG: EndText))", blanks anywhere, letters of either case. Pure. */
bool sgy_text_ends(const uint8_t record[SGY_STANZA]);

/* Puts words (printable ASCII, cut behind 76 letters) into the last line that is free, behind its number "C38 ", in the
 * header's own code; where no line is free, into the last one. All other bytes stay. Returns the line's number, 1 to
 * 40. Pure. */
int sgy_text_stamp(uint8_t text[SGY_TEXT], const char *words);

/* Makes a text header in EBCDIC: words[i] behind the number of line i + 1 (at most 76 letters), n of them, then empty
 * lines, then rev 1's last two. Pure. */
void sgy_text_new(uint8_t text[SGY_TEXT], const char *const *words, int n);

#endif
