/** What the builds for platforms beyond CUDA and ROCm put into the data of engines and of speed. */
import type {HardwareClass} from '../core/throughput/calibration.ts'
import type {EngineImage} from '../engines/launch/serving.ts'
import type {Platform} from '../engines/platform-table.ts'
import type {PlatformsFile} from '../engines/platforms-schema.ts'

type Entries = PlatformsFile['platforms']

/** The platforms as one engine sees them: its own build, and which other engines have a modelled one. */
export const platformsFor = (engine: string, entries: Entries): Platform[] =>
  entries.map(({builds, elsewhereSource: _source, ...platform}) => {
    const {images: _images, speed: _speed, ...build} = builds[engine] ?? {}
    return {
      ...platform,
      ...(builds[engine] && {build: build as Platform['build']}),
      others: Object.keys(builds).filter((id) => id !== engine && builds[id]!.modelled),
    }
  })

/** Images of an engine's builds for platforms. */
export const platformImages = (engine: string, entries: Entries): EngineImage[] =>
  entries.flatMap(({accelerators, builds}) =>
    (builds[engine]?.images ?? []).map(({architecture, ...image}) => {
      const architectures = architecture === undefined ? accelerators.architectures : [architecture]
      return {vendor: accelerators.vendor, ...(architectures && {architectures}), ...image}
    }),
  )

/** What is assumed of kernels of these vendors, where nothing was measured. */
export const platformClasses = (entries: Entries): Record<string, HardwareClass> =>
  Object.fromEntries(
    entries.flatMap(({accelerators, builds}) =>
      Object.values(builds).flatMap(({speed}) => {
        if (!speed) return []
        const {reports: _reports, ...own} = speed
        return [[accelerators.vendor, {weightOnly: 1, blockScaled: 1, state: 1, ...own}] as const]
      }),
    ),
  )
