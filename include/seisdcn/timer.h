/* timer: wall-clock seconds for progress and phase times; never written into a data file. */
#ifndef SEISDCN_TIMER_H
#define SEISDCN_TIMER_H

/* Seconds of a clock that only goes forward; only differences mean anything. Local. */
double timer_now(void);

/* Seconds since the process started. Local. */
double timer_since_start(void);

#endif
