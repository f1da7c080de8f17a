import {cannot, type Format, requireOneServer} from './format.ts'
import {killSeconds, stopPatience} from './patience.ts'
import {native} from './command.ts'
import {commandText, exportText, fileText, programText} from './shell.ts'
import type {Startable} from './startable.ts'
import {keyComment} from './key.ts'
import {linesOf} from './words.ts'

const VARIABLES = {address: 'HEAD_ADDRESS', rank: 'SLURM_NODEID'}

/** How long it serves unless the reader says otherwise: a day, which most partitions allow. */
const SLURM_TIME = '1-00:00:00'

/** A batch script for Slurm: one task for each node, or for each GPU where the engine runs under MPI. */
export const slurm: Format = {
  id: 'slurm',
  summary: 'a Slurm batch script',
  write(given) {
    // Slurm itself shows a job the cards, or slices, that it gives it.
    const startable = native({...given, devices: undefined, slice: undefined})
    const {nodes} = startable.launch
    if (nodes?.problem !== undefined) throw cannot(nodes.problem)
    const isMpi = startable.engine.id === 'trtllm'
    if (nodes && !isMpi && !nodes.own)
      throw cannot(`${startable.engine.title} ${startable.engine.version} joins nodes through Ray only: use --format ray, or a later --engine-version`)
    requireOneServer(startable, 'This batch script')
    return [{name: 'serve.sbatch', text: isMpi ? mpiScript(startable) : nodeScript(startable)}]
  },
  around(startable) {
    return [
      {what: `--time=${SLURM_TIME}`, because: 'Slurm needs a time limit; sbatch --time=... sets another'},
      {what: `--signal=TERM@${killSeconds(startable)}`, because: `before that end it is told to stop, and waits ${stopPatience(startable).because}`},
      {what: '--requeue', because: 'it starts again after a node fails'},
      {what: '--exclusive', because: 'no other job takes memory of these cards'},
    ]
  },
}

function header(startable: Startable, tasksPerNode: number): string {
  const {name, launch, gpusPerNode, vendor} = startable
  const gpus = launch.nodes?.gpusPerNode ?? gpusPerNode
  return `#!/bin/bash
#SBATCH --job-name=${name}
#SBATCH --nodes=${launch.nodes?.count ?? 1}
#SBATCH --ntasks-per-node=${tasksPerNode}
${vendor === 'cpu' ? '' : `#SBATCH --gpus-per-node=${gpus}\n`}#SBATCH --exclusive
#SBATCH --time=${SLURM_TIME}
#SBATCH --signal=TERM@${killSeconds(startable)}
#SBATCH --requeue
# --time: sbatch --time=... sets another limit; before it ends, the server is told to stop, early enough to finish its answers. The job starts again after a node fails.
# The engine is expected in the environment of the job; where pyxis is installed, --container-image can be added to srun.
# HF_TOKEN is passed on from the environment of sbatch${launch.nodes ? ', and so are NCCL_SOCKET_IFNAME and GLOO_SOCKET_IFNAME, which nodes with several networks need' : ''}.
${keyComment(startable)}set -euo pipefail
${exportText(launch)}`
}

function nodeScript(startable: Startable): string {
  const {launch} = startable
  if (!launch.nodes) return `${header(startable, 1)}${launch.file ? fileText(launch.file) : ''}${commandText([`srun ${programText(launch)}`], linesOf(launch))}`
  const first = commandText([`exec ${programText(launch)}`], linesOf(launch, 'first'), VARIABLES, '    ')
  const follower = commandText([`exec ${programText(launch)}`], linesOf(launch, 'follower'), VARIABLES, '    ')
  return `${header(startable, 1)}HEAD_ADDRESS=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
export HEAD_ADDRESS

# Runs on every node; Slurm sets SLURM_NODEID there.
serve() {
  if [ "$SLURM_NODEID" -eq 0 ]; then
${first}  else
${follower}  fi
}
export -f serve
srun bash -c serve
`
}

/** TensorRT-LLM's own form: one MPI task for each GPU (docs/source/commands/trtllm-serve, also for one node). */
function mpiScript(startable: Startable): string {
  const {launch, gpusPerNode} = startable
  const tasks = launch.nodes?.gpusPerNode ?? gpusPerNode
  const first = ['srun --mpi=pmix', `  trtllm-llmapi-launch ${programText(launch)}`]
  return `${header(startable, tasks)}# The folder of the job must be one that every node sees.\n${launch.file ? fileText(launch.file) : ''}${commandText(first, linesOf(launch))}`
}
