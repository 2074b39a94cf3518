import { render } from 'preact';
import { App } from './app.tsx';
import { connect } from './live.ts';
import { prefixLinks } from './prefix.ts';
import { applyTheme } from './theme.ts';

prefixLinks();
applyTheme();
connect();
render(<App />, document.getElementById('app')!);
