import {BoundedMap} from '../core/bounded-map.ts'
import {ObjectNumbers} from '../core/object-numbers.ts'
import type {Deployment} from '../core/deployment.ts'
import type {MemoryEstimate} from '../core/memory.ts'
import type {Engine, Subject, Support} from './engine.ts'

/** Answers that are kept: those of a few models on a few machines with all their layouts. The oldest goes first, so that memory stays level. */
const MOST_KEPT = 1000

/**
 * An engine that knows what it was asked before. Memory and support depend on the checkpoint, the machine and the deployment, and not on the load: a file of
 * questions, a fleet or a plan asks for the same deployments under many loads.
 */
export function remembering(engine: Engine): Engine {
  const numbers = new ObjectNumbers()
  const keyOf = ({model, checkpoint, machine, gpu}: Subject, deployment: Deployment): string =>
    `${numbers.of(model)} ${numbers.of(checkpoint)} ${numbers.of(machine)} ${numbers.of(gpu)} ${JSON.stringify(deployment)}`
  const kept = <T>(ask: (subject: Subject, deployment: Deployment) => T) => {
    const answers = new BoundedMap<string, T>(MOST_KEPT)
    return (subject: Subject, deployment: Deployment): T => answers.once(keyOf(subject, deployment), () => ask(subject, deployment))
  }
  return {
    ...engine,
    memory: kept<MemoryEstimate>((subject, deployment) => engine.memory(subject, deployment)),
    support: kept<Support>((subject, deployment) => engine.support(subject, deployment)),
  }
}
