import { version } from '../own-files.js';
import { CallToolRequestSchema, ListToolsRequestSchema, Server, StdioServerTransport } from './protocol.js';
import { checkedArguments, type Tool } from './tool.js';

/**
 * Serves tools over standard input and output, until the client closes them. Nothing else may write to
 * standard output.
 */
export async function serve(tools: readonly Tool[], instructions: string): Promise<void> {
  const server = new Server({ name: 'forktrace', version }, { capabilities: { tools: {} }, instructions });
  server.setRequestHandler(ListToolsRequestSchema, () => ({
    tools: tools.map(({ name, title, description, properties, required = [] }) => ({
      name,
      title,
      description,
      inputSchema: { type: 'object' as const, properties, required: [...required], additionalProperties: false },
      annotations: { title, readOnlyHint: true, openWorldHint: false },
    })),
  }));
  server.setRequestHandler(CallToolRequestSchema, async ({ params: { name, arguments: given = {} } }) => {
    try {
      const tool = tools.find((one) => one.name === name);
      if (tool === undefined) throw new Error(`there is no tool ${name}`);
      return { content: [{ type: 'text', text: await tool.run(checkedArguments(tool, given)) }] };
    } catch (error) {
      return { content: [{ type: 'text', text: (error as Error).message }], isError: true };
    }
  });
  const closed = new Promise<void>((resolve) => {
    server.onclose = resolve;
    process.stdin.once('end', resolve);
  });
  await server.connect(new StdioServerTransport());
  await closed;
}
