import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitepress';
import sidebar from '../pages/sidebar.json' with { type: 'json' };

const published = fileURLToPath(new URL('../pages/public', import.meta.url));

export default defineConfig({
  title: 'forktrace',
  description: 'Tracing for Node.js processes that fork: spans that survive kill -9, and say why a process died.',
  srcDir: 'pages',
  outDir: 'dist',
  cleanUrls: true,
  // A link that leads nowhere fails the build. Files beside the pages are no pages.
  ignoreDeadLinks: [/^http:\/\/localhost/, (url) => existsSync(published + url)],
  // The search index is one chunk, which grows with the pages.
  vite: { build: { chunkSizeWarningLimit: 2000 } },
  markdown: {
    config(md) {
      const fence = md.renderer.rules.fence!;
      // Drawn in the browser: see theme/index.ts.
      md.renderer.rules.fence = (tokens, index, options, env, self) =>
        tokens[index]!.info === 'mermaid'
          ? `<pre class="mermaid" v-pre>${md.utils.escapeHtml(tokens[index]!.content)}</pre>`
          : fence(tokens, index, options, env, self);
    },
  },
  themeConfig: {
    nav: [
      { text: 'Start', link: '/getting-started' },
      { text: 'Configuration', link: '/configuration' },
      { text: 'API', link: '/api/' },
      { text: 'Changelog', link: '/changelog' },
    ],
    sidebar,
    outline: [2, 3],
    search: { provider: 'local' },
  },
});
