// The operators' console: starts the connection, shows the view the address names, hands it what
// changed, at most once a frame.
import './styles/base.css';
import './styles/shell.css';
import './styles/now.css';
import './styles/detail.css';
import './styles/more.css';
import { Api } from './api';
import type { App, View } from './app';
import { Connection } from './connection';
import { h } from './dom';
import { showHelp, shortcutsOn } from './parts/help';
import { Shell } from './shell';
import { Store } from './store';
import { ApprovalsView } from './views/approvals';
import { AuditView } from './views/audit';
import { GraphView } from './views/graph';
import { HistoryView } from './views/history';
import { IncidentView } from './views/incident';
import { LearnedView } from './views/learned';
import { NowView } from './views/now';
import { SeriesView } from './views/series';
import { signInForm } from './views/signin';

const VIEWS: Record<string, (app: App, argument: string) => View> = {
  now: (app) => new NowView(app),
  approvals: (app) => new ApprovalsView(app),
  incident: (app, id) => new IncidentView(app, id),
  series: (app, scope) => new SeriesView(app, scope),
  history: (app) => new HistoryView(app),
  learned: (app) => new LearnedView(app),
  graph: (app) => new GraphView(app),
  audit: (app) => new AuditView(app),
};

const store = new Store();
const api = new Api();
const app: App = {
  store, api,
  now: () => store.watermark_ms || Date.now(),
  stale: () => store.freshness(performance.now()).stale,
  currency: () => store.header?.currency ?? 'INR',
  say: (text, kind) => shell.say(text, kind),
};
const shell = new Shell(app, showHelp);
const connection = new Connection(api, store, () => soon());
let view: View | undefined;
let pending = false;

function soon(): void {
  if (pending) return;
  pending = true;
  requestAnimationFrame(() => {
    pending = false;
    const changes = store.takeChanges();
    if (store.ready) view?.update(changes);
    shell.tick();
  });
}

function open(): void {
  if (!api.me) return;
  const [, name = 'now', argument = ''] = location.hash.split('/');
  const known = VIEWS[name] ? name : 'now';
  view?.dispose?.();
  view = (VIEWS[known] as (app: App, argument: string) => View)(app, decodeURIComponent(argument));
  shell.main.replaceChildren(view.element);
  shell.at(known === 'incident' ? 'now' : known);
  if (store.ready) {
    const all = { ...store.takeChanges(), all: true };
    view.update(all);
    view.tick?.();
  }
  scrollTo(0, 0);
}

async function begin(): Promise<void> {
  if (!api.restore() || !(await api.whoAmI())) return askWho();
  document.body.replaceChildren(shell.element);
  open();
  connection.start();
}

const GOES: Record<string, string> = { n: 'now', p: 'approvals', s: 'series', h: 'history' };

function press(event: KeyboardEvent): void {
  const target = event.target as HTMLElement;
  const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
  if (typing || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || event.repeat) return;
  if (!api.me || document.querySelector('dialog[open]') || !shortcutsOn()) return;
  const used = view?.key?.(event);
  if (used) event.preventDefault();
  else if (event.key === '?') showHelp();
  else if (GOES[event.key]) location.hash = `#/${GOES[event.key]}`;
}

function askWho(): void {
  connection.stop();
  document.body.replaceChildren(signInForm(api, () => void begin()));
}

api.onSignedOut = askWho;
addEventListener('hashchange', open);
addEventListener('keydown', press);
setInterval(() => {
  if (!api.me) return;
  shell.tick();
  view?.tick?.();
}, 1000);
document.body.append(h('div', { class: 'loading' }));
void begin();
