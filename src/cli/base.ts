import {join} from 'node:path'
import {Command} from '@oclif/core/command'
import type {Input, ParserOutput} from '@oclif/core/interfaces'
import {type Catalogue, openCatalogue} from '../catalogue/catalogue.ts'
import {type Look, widthsFor} from '../render/look.ts'
import {jsonText} from '../render/json-text.ts'
import {harmless, inColour} from '../render/style.ts'
import {EXIT, failureOf} from './failures.ts'
import {withOwnModels} from './user-models.ts'
import {printFailure} from './print-failure.ts'

/** Values by the name of their flag or argument. */
type Values = Record<string, unknown>

/**
 * What all commands share: the compiled catalogue, one JSON document on standard output, and errors as one clear message with
 * the contract's exit codes in both forms.
 */
export abstract class ServefitCommand extends Command {
  static override enableJsonFlag = true

  private opened: Catalogue | undefined

  /** `--wide` was given. */
  private wide = false

  protected get catalogue(): Catalogue {
    this.opened ??= openCatalogue(join(this.config.root, 'dist', 'data'))
    return this.opened
  }

  protected override async init(): Promise<void> {
    await super.init()
    // A reader that went away (head, a pager) is no error.
    process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : EXIT.defect))
  }

  /**
   * oclif takes what is piped in for an argument that was left out; here only `-` stands for standard input. Models of the user's
   * own join the catalogue before anything is looked up in it.
   */
  protected override async parse<F extends Values, B extends Values, A extends Values>(
    options?: Input<F, B, A>,
    argv?: string[],
  ): Promise<ParserOutput<F, B, A>> {
    const given = options ?? (this.ctor as Input<F, B, A>)
    const args = Object.fromEntries(Object.entries(given.args ?? {}).map(([name, arg]) => [name, {...(arg as object), ignoreStdin: true}])) as Input<
      F,
      B,
      A
    >['args']
    // What a class inherits is not copied with what is its own.
    const {flags, baseFlags, enableJsonFlag, strict} = given
    const parsed = await super.parse({...given, flags, baseFlags, enableJsonFlag, strict, args}, argv)
    this.wide = (parsed.flags as {wide?: boolean}).wide === true
    this.opened = await withOwnModels(this.catalogue, (parsed.flags as {catalogue?: string[]}).catalogue ?? [], process.env)
    return parsed
  }

  /** What text is made for: widths by the terminal, COLUMNS and `--wide`. */
  protected get look(): Required<Look> {
    return {...widthsFor(process.stdout, process.env, this.wide), colour: this.colour}
  }

  /** Columns for sentences. */
  protected get columns(): number {
    return this.look.columns
  }

  protected get colour(): boolean {
    return inColour(process.stdout, process.env)
  }

  /** "Does it fit?" was answered with no. */
  protected answerNo(): void {
    process.exitCode = EXIT.no
  }

  /** What is said beside an answer, on standard error: names and paths in it cannot act on the terminal. */
  protected say(message: string): void {
    process.stderr.write(`servefit: ${harmless(message)}\n`)
  }

  protected sayWritten(paths: readonly string[]): void {
    process.stderr.write(paths.map((path) => `wrote ${harmless(path)}\n`).join(''))
  }

  protected override logJson(json: unknown): void {
    process.stdout.write(`${jsonText(json, 2)}\n`)
  }

  protected override async catch(error: Error): Promise<void> {
    const below = this.config.commandIDs.filter((id) => id.startsWith(`${this.id}:`)).map((id) => id.slice(`${this.id}:`.length))
    printFailure(failureOf(error, {command: this.id, argv: this.argv, below}), this.jsonEnabled(), error.stack)
  }
}
