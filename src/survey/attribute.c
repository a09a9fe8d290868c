/* The names of attributes; what computes them is in attribute_trace.c. */
#include "seisdcn/attribute.h"

#include "seisdcn/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *const kinds[] = {
    [ATTRIBUTE_BAND] = "band:LO-HI", [ATTRIBUTE_COSPHASE] = "cosphase", [ATTRIBUTE_ENVELOPE] = "envelope"};

enum { KINDS = sizeof kinds / sizeof *kinds, EDGE_MAX = 24 };

static const double EDGE_MOST = 999.999;

/* ---- names ---- */

static Status wrong_band(const char *word)
{
    return status_fail(
        STATUS_USAGE,
        "--add %s: a band is band:LO-HI, two frequencies in Hz from 0 to %g with at most three decimals, "
        "LO below HI: band:10-20, band:2.5-5",
        word, EDGE_MOST);
}

/* Reads a frequency, of `length` bytes. */
static bool read_edge(const char *text, size_t length, double *edge)
{
    char digits[16];
    if (length == 0 || length >= sizeof digits) return false;
    memcpy(digits, text, length);
    digits[length] = '\0';
    if (strspn(digits, "0123456789.") != length || !text_to_double(digits, edge)) return false;
    double thousandths = round(*edge * 1000);
    bool good = *edge <= EDGE_MOST && fabs(*edge * 1000 - thousandths) < 1e-6;
    *edge = thousandths / 1000;
    return good;
}

/* Writes a frequency so that names sort by it: "010", "002p500"; a letter comes behind the '_' that ends a whole
 * number.
 */
static char *edge_name(double edge, char text[EDGE_MAX])
{
    long thousandths = lround(edge * 1000);
    if (thousandths % 1000 == 0)
        snprintf(text, EDGE_MAX, "%03ld", thousandths / 1000);
    else
        snprintf(text, EDGE_MAX, "%03ldp%03ld", thousandths / 1000, thousandths % 1000);
    return text;
}

static Status parse_band(const char *word, AttributeRule *rule)
{
    const char *edges = word + strlen("band:"), *dash = strchr(edges, '-');
    char low[EDGE_MAX], high[EDGE_MAX];
    if (dash == NULL || !read_edge(edges, (size_t)(dash - edges), &rule->low) ||
        !read_edge(dash + 1, strlen(dash + 1), &rule->high) || rule->low >= rule->high)
        return wrong_band(word);
    snprintf(rule->name, sizeof rule->name, "band_%s_%s", edge_name(rule->low, low), edge_name(rule->high, high));
    return STATUS_OK;
}

static Status parse_one(const char *word, AttributeRule *rule)
{
    *rule = (AttributeRule){.kind = ATTRIBUTE_BAND};
    if (strncmp(word, "band:", strlen("band:")) == 0) return parse_band(word, rule);
    for (int kind = 0; kind < KINDS; kind++)
        if (kind != ATTRIBUTE_BAND && strcmp(word, kinds[kind]) == 0) {
            rule->kind = (AttributeKind)kind;
            snprintf(rule->name, sizeof rule->name, "%s", word);
            return STATUS_OK;
        }
    const char *nearest = text_nearest(word, kinds, KINDS);
    return status_fail(STATUS_USAGE, "--add %s: no such attribute; envelope, cosphase and band:LO-HI are known%s%s%s",
                       word, nearest == NULL ? "" : "; did you mean ", nearest == NULL ? "" : nearest,
                       nearest == NULL ? "" : "?");
}

Status attribute_parse(const char *list, AttributeRule *rule, int *n)
{
    Status status = STATUS_OK;
    *n = 0;
    for (const char *at = list; status == STATUS_OK; at++) {
        char word[ATTRIBUTE_TEXT_MAX];
        size_t length = strcspn(at, ",");
        if (length == 0) return status_fail(STATUS_USAGE, "--add %.200s: an attribute is missing between commas", list);
        if (*n == ATTRIBUTE_RULES_MAX)
            return status_fail(STATUS_USAGE, "--add names more than %d attributes; add them in several runs",
                               (int)ATTRIBUTE_RULES_MAX);
        snprintf(word, sizeof word, "%.*s", (int)(length < sizeof word ? length : sizeof word - 1), at);
        status = parse_one(word, &rule[*n]);
        for (int i = 0; status == STATUS_OK && i < *n; i++)
            if (strcmp(rule[i].name, rule[*n].name) == 0)
                status = status_fail(STATUS_USAGE, "--add names %s twice", word);
        (*n)++;
        at += length;
        if (*at == '\0') break;
    }
    return status;
}

char *attribute_describe(const AttributeRule *rule, char *text)
{
    if (rule->kind == ATTRIBUTE_BAND)
        snprintf(text, ATTRIBUTE_TEXT_MAX, "band-pass %.7g-%.7g Hz", rule->low, rule->high);
    else
        snprintf(text, ATTRIBUTE_TEXT_MAX, "%s",
                 rule->kind == ATTRIBUTE_ENVELOPE ? "envelope of the analytic signal"
                                                  : "cosine of the instantaneous phase");
    return text;
}

bool attribute_shares_scale(const AttributeRule *rule) { return rule->kind != ATTRIBUTE_COSPHASE; }

Status attribute_check_bands(const AttributeRule *rule, int n, double interval_us, const char *path)
{
    double nyquist = interval_us > 0 ? 0.5e6 / interval_us : 0;
    for (int i = 0; i < n; i++) {
        if (rule[i].kind != ATTRIBUTE_BAND) continue;
        if (interval_us == 0)
            return status_fail(STATUS_DATA,
                               "%s does not know its sample interval, which a band in Hz needs: consolidate it again "
                               "with --interval-us, or set its root attribute sample_interval_us",
                               path);
        if (rule[i].high > nyquist)
            return status_fail(STATUS_USAGE,
                               "--add band:%.7g-%.7g: %s is sampled every %.9g us and holds nothing above %.7g Hz",
                               rule[i].low, rule[i].high, path, interval_us, nyquist);
    }
    return STATUS_OK;
}
