/** About ten milliseconds on a machine of 2024: numbers sorted and written as text. */
function yardstick(): void {
  let seed = 1
  const numbers = Array.from({length: 30_000}, () => {
    seed = (seed * 48_271) % 2_147_483_647
    return seed
  })
  if (JSON.stringify(numbers.sort((a, b) => a - b)).length < 100) throw new Error('too little to measure by')
}

async function processorTime(work: () => unknown): Promise<number> {
  const before = process.cpuUsage()
  await work()
  const {user, system} = process.cpuUsage(before)
  return user + system
}

/**
 * Processor time of a piece of work, in yardsticks of about ten milliseconds that are measured beside it. What other programs take of the machine is
 * not in it, and a slow machine is slow at both.
 */
export async function effortOf(work: () => unknown): Promise<number> {
  yardstick()
  const own = await processorTime(work)
  const times: number[] = []
  for (let run = 0; run < 5; run++) times.push(await processorTime(yardstick))
  times.sort((a, b) => a - b)
  return own / Math.max(1, times[2]!)
}
