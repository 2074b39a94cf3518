/** The path under which a reverse proxy serves the page. Addresses in the code are without it. */
import { options } from 'preact';

const PREFIX = document.documentElement.dataset.prefix ?? '';

/** `path` as the browser asks for it. */
export function withPrefix(path: string): string {
  return path.startsWith('/') ? PREFIX + path : path;
}

/** The other way round. */
export function withoutPrefix(path: string): string {
  return PREFIX !== '' && `${path}/`.startsWith(`${PREFIX}/`) ? path.slice(PREFIX.length) || '/' : path;
}

/** Links lead below the prefix, also those that are opened in another tab. */
export function prefixLinks(): void {
  if (PREFIX === '') return;
  const before = options.vnode;
  options.vnode = (vnode) => {
    const props = vnode.props as { href?: unknown };
    if (vnode.type === 'a' && typeof props.href === 'string') props.href = withPrefix(props.href);
    before?.(vnode);
  };
}
