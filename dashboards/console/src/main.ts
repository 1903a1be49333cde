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
import { Replay } from './replay';
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
import { SimulatorView } from './views/simulator';

const VIEWS: Record<string, (app: App, argument: string) => View> = {
  now: (app) => new NowView(app),
  approvals: (app) => new ApprovalsView(app),
  incident: (app, id) => new IncidentView(app, id),
  series: (app, scope) => new SeriesView(app, scope),
  history: (app) => new HistoryView(app),
  learned: (app) => new LearnedView(app),
  graph: (app) => new GraphView(app),
  simulator: (app) => new SimulatorView(app),
  audit: (app, seq) => new AuditView(app, seq),
};

const live = new Store();
const api = new Api();
const replay = new Replay(api, (at_ms) => goTo(at_ms), () => show(), () => leave());
const app: App = {
  get store() { return replay.store ?? live; },
  api,
  now: () => app.store.watermark_ms || Date.now(),
  stale: () => replay.active || live.freshness(performance.now()).stale,
  past: () => replay.active,
  currency: () => app.store.header?.currency ?? live.header?.currency ?? 'INR',
  say: (text, kind) => shell.say(text, kind),
};
const shell = new Shell(app, showHelp, replay.bar);
const connection = new Connection(api, live, () => soon());
let view: View | undefined;
let pending = false;
let shown = '';  // name and argument of the view
let replayAt = 0;  // ms, of the address

function soon(): void {
  if (pending) return;
  pending = true;
  requestAnimationFrame(() => {
    pending = false;
    const changes = live.takeChanges();
    if (live.ready && !replay.active) view?.update(changes);
    shell.tick();
  });
}

// `#/VIEW/ARGUMENT`, or `#/replay/MS/VIEW/ARGUMENT` for what it showed at that moment.
function open(): void {
  if (!api.me) return;
  const parts = location.hash.split('/').slice(1);
  if (parts[0] !== 'replay') {
    // Links know of no replay; within one they stay in it, until it is left.
    if (replay.active) return location.replace(`#/replay/${replayAt}/${parts.join('/')}`);
    return show();
  }
  replayAt = Number(parts[1]) || 0;
  void replay.open(replayAt);
  if (replay.store) show();
}

function leave(): void {
  const rest = location.hash.split('/').slice(3).join('/');
  replay.close();
  location.hash = `#/${rest || 'now'}`;
}

function goTo(at_ms: number): void {
  const rest = location.hash.split('/').slice(3).join('/');
  history.replaceState(null, '', `#/replay/${at_ms}/${rest}`);
  replayAt = at_ms;
  void replay.open(at_ms);
}

function show(): void {
  const parts = location.hash.split('/').slice(replay.active ? 3 : 1);
  const [name = 'now', argument = ''] = parts;
  const known = VIEWS[name] ? name : 'now';
  const same = shown === `${known}/${argument}` && replay.active;
  shown = `${known}/${argument}`;
  const at = same ? scrollY : 0;
  view?.dispose?.();
  view = (VIEWS[known] as (app: App, argument: string) => View)(app, decodeURIComponent(argument));
  shell.main.replaceChildren(view.element);
  shell.main.dataset['view'] = known;
  shell.at(known === 'incident' ? 'now' : known);
  if (app.store.ready) {
    view.update({ ...app.store.takeChanges(), all: true });
    view.tick?.();
  }
  shell.tick();
  scrollTo(0, at);
}

async function begin(): Promise<void> {
  if (!api.restore() || !(await api.whoAmI())) return askWho();
  shell.offer(api.me?.demo ?? false);
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
  else if (event.key === 'x') shell.stop();
  else if (GOES[event.key]) location.hash = replay.active ? `#/replay/${replayAt}/${GOES[event.key]}` : `#/${GOES[event.key]}`;
}

function askWho(): void {
  connection.stop();
  document.body.replaceChildren(
    h('main', { class: 'signin-page' }, signInForm(api, () => void begin())));
}

// The view stays, marked stale, under the question who is there; another than before begins anew.
function askAgain(): void {
  if (!api.me) return askWho();
  if (document.querySelector('dialog.sign-in-again')) return;
  const before = api.me.user;
  connection.stop();
  for (const open of document.querySelectorAll<HTMLDialogElement>('dialog[open]')) open.close();
  const dialog = h('dialog', { class: 'ask sign-in-again', 'aria-label': 'Sign in again' });
  dialog.append(signInForm(api, async () => {
    const me = await api.whoAmI();
    if (me?.user !== before) return location.reload();
    dialog.remove();
    shell.offer(me.demo);
    connection.start();
  }));
  dialog.addEventListener('cancel', (event) => event.preventDefault());
  document.body.append(dialog);
  dialog.showModal();
}

api.onSignedOut = askWho;
api.onExpired = askAgain;
addEventListener('hashchange', open);
addEventListener('keydown', press);
function tick(): void {
  if (!api.me) return;
  void api.renew();
  shell.tick();
  view?.tick?.();
}
setInterval(tick, 1000);
// What has become stale is marked at once, not at the next second.
let wasStale = false;
setInterval(() => {
  const stale = app.stale();
  if (stale !== wasStale) tick();
  wasStale = stale;
}, 200);
document.body.append(h('div', { class: 'loading' }));
void begin();
