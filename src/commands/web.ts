import {join} from 'node:path'
import * as Flags from '@oclif/core/flags'
import {ServefitCommand} from '../cli/base.ts'
import {detectDocument} from '../cli/world.ts'
import {InputError} from '../core/input-error.ts'

export default class Web extends ServefitCommand {
  static override summary = 'The planner as a page in your browser, with this machine filled in'
  static override description =
    'Serves the page to this computer alone (127.0.0.1), behind a path that nobody can guess, until it is interrupted. Everything is computed in the browser, and nothing is sent anywhere. The same page is a folder of static files, dist/web, which any host serves and which opens as a file.'
  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> --open --port 8080']
  static override flags = {
    port: Flags.integer({description: 'port to listen on (default: one that is free)', helpValue: 'N', min: 1, max: 65_535}),
    open: Flags.boolean({description: 'open it in a browser'}),
    detect: Flags.boolean({description: 'fill in this machine (default), or do not look at it', allowNo: true, default: true}),
  }

  async run(): Promise<{schemaVersion: 2; url: string}> {
    const {flags} = await this.parse(Web)
    const {servePage} = await import('../web/serve.ts')
    const machine = flags.detect ? await detectDocument(this.catalogue) : undefined
    const here = machine && machine.gpus.length > 0 ? machine : undefined
    const served = await servePage(join(this.config.root, 'dist', 'web'), {port: flags.port ?? 0, machine: here}).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE' || error.code === 'EACCES')
        throw new InputError('PORT_UNAVAILABLE', `--port ${flags.port} cannot be listened on (${error.code}): leave it out for one that is free`)
      if (error.code === 'ENOENT') throw new InputError('PAGE_MISSING', 'the page is not built: npm run build')
      throw error
    })
    // Before the address is told: who reads it may stop us at once.
    const stopped = new Promise<void>((resolve) => {
      process.once('SIGINT', resolve)
      process.once('SIGTERM', resolve)
    })
    if (!this.jsonEnabled()) process.stdout.write(`${served.url}\n`)
    if (machine && !here) process.stderr.write('servefit: no GPU was found here: choose one in the page\n')
    process.stderr.write('servefit: served until it is interrupted (Ctrl+C)\n')
    if (flags.open) await opened(served.url)
    if (this.jsonEnabled()) this.logJson({schemaVersion: 2, url: served.url})
    await stopped
    await served.close()
    process.exit(0)
  }
}

/** The system's way to open an address. Where there is none the address was printed. */
async function opened(url: string): Promise<void> {
  const {spawn} = await import('node:child_process')
  const [program, ...words] =
    process.platform === 'darwin' ? ['open', url] : process.platform === 'win32' ? ['rundll32', 'url.dll,FileProtocolHandler', url] : ['xdg-open', url]
  const child = spawn(program!, words, {stdio: 'ignore', detached: true})
  child.on('error', () => process.stderr.write(`servefit: no browser could be opened (${program}): open the address yourself\n`))
  child.unref()
}
