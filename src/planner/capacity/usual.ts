/** Machines are planned with this share of the rate at which queues grow without end. */
export const USUAL_UTILISATION = 0.85
/** Months from now that are looked at where the load grows. */
export const USUAL_MONTHS: readonly number[] = [0, 6, 12]
