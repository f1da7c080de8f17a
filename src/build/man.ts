import type {Manifest, ManifestCommand, ManifestFlag} from '../completion/manifest.ts'

/** Text for roff: a backslash escapes, a hyphen is not a minus, and a line must not begin with a control character. */
const plain = (text: string): string =>
  text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll(/^(?=[.'])/gm, '\\&')

const spelled = (id: string): string => id.replaceAll(':', ' ')

/** Names of a flag: the short one, its own, and those of engines. */
function namesOf({name, char, aliases = [], allowNo, type, helpValue, options}: ManifestFlag): string {
  const value = type === 'boolean' ? '' : ` \\fI${plain(options?.join('|') ?? helpValue ?? 'VALUE')}\\fR`
  const words = [...(char ? [`-${char}`] : []), `--${allowNo ? '[no-]' : ''}${name}`, ...aliases.map((alias) => `--${alias}`)]
  return `${words.map((word) => `\\fB${plain(word)}\\fR`).join(', ')}${value}`
}

function examplesOf({id, examples = []}: ManifestCommand): string[] {
  if (examples.length === 0) return []
  const lines = examples.map((example) => plain(example.replaceAll('<%= config.bin %>', 'servefit').replaceAll('<%= command.id %>', spelled(id))))
  return ['.PP', 'Examples:', '.PP', '.nf', ...lines, '.fi']
}

function commandPart(command: ManifestCommand): string[] {
  const {id, summary = '', description = '', args, flags} = command
  const usage = [`servefit ${spelled(id)}`, ...Object.values(args).map(({name, required}) => (required ? name.toUpperCase() : `[${name.toUpperCase()}]`))]
  const listed = Object.values(flags).filter(({hidden}) => !hidden)
  return [
    `.SS "${plain(usage.join(' '))}"`,
    `${plain(summary)}.`,
    ...(description === '' ? [] : ['.PP', plain(description)]),
    ...listed.flatMap((flag) => ['.TP', namesOf(flag), plain(flag.description ?? '')]),
    ...examplesOf(command),
  ]
}

/** The man page of all commands. */
export function manPage({version, commands}: Manifest, description: string): string {
  const shown = Object.values(commands)
    .filter(({hidden}) => !hidden)
    .sort((a, b) => (a.id < b.id ? -1 : 1))
  const lines = [
    `.TH SERVEFIT 1 "" "servefit ${version}" "User Commands"`,
    '.SH NAME',
    'servefit \\- plans how language models are served on machines with GPUs',
    '.SH SYNOPSIS',
    '.B servefit',
    '\\fICOMMAND\\fR [\\fIARGUMENTS\\fR] [\\fIFLAGS\\fR]',
    '.SH DESCRIPTION',
    plain(description),
    '.PP',
    'Every command that answers takes \\fB\\-\\-json\\fR.',
    '.SH COMMANDS',
    ...shown.flatMap(commandPart),
    '.SH EXIT STATUS',
    ...[
      '0|yes, or done',
      '1|no: it does not fit, is not supported, is too slow, or a condition of \\-\\-fail\\-on holds',
      '2|the input was wrong',
      '70|a defect of servefit',
    ].flatMap((line) => ['.TP', line.split('|')[0]!, line.split('|')[1]!]),
    '.SH ENVIRONMENT',
    '.TP',
    'HF_HUB_OFFLINE',
    '1: no hub is asked.',
    '.TP',
    'NO_COLOR, FORCE_COLOR',
    'switch colours off or on.',
    '.TP',
    'XDG_CONFIG_HOME',
    'where models of your own and what \\fBverify \\-\\-save\\fR and \\fBcalibrate\\fR learnt are kept, in the folder servefit.',
  ]
  return `${lines.filter((line) => line !== '').join('\n')}\n`
}
