import {cannot, type Format, requireOneServer} from './format.ts'
import {deviceEnvironment} from './devices.ts'
import {assignments, commandText, fileText, NODE_VARIABLES, programText, shellText} from './shell.ts'
import {keyComment, withoutSecrets} from './key.ts'
import type {Startable} from './startable.ts'
import {linesOf, withRank} from './words.ts'

/** The launch with the variables that choose GPUs. */
export const native = (startable: Startable): Startable => ({
  ...startable,
  launch: {
    ...startable.launch,
    environment: [...(startable.devicesMatter || startable.slice ? deviceEnvironment(startable) : []), ...startable.launch.environment],
  },
})

/** A shell command; for several nodes one for each, or one under mpirun. */
export const command: Format = {
  id: 'command',
  summary: 'a shell command',
  write(given) {
    requireOneServer(given, 'A command')
    const startable = native(given)
    const {launch} = startable
    const key = keyComment(startable)
    if (!launch.nodes) return [{name: 'serve.sh', text: `${key}${shellText(launch)}`}]
    if (launch.nodes.problem !== undefined) throw cannot(launch.nodes.problem)
    if (launch.nodes.own)
      return Array.from({length: launch.nodes.count}, (_, rank) => ({
        name: `serve-node-${rank}.sh`,
        text: `${rank === 0 ? key : ''}${nodeText(startable, rank)}`,
      }))
    if (launch.nodes.mpi) return [{name: 'serve-mpi.sh', text: mpiText(startable)}]
    throw cannot(`${startable.engine.title} ${startable.engine.version} joins nodes through Ray only: use --format ray`)
  },
}

function nodeText({launch: given}: Startable, rank: number): string {
  // Requests come to node 0 alone.
  const launch = rank === 0 ? given : withoutSecrets(given)
  const {count} = launch.nodes!
  const address = NODE_VARIABLES.address
  const where = rank === 0 ? 'the address of this node, as the others reach it' : 'the address of node 0'
  const text = commandText([...assignments(launch), programText(launch)], withRank(linesOf(launch, rank === 0 ? 'first' : 'follower'), rank))
  const several = `# Where nodes have several networks: export NCCL_SOCKET_IFNAME and GLOO_SOCKET_IFNAME, the interface that ${address} belongs to.\n`
  return `# Node ${rank} of ${count}, counted from 0. ${address}: ${where}.\n${several}: "\${${address}:?${where}}"\n${launch.file ? fileText(launch.file) : ''}${text}`
}

/** `mpirun` with one process for each GPU; `hosts` names the nodes with their slots. */
function mpiText({launch}: Startable): string {
  const {count, gpusPerNode, mpi} = launch.nodes!
  const first = [
    `mpirun -np ${count * gpusPerNode} --hostfile hosts --allow-run-as-root`,
    ...(launch.environment.length > 0 ? [`  env ${assignments(launch).join(' ')}`] : []),
    `  ${mpi!.wrapper} ${programText(launch)}`,
  ]
  return `# Run on one node, in a folder that all of them see. hosts: a line "ADDRESS slots=${gpusPerNode}" for each of ${count} nodes.\n${launch.file ? fileText(launch.file) : ''}${commandText(first, linesOf(launch))}`
}
