/**
 * The parts of the Model Context Protocol's SDK that are used. scripts/build-mcp.mjs bundles them into this
 * file: the package has no more dependencies because of them, and nothing else loads them.
 *
 * @module
 */
export { Server } from '@modelcontextprotocol/sdk/server/index.js';
export { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
export { CallToolRequestSchema, ListToolsRequestSchema } from '@modelcontextprotocol/sdk/types.js';
