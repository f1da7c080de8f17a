/** Made by the bundler from the files of src/commands. */
declare module 'servefit:commands' {
  export const COMMANDS: Record<string, typeof import('@oclif/core/command').Command>
}
