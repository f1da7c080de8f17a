import type {Engine, EngineData} from './engine.ts'

/** What an engine is called and known by, as its data file says. */
export const identityOf = ({
  title,
  docsUrl,
  newestVersion,
  versions,
  overheads,
}: EngineData): Pick<Engine, 'title' | 'docsUrl' | 'newestVersion' | 'versions' | 'spreadBytes' | 'memoryErrors'> => ({
  title,
  docsUrl,
  newestVersion,
  versions,
  spreadBytes: overheads.spreadBytes,
  ...(overheads.errors && {memoryErrors: overheads.errors}),
})
