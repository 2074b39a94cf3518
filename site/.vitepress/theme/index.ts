/** The default theme, and diagrams: pages with one load mermaid, which is published as it is, since bundling it takes minutes. */
import { type Theme, useRoute } from 'vitepress';
import DefaultTheme from 'vitepress/theme';
import { nextTick, onMounted, watch } from 'vue';

declare global {
  interface Window {
    mermaid?: { initialize(options: object): void; run(): Promise<void> };
  }
}

async function draw(): Promise<void> {
  await nextTick();
  if (document.querySelector('.mermaid:not([data-processed])') === null) return;
  if (window.mermaid === undefined) {
    const script = document.createElement('script');
    script.src = '/mermaid.min.js';
    await new Promise((resolve, reject) => {
      script.onload = resolve;
      script.onerror = reject;
      document.head.append(script);
    });
    const theme = document.documentElement.classList.contains('dark') ? 'dark' : 'neutral';
    window.mermaid!.initialize({ startOnLoad: false, theme });
  }
  await window.mermaid!.run();
}

export default {
  extends: DefaultTheme,
  setup() {
    const route = useRoute();
    onMounted(draw);
    watch(() => route.path, draw);
  },
} satisfies Theme;
