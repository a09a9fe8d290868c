# shellcheck shell=bash
# shellcheck disable=SC2034 # job.sh and submit use these
# What differs from one cluster to the next. Edit it here, once: jobs/submit and every job file read it.

# Modules: those that the program was built with.
# module purge
# module load gcc openmpi hdf5-parallel openblas

# Options of sbatch for every job: account, partition, and what else the site asks for.
SUBMIT_OPTIONS= # --account=seismic --partition=compute

# The program.
SEISDCN=$SEISDCN_JOBS/../build/seisdcn

# What starts the ranks: srun, where `srun --mpi=list` shows pmix and Open MPI was built with it; else mpirun.
LAUNCHER=srun
SRUN_OPTIONS="--mpi=pmix"
MPIRUN_OPTIONS= # --bind-to core --mca btl_tcp_if_include ib0

# A job stops by its own clock so many seconds before its time limit. Slurm's signal comes earlier, see --signal in the
# job files. The program stops within a step or a gather, so these are ample.
STOP_SECONDS=120

# A job that was stopped starts itself again, at most so many times.
MAX_RESTARTS=100

# mpirun: a host that has not answered for 20 + 4 x 10 seconds is lost, and the job ends (Open MPI would wait 8 minutes).
# Under srun it is Slurm that notices (its SlurmdTimeout).
export OMPI_MCA_oob_tcp_keepalive_time=20
export OMPI_MCA_oob_tcp_keepalive_intvl=10
export OMPI_MCA_oob_tcp_keepalive_probes=4
