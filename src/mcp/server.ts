import {Transform} from 'node:stream'
import {Server, type ServerOptions} from '@modelcontextprotocol/sdk/server/index.js'
import {StdioServerTransport} from '@modelcontextprotocol/sdk/server/stdio.js'
import {type CallToolResult, CallToolRequestSchema, ErrorCode, ListToolsRequestSchema, McpError} from '@modelcontextprotocol/sdk/types.js'
import type {JsonSchemaValidatorResult} from '@modelcontextprotocol/sdk/validation/types.js'
import {failureOf} from '../cli/failures.ts'
import {escapedJson, jsonText} from '../render/json-text.ts'
import type {LocalServefit} from '../node/index.ts'
import {outputOf} from './input-schemas.ts'
import {type Tool, TOOLS} from './tools.ts'

const INSTRUCTIONS = `servefit plans how open-weights language models are served on machines with GPUs: does it fit, how fast is it under a load, what exactly is started (vLLM, SGLang, TensorRT-LLM). Start with check; plan searches for the best; config writes what to start. Every figure is an estimate with an interval: tell both ends. Names that are wrong are answered with those that are near.`

/** Answers the protocol on standard input and output until the other side closes them. */
export async function serve(servefit: LocalServefit, version: string): Promise<void> {
  // What clients send is checked where the library checks it, by the same schemas.
  const unchecked: ServerOptions['jsonSchemaValidator'] = {
    getValidator:
      <T>() =>
      (input: unknown) =>
        ({valid: true, data: input as T, errorMessage: undefined}) as JsonSchemaValidatorResult<T>,
  }
  const server = new Server(
    {name: 'servefit', title: 'servefit', version},
    {capabilities: {tools: {}}, instructions: INSTRUCTIONS, jsonSchemaValidator: unchecked},
  )
  server.setRequestHandler(ListToolsRequestSchema, async () => ({tools: await Promise.all(TOOLS.map(listed))}))
  server.setRequestHandler(CallToolRequestSchema, async ({params}) => called(servefit, params.name, params.arguments ?? {}))
  const closed = new Promise<void>((resolve) => {
    server.onclose = resolve
    process.stdin.once('end', resolve)
  })
  await server.connect(new StdioServerTransport(process.stdin, spelledOut()))
  await closed
}

/** Standard output for messages in JSON, with nothing in them that a terminal acts on: hosts show what servers say in their logs. */
function spelledOut(): Transform {
  const messages = new Transform({decodeStrings: false, transform: (text, _encoding, done) => done(null, escapedJson(String(text)))})
  messages.pipe(process.stdout)
  return messages
}

async function listed({name, title, description, input, document}: Tool) {
  return {
    name,
    title,
    description,
    inputSchema: await input(),
    outputSchema: await outputOf(document),
    annotations: {title, readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false},
  }
}

/** A question that cannot be answered is a result that says so, as the protocol has it; a tool that is not there is an error of the protocol. */
async function called(servefit: LocalServefit, name: string, given: Record<string, unknown>): Promise<CallToolResult> {
  const tool = TOOLS.find((known) => known.name === name)
  if (!tool) throw new McpError(ErrorCode.InvalidParams, `No tool "${name}": expected ${TOOLS.map((known) => known.name).join(', ')}`)
  try {
    // As it crosses the wire: what is undefined is absent.
    const document = JSON.parse(JSON.stringify(await tool.answer(servefit, given))) as Record<string, unknown>
    return {content: [{type: 'text', text: jsonText(document)}], structuredContent: document}
  } catch (error) {
    const {text} = failureOf(error)
    return {content: [{type: 'text', text: text.trim()}], isError: true}
  }
}
