/** Documents that are read or printed, by the name that `servefit schema` takes. What a command prints has the command's name where there is no other. */
export const DOCUMENTS = {
  scenario: 'a question: a line of batch, a file of --scenario',
  result: 'what check, config and each line of batch print',
  plan: 'what plan prints',
  compare: 'what compare prints',
  capacity: 'what capacity prints',
  'capacity-file': 'a file of capacity: a fleet and its load',
  verify: 'what verify prints',
  calibrate: 'what calibrate prints',
  diff: 'what diff prints',
  upgrade: 'what diff --engine-version prints',
  machine: 'what detect prints and --machine accepts',
  doctor: 'what doctor prints',
  here: 'what servefit prints without a command',
  models: 'what models prints',
  model: 'what models show and models import print',
  gpus: 'what gpus prints',
  machines: 'what machines prints',
  engines: 'what engines prints',
  support: 'what engines support prints',
  documents: 'what schema prints without a name',
  completion: 'what completion prints',
  web: 'what web prints before it serves',
  error: 'what every command prints when the input was wrong',
} as const

export type Documented = keyof typeof DOCUMENTS
