const GIB = 1024 ** 3

/** 8192 as `8,192`, for the reasons people read. */
export const counted = (value: number): string => value.toLocaleString('en-GB', {maximumFractionDigits: 0})

/** Bytes as GiB with one digit. */
export const gib = (bytes: number): string => `${(bytes / GIB).toFixed(1)} GiB`

/** Whole GiB that hold these bytes. */
export const wholeGib = (bytes: number): number => Math.ceil(bytes / GIB)

/**
 * A fraction of memory as it is written: at most four digits, rounded down, so that the engine never takes more than was
 * budgeted. Half of the last digit of a double is added first, or 0.29 would become 0.2899.
 */
export const fraction = (value: number): number => Math.floor(value * 10_000 + 1e-6) / 10_000

/** Whether two fractions are written alike. */
export const sameFraction = (left: number, right: number): boolean => Math.abs(left - right) < 0.00005
