/** Lets a spinner turn, and whatever waits, between two parts of a search. Browsers know no immediate. */
export const pause = (): Promise<void> => new Promise((resolve) => (typeof setImmediate === 'function' ? setImmediate(resolve) : setTimeout(resolve, 0)))
