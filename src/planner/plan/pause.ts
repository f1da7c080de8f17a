/** Lets what waits run between pieces of long work: a spinner turns, an interruption is heard. */
export const pause = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
