import type {Config} from '@oclif/core/config'

/** What oclif starts for `--help`. The texts are loaded only when they are asked for. */
export class ServefitHelp {
  private readonly config: Config

  constructor(config: Config) {
    this.config = config
  }

  async showHelp(argv: string[]): Promise<void> {
    const {helpText} = await import('./help-text.ts')
    process.stdout.on('error', () => process.exit(0))
    process.stdout.write(helpText(this.config, argv, process.stdout.columns ?? (Number(process.env.COLUMNS) || 80)))
  }
}
