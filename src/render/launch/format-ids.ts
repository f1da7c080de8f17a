/** Names of the ways to write a start down, in the order of the contract; apart from what writes them, for who only needs the names. */
export const FORMAT_IDS = ['command', 'file', 'docker', 'compose', 'systemd', 'kubernetes', 'leaderworkerset', 'ray', 'slurm', 'dynamo', 'llm-d'] as const

export type FormatId = (typeof FORMAT_IDS)[number]
