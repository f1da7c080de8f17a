import type {LaunchFlag} from '../engine.ts'

/** Flags of one command in the order they were added; each is said once, with the reason it is there. */
export class FlagList {
  readonly flags: LaunchFlag[] = []

  /** A flag with a value, or a switch (`true`). */
  add(flag: string, value: LaunchFlag['value'], because: string): void {
    this.flags.push({flag, value, because})
  }

  /** The same, only where the condition holds. */
  addIf(condition: boolean, flag: string, value: LaunchFlag['value'], because: string): void {
    if (condition) this.add(flag, value, because)
  }

  has(flag: string): boolean {
    return this.flags.some((one) => one.flag === flag)
  }
}
