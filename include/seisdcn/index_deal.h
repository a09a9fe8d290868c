/* index_deal: how gathers were dealt to train, valid and test, as maps, models and predictions keep it in their root
 * attributes; and what is said where two of them were dealt differently. */
#ifndef SEISDCN_INDEX_DEAL_H
#define SEISDCN_INDEX_DEAL_H

#include "seisdcn/config.h"
#include "seisdcn/h5.h"
#include "seisdcn/index_map.h"
#include "seisdcn/index_rule.h"
#include "seisdcn/status.h"
#include "seisdcn/survey.h"

#include <stdbool.h>
#include <stdint.h>

/* Plain numbers, which may be broadcast. */
typedef struct {
    bool known;     /* by, test, valid and seed are told */
    IndexRule rule; /* patch_size and stride are 0 where they are not told */
    bool has_survey;
    uint64_t survey_checksum; /* of the survey whose gathers were dealt */
    uint64_t rows_checksum;   /* index_rows_checksum() of an explicit map; 0: implicit, or not told */
} IndexDeal;

enum { INDEX_DEAL_TEXT = 160, INDEX_DIFFERENCES_TEXT = 512 };

/* Which of the rule's attributes a file has, besides patch_size. */
typedef struct {
    bool stride, by, test, valid, seed, min_live;
} IndexRuleKnown;

/* Reads into rule the root attributes that are there; the others stay, but min_live, which earlier files did not know,
 * becomes 0. Local. STATUS_DATA. */
Status index_rule_get(const H5File *file, IndexRule *rule, IndexRuleKnown *known);

/* Writes the rule but its patch_size as root attributes: by, test, valid, seed, stride (where it is known), min_live.
 * Local. STATUS_IO. */
Status index_rule_put(const H5File *file, const IndexRule *rule);

/* Writes deal as root attributes: the rule where it is known, the survey's checksum as `survey` ("survey_checksum"),
 * and map_checksum of explicit rows. Local. STATUS_IO. */
Status index_deal_put(const H5File *file, const IndexDeal *deal, const char *survey);

/* Reads what index_deal_put() wrote, as far as it is there; patch_size too. Local. STATUS_DATA. */
Status index_deal_get(const H5File *file, const char *survey, IndexDeal *deal);

/* The deal of a map that was loaded for a survey. Local: rank 0's. */
IndexDeal index_deal_of(const IndexMap *map, const Survey *survey);

/* "by ensemble, test 0.2, valid 0.1, seed 0", and min_live and stride where they have a say; a known deal. Pure. */
char *index_deal_text(const IndexDeal *deal, char text[INDEX_DEAL_TEXT]);

/* Whether both deal the patches of one survey alike: explicit rows that are the same, or the same rule. Where one is
 * not known it is false. Pure. */
bool index_deal_same(const IndexDeal *a, const IndexDeal *b);

/* In what the rules of two known deals differ, a's value first: "split.seed 7, not 0; split.test 0.3, not 0.2". Size
 * and stride of the patches count where they have a say in what goes where. Pure. */
char *index_deal_differences(const IndexDeal *a, const IndexDeal *b, char text[INDEX_DIFFERENCES_TEXT]);

/* Gives config the rule of a known deal, where the user set none of its keys to another value (STATUS_CONFIG; owner
 * says whose rule it is). The stride is taken where it has a say in which patches go where. Local. STATUS_DATA. */
Status index_deal_take(const IndexDeal *deal, const char *owner, Config *config);

/* Warns in one line where `used`, the deal of the file or configuration that `name` calls, is not the one that the
 * model at `path` was trained with, or where this cannot be told; `risk` says what that means. Local: rank 0's. */
void index_deal_warn(const char *name, const IndexDeal *used, const char *path, const IndexDeal *model,
                     const char *risk);

#endif
