import type {PlanPoint} from './point.ts'

/** Points that no other beats in both throughput for each GPU and speed for each user, quickest user first. */
export function paretoFront(points: readonly PlanPoint[]): PlanPoint[] {
  const user = ({performance: {tpotMs}}: PlanPoint) => 1000 / tpotMs.estimate
  const gpu = ({performance: {outputTokensPerSecondPerGpu}}: PlanPoint) => outputTokensPerSecondPerGpu
  const front: PlanPoint[] = []
  let best = 0
  for (const point of [...points].sort((a, b) => user(b) - user(a) || gpu(b) - gpu(a))) {
    if (gpu(point) <= best) continue
    best = gpu(point)
    front.push(point)
  }
  return front
}
