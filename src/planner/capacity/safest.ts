import {unitsFor} from './fleet.ts'
import type {Carried, Carries, CarryQuestion} from './question.ts'
import {askedShare} from './simulated.ts'

/** Deployments that carry enough and are compared at the slow end. */
const TIES = 8

/** Least that a unit must carry for the same numbers of units as one that carries so much. */
export const leastFor = (amount: number, {amounts, demand, onlyEstimate}: CarryQuestion): number =>
  // How many machines a trace takes is found by simulating them.
  demand.trace || onlyEstimate ? amount : Math.max(...amounts.map((load) => load / unitsFor(load, amount)))

/**
 * Of deployments with which a load takes equally many machines, the one that carries most at the slow end; of equal ones the one that carries most.
 * Where that takes a simulation of each, the one that carries most.
 */
export function safest(all: readonly {carries: Carries; cautious: () => Carries | undefined}[], {demand, onlyEstimate}: CarryQuestion): Carried | undefined {
  const found = [...all].sort((a, b) => b.carries.amount - a.carries.amount)
  if (found.length === 0 || onlyEstimate) return found[0]?.carries
  const judged = (askedShare(demand) === undefined ? found.slice(0, TIES) : found.slice(0, 1)).map(({carries, cautious}) => ({carries, cautious: cautious()}))
  const {carries, cautious} = judged.reduce((a, b) => ((b.cautious?.amount ?? 0) > (a.cautious?.amount ?? 0) ? b : a))
  return {...carries, ...(cautious && {cautious})}
}
