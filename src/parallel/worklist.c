#include "seisdcn/worklist.h"

#include "seisdcn/timer.h"

#include <string.h>

/* What ranks say to rank 0: ASK for an item, TELL what is done (both are answered, under the same tag), and END.
 * Messages of one rank arrive in order. */
enum { ASK, TELL, END };

typedef struct {
    int64_t done, stop; /* done since the last message */
} Report;

enum { REPORT_NUMBERS = sizeof(Report) / sizeof(int64_t), ANSWER_NUMBERS = sizeof(WorklistAnswer) / sizeof(int64_t) };

/* Blocks of up to 64 neighbours keep a rank's reads and writes together (a gather is a few hundred kB); 16 of them a
 * rank, spread over the list, even out what costs more in one region than in another. */
enum { BLOCK_MOST = 64, BLOCKS_A_RANK = 16 };

static const double POKE_SECONDS = 0.0005, TELL_SECONDS = 1;

static void deal(Worklist *list)
{
    int64_t ranks = list->comm.size, block = list->n / (ranks * BLOCKS_A_RANK);
    list->block = block < 1 ? 1 : block > BLOCK_MOST ? BLOCK_MOST : block;
    /* three quarters beforehand, the same number to each rank */
    int64_t rounds = list->n * 3 / 4 / (list->block * ranks);
    list->n_dealt = rounds * list->block * ranks;
    list->next_mine = list->comm.rank * list->block;
    list->counter = list->n_dealt;
}

void worklist_new(const Comm *comm, int64_t n, Worklist *list)
{
    memset(list, 0, sizeof *list);
    list->comm = *comm;
    MPI_Comm_dup(comm->mpi, &list->comm.mpi);
    list->n = n;
    list->n_working = comm->size - 1;
    list->next_tell = timer_now() + TELL_SECONDS;
    deal(list);
}

/* ---- rank 0 ---- */

static int64_t take(Worklist *list) { return !list->stopped && list->counter < list->n ? list->counter++ : -1; }

/* Receives a message that is there, or waits for one, and answers it. */
static void serve(Worklist *list)
{
    Report report;
    MPI_Status from;
    MPI_Recv(&report, REPORT_NUMBERS, MPI_INT64_T, MPI_ANY_SOURCE, MPI_ANY_TAG, list->comm.mpi, &from);
    list->done += report.done;
    list->stopped = list->stopped || report.stop;
    if (from.MPI_TAG == END) {
        list->n_working--;
        return;
    }
    WorklistAnswer answer = {from.MPI_TAG == ASK ? take(list) : -1, list->done, list->stopped};
    MPI_Send(&answer, ANSWER_NUMBERS, MPI_INT64_T, from.MPI_SOURCE, from.MPI_TAG, list->comm.mpi);
}

static void serve_all(Worklist *list)
{
    int there;
    for (;;) {
        MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, list->comm.mpi, &there, MPI_STATUS_IGNORE);
        if (!there) return;
        serve(list);
    }
}

/* ---- the others ---- */

static void report(Worklist *list, int tag)
{
    Report mine = {list->unsaid, list->stopped};
    list->unsaid = 0;
    MPI_Send(&mine, REPORT_NUMBERS, MPI_INT64_T, 0, tag, list->comm.mpi);
}

static void hear(Worklist *list, const WorklistAnswer *answer)
{
    list->done = answer->done + list->unsaid;
    list->stopped = list->stopped || answer->stopped;
}

static void tell(Worklist *list)
{
    MPI_Irecv(&list->answer, ANSWER_NUMBERS, MPI_INT64_T, 0, TELL, list->comm.mpi, &list->request);
    report(list, TELL);
    list->told = true;
}

/* Takes the answer to tell(), if it has come; or waits for it. */
static void take_answer(Worklist *list, bool wait)
{
    int come = 1;
    if (!list->told) return;
    if (wait)
        MPI_Wait(&list->request, MPI_STATUS_IGNORE);
    else
        MPI_Test(&list->request, &come, MPI_STATUS_IGNORE);
    if (!come) return;
    list->told = false;
    list->next_tell = timer_now() + TELL_SECONDS;
    hear(list, &list->answer);
}

/* Asks for the next item, which take_item() takes. */
static void ask(Worklist *list)
{
    if (list->asked) return;
    MPI_Irecv(&list->next, ANSWER_NUMBERS, MPI_INT64_T, 0, ASK, list->comm.mpi, &list->next_request);
    report(list, ASK);
    list->asked = true;
}

static int64_t take_item(Worklist *list)
{
    double start = timer_now();
    ask(list);
    MPI_Wait(&list->next_request, MPI_STATUS_IGNORE);
    list->asked = false;
    list->stopped = list->stopped || list->next.stopped;
    int64_t item = list->next.item;
    if (item >= 0) ask(list);
    list->waited += timer_now() - start;
    return item;
}

/* ---- all ranks ---- */

int64_t worklist_next(Worklist *list)
{
    worklist_poke(list);
    if (list->stopped) return -1;
    if (list->next_mine < list->n_dealt) {
        int64_t item = list->next_mine++;
        if (list->next_mine % list->block == 0) list->next_mine += (list->comm.size - 1) * list->block;
        if (list->next_mine >= list->n_dealt && list->comm.rank != 0) ask(list);
        return item;
    }
    return list->comm.rank == 0 ? take(list) : take_item(list);
}

int64_t worklist_done(Worklist *list)
{
    list->my_done++;
    list->unsaid++;
    return ++list->done;
}

bool worklist_poke(Worklist *list)
{
    double now = timer_now();
    if (now < list->next_poke) return list->stopped;
    if (list->comm.rank == 0)
        serve_all(list);
    else if (list->told)
        take_answer(list, false);
    else if (now >= list->next_tell)
        tell(list);
    list->next_poke = timer_now() + POKE_SECONDS;
    return list->stopped;
}

void worklist_stop(Worklist *list)
{
    if (list->stopped) return;
    list->stopped = true;
    if (list->comm.rank == 0) return; /* the others hear it with their next answer */
    double start = timer_now();
    take_answer(list, true);
    tell(list);
    list->waited += timer_now() - start;
}

int64_t worklist_end(Worklist *list)
{
    if (list->comm.rank == 0)
        while (list->n_working > 0) serve(list);
    else {
        take_answer(list, true);
        if (list->asked) MPI_Wait(&list->next_request, MPI_STATUS_IGNORE); /* an item that is left undone */
        list->asked = false;
        report(list, END);
    }
    int64_t sums[] = {list->my_done, list->stopped};
    comm_sum(&list->comm, sums, 2);
    list->done = sums[0];
    list->stopped = sums[1] > 0;
    return list->done;
}

void worklist_free(Worklist *list)
{
    MPI_Comm_free(&list->comm.mpi);
    memset(list, 0, sizeof *list);
}
