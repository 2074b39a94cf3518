import { render } from 'preact';
import { App } from './app.tsx';
import { connect } from './live.ts';
import { applyTheme } from './theme.ts';

applyTheme();
connect();
render(<App />, document.getElementById('app')!);
