import type {Accelerator, ComputeType, Vendor} from '../core/accelerator.ts'
import {InputError} from '../core/input-error.ts'
import {nearest, quotedShort} from '../core/nearest.ts'
import {bytesInWords} from '../core/words.ts'
import type {Catalogue} from './catalogue.ts'
import {estimatedRates} from './estimated-rates.ts'
import {findGpu, findGpuInAnyOrder, requireGpu} from './find-gpu.ts'
import {givesFigures, type GpuFigures, parseFigures} from './gpu-figures.ts'
import type {GpuRequest} from './gpu-spec.ts'
import {plainName} from './gpu-names.ts'
import {type MigTable, namesSlice, sliceOf} from './mig.ts'
import {unknownGpu} from './near-gpus.ts'
import {systemsCalled} from './system.ts'

const GIB = 2 ** 30

/** Names that stand for no card: what follows is all that is known of it. */
const BLANK_NAMES = ['card', 'gpu', 'custom']

/** The card that somebody asks for: by its name, with another memory, a slice of it, or by its figures. @throws InputError. */
export function askedGpu(catalogue: Catalogue, {id, option}: GpuRequest): Accelerator {
  if (option === undefined) return catalogue.gpu(id) ?? findGpu(catalogue.gpus, id) ?? askedInOneWord(catalogue, id)
  if (givesFigures(option)) return cardOfFigures(catalogue, id, parseFigures(option))
  const card = catalogue.gpu(id) ?? requireGpu(catalogue.gpus, id)
  if (namesSlice(option)) return sliceOf(card, option, catalogue.file<MigTable>('mig'))
  const gibibytes = sizeOf(option)
  if (gibibytes !== undefined) return cardOfMemory(catalogue, card, gibibytes, id)
  const profiles = catalogue.file<MigTable>('mig')[card.id]
  throw new InputError(
    'GPU_OPTION_INVALID',
    `${quotedShort(option)} cannot follow ${card.id}: expected a memory size (${card.id}:${Math.round(card.memoryBytes / GIB)}gb)${profiles ? `, a slice (${Object.keys(profiles).join(', ')})` : ''} or figures (memory=20GiB)`,
    {suggestions: profiles ? nearest(option, Object.keys(profiles)).map((name) => `${card.id}:${name}`) : []},
  )
}

/** `rtx-2080-ti-22gb`, and a slice as detection names it (`a100-80gb-sxm-mig-2g.20gb`): the option without a colon. */
function askedInOneWord(catalogue: Catalogue, id: string): Accelerator {
  const [, slicedName, profile] = /^(.+?)[\s-]+mig[\s-]+(\S+)$/.exec(id) ?? []
  const sliced = slicedName !== undefined && namesSlice(profile!) ? findGpu(catalogue.gpus, slicedName) : undefined
  if (sliced) return sliceOf(sliced, profile!, catalogue.file<MigTable>('mig'))
  const bare = id.replace(AROUND_A_CARD, ' ').trim()
  const [, name, size] = /^(.+?)[\s-]*\b(\d{1,4})\s*g(?:i?b)?$/.exec(bare) ?? []
  const inWords = (words: string): Accelerator | undefined => findGpu(catalogue.gpus, words) ?? findGpuInAnyOrder(catalogue.gpus, words)
  const card = name === undefined ? undefined : inWords(name)
  if (card) return cardOfMemory(catalogue, card, Number(size), name!)
  // A computer that is sold with several sizes is asked about as a machine, where it is one.
  const isMachine = bare !== id && systemsCalled(catalogue.systems, id).length > 0
  const whole = bare === '' || isMachine ? undefined : inWords(bare)
  if (whole) return whole
  throw unknownGpu(catalogue.gpus, id)
}

/** What people write around the name of a card: the computer that it is in, and what its gigabytes are. */
const AROUND_A_CARD = /\b(?:mac ?book(?: pro| air)?|mac ?(?:studio|mini|pro)|imac(?: pro)?|(?:of )?(?:unified )?(?:memory|v?ram))\b/g

/** `22gb` as shops write it: GiB. */
function sizeOf(option: string): number | undefined {
  const [, number, unit] = /^(\d{1,5}(?:\.\d+)?)\s*(gi?b|mib)$/i.exec(option) ?? []
  if (number === undefined) return undefined
  const gibibytes = Number(number) / (/mib/i.test(unit!) ? 1024 : 1)
  if (gibibytes >= 1 && gibibytes <= 4096) return gibibytes
  throw new InputError('GPU_OPTION_INVALID', `${quotedShort(option)} is not a memory size of a card: expected 1gb to 4096gb`)
}

/** ECC and the firmware keep up to this share of what a card is sold with: 45.0 of 48 GiB. */
const SOLD_TOLERANCE = 0.08

const isOfSize = (bytes: number, gibibytes: number): boolean => Math.abs(bytes - gibibytes * GIB) <= gibibytes * GIB * SOLD_TOLERANCE

/** The card with this memory: itself, another one that is catalogued, one that is sold or rebuilt so, or one given by hand. */
function cardOfMemory(catalogue: Catalogue, card: Accelerator, gibibytes: number, asked: string): Accelerator {
  const {memoryOptionsBytes: options, memoryVariantsBytes: variants = []} = card
  const sold = options?.find((bytes) => isOfSize(bytes, gibibytes))
  if (sold !== undefined && sold !== card.memoryBytes) return withMemory(card, gibibytes, sold)
  if (isOfSize(card.memoryBytes, gibibytes)) return card
  const sibling = siblingOf(catalogue.gpus, card, gibibytes, asked)
  if (sibling) return sibling
  const rebuilt = variants.find((bytes) => isOfSize(bytes, gibibytes))
  const own = `${Math.round(card.memoryBytes / GIB)} GB`
  if (rebuilt !== undefined)
    return withMemory(card, gibibytes, rebuilt, `a ${card.name} rebuilt with ${gibibytes} GB: bandwidth and rates are those of the ${own} card`)
  const known = options ? `it is sold with ${options.map((bytes) => Math.round(bytes / GIB)).join(', ')} GB` : 'no such card is catalogued'
  return withMemory(
    card,
    gibibytes,
    Math.round(gibibytes * GIB),
    `${bytesInWords(gibibytes * GIB)} of memory for ${card.name} was given by hand, ${known}: bandwidth and rates are those of the ${own} card`,
  )
}

function withMemory(card: Accelerator, gibibytes: number, memoryBytes: number, remark?: string): Accelerator {
  const {driverReservedBytes: _reserved, memoryOptionsBytes: _options, memoryVariantsBytes: _variants, nicknames: _names, ...rest} = card
  const size = Number.isInteger(gibibytes) ? `${gibibytes}GB` : `${Math.round(gibibytes * 1024)}MiB`
  return {
    ...rest,
    id: `${card.id}:${size.toLowerCase()}`,
    name: `${card.name.replace(/\s\d+ ?GB$/, '')} ${size}`,
    memoryBytes,
    ...(remark !== undefined && {remarks: [remark]}),
  }
}

/**
 * Another catalogued card that differs in the memory: one that its driver names alike, or whose id has the other size in the same place; else the
 * nearest of that size whose name goes on from what was asked (`h100 94gb` is the NVL, `4090 16gb` the laptop's).
 */
function siblingOf(gpus: readonly Accelerator[], card: Accelerator, gibibytes: number, asked: string): Accelerator | undefined {
  const inPlace = card.id.replace(/\d+gb/, `${gibibytes}gb`)
  const isSibling = (gpu: Accelerator) =>
    gpu.id === inPlace || gpu.id.startsWith(`${card.id}-${gibibytes}gb`) || gpu.aliases.some((alias) => card.aliases.includes(alias))
  const plainly = (text: string): string => plainName(text).replace(/^rtx/, '')
  const goesOn = ({id, name}: Accelerator): boolean => [id, name].some((spelling) => plainly(spelling).startsWith(plainly(asked)))
  const distance = (gpu: Accelerator): number => Math.abs(gpu.memoryBytes - gibibytes * GIB)
  const ofSize = gpus.filter((gpu) => gpu.id !== card.id && isOfSize(gpu.memoryBytes, gibibytes))
  return ofSize.find(isSibling) ?? ofSize.filter(goesOn).sort((a, b) => distance(a) - distance(b))[0]
}

/** A card of which somebody gives figures: those of a catalogued card replaced, or all that is known of another. */
function cardOfFigures(catalogue: Catalogue, id: string, figures: GpuFigures): Accelerator {
  const card = BLANK_NAMES.includes(id) ? undefined : (catalogue.gpu(id) ?? findGpu(catalogue.gpus, id))
  return card ? withFigures(card, figures) : unknownCard(catalogue.gpus, id, figures)
}

/** What of a catalogued card was replaced. Bandwidth that was raised does not raise rates: they have to be given too. */
function withFigures(card: Accelerator, figures: GpuFigures): Accelerator {
  const {text, name, operationsPerSecond, pcie, ...given} = figures
  const {driverReservedBytes: reserved, nicknames: _names, memoryOptionsBytes: _options, memoryVariantsBytes: _variants, ...rest} = card
  return {
    ...rest,
    ...given,
    ...(figures.memoryBytes === undefined && reserved !== undefined && {driverReservedBytes: reserved}),
    id: `${card.id}:${text}`,
    name: name ?? `${card.name} (other figures)`,
    denseOperationsPerSecond: {...card.denseOperationsPerSecond, ...operationsPerSecond},
    ...(pcie && {pcie}),
    remarks: [`figures of ${card.name} are replaced by hand: ${text.replaceAll(',', ', ')}`],
  }
}

function unknownCard(gpus: readonly Accelerator[], id: string, figures: GpuFigures): Accelerator {
  const {memoryBytes, memoryBandwidthBytesPerSecond, computeCapability, gfxTarget, operationsPerSecond, pcie, text} = figures
  if (memoryBytes === undefined || memoryBandwidthBytesPerSecond === undefined) {
    const missing = [memoryBytes === undefined && 'memory', memoryBandwidthBytesPerSecond === undefined && 'bandwidth'].filter(Boolean).join(' and ')
    const blank = BLANK_NAMES.includes(id)
    throw new InputError(
      'GPU_FIGURES_INVALID',
      `${blank ? 'A card' : `No GPU named ${quotedShort(id)} in the catalogue, and a card`} given by its figures needs ${missing}, as in --gpu 2xcard:memory=20GiB,bandwidth=760GB/s,capability=8.6`,
      {suggestions: blank ? [] : unknownGpu(gpus, id).suggestions},
    )
  }
  const vendor: Vendor = figures.vendor ?? (gfxTarget === undefined ? 'nvidia' : 'amd')
  const estimate = estimatedRates(gpus, {vendor, computeCapability, gfxTarget, memoryBandwidthBytesPerSecond, operationsPerSecond})
  const typed = BLANK_NAMES.includes(id) ? undefined : id
  return {
    id: `${typed ?? 'card'}:${text}`,
    name: figures.name ?? (typed === undefined ? 'unnamed card' : typed.replaceAll(/[^\w .()+-]/g, '').slice(0, 48)),
    vendor,
    aliases: [],
    ...(computeCapability !== undefined && {computeCapability}),
    ...(gfxTarget !== undefined && {gfxTarget}),
    memoryBytes,
    memoryBasis: 'reported',
    memoryBandwidthBytesPerSecond,
    denseOperationsPerSecond: operationsPerSecond,
    ...(Object.keys(estimate.operationsPerSecond).length > 0 && {
      estimatedOperationsPerSecond: estimate.operationsPerSecond,
      estimateBasis: `from ${estimate.peers}`,
    }),
    native: estimate.native,
    ...((pcie ?? estimate.pcie) && {pcie: pcie ?? estimate.pcie}),
    confidence: 'low',
    remarks: remarksOn(figures, estimate, vendor),
  }
}

/** What was not given, and what stands in its place. */
function remarksOn(
  {computeCapability, gfxTarget, operationsPerSecond, pcie}: GpuFigures,
  estimate: ReturnType<typeof estimatedRates>,
  vendor: Vendor,
): string[] {
  const remarks: string[] = []
  const {operationsPerSecond: estimated, peers} = estimate
  if (peers === undefined)
    remarks.push(
      computeCapability === undefined && gfxTarget === undefined && (vendor === 'nvidia' || vendor === 'amd')
        ? `the card is assumed to be from ${vendor === 'nvidia' ? 'NVIDIA' : 'AMD'}; without ${vendor === 'nvidia' ? 'capability=' : 'gfx='} servefit cannot check whether the engine's build and kernels run on it, and compute rates are estimated from its bandwidth`
        : 'no card of its architecture is in the catalogue: rates that were not given are estimated from its bandwidth',
    )
  const rates = Object.entries(estimated).map(([type, rate]) => `${type} ${rateInWords(type as ComputeType, rate)}`)
  const what = [
    ...(rates.length > 0 ? [rates.join(', ')] : []),
    ...(pcie === undefined && estimate.pcie ? [`PCIe ${estimate.pcie.generation} x${estimate.pcie.laneCount}`] : []),
  ]
  if (what.length > 0) {
    const by = Object.keys(operationsPerSecond).length > 0 ? 'the rate that was given' : 'its bandwidth'
    remarks.push(`not given and estimated from ${by} and ${peers}: ${what.join('; ')}`)
  }
  return remarks
}

const rateInWords = (type: ComputeType, rate: number): string => `${Number((rate / 1e12).toPrecision(3))} ${type.startsWith('int') ? 'TOPS' : 'TFLOPS'}`
