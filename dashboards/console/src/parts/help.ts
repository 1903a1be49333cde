// The keys, and a way to turn them off: single keys disturb who dictates.
import { h } from '../dom';

const KEYS: [string, string][] = [
  ['?', 'this help'], ['n', 'Now'], ['p', 'Approvals'], ['s', 'Series of all traffic'], ['h', 'History'], ['x', 'Stop the agent, or let it act again; asks first'],
  ['j / k', 'Approvals: next, previous'], ['a', 'Approvals: approve'], ['r', 'Approvals: reject, with a reason'], ['i', 'Approvals: propose an intervention'],
  ['arrows', 'in the grid: from cell to cell; Enter opens its series'], ['Esc', 'leaves a question'],
];

export const shortcutsOn = (): boolean => localStorage.getItem('shortcuts') !== 'off';

export function showHelp(): void {
  if (document.querySelector('dialog')) return;
  const off = h('input', { type: 'checkbox', id: 'shortcuts' });
  off.checked = shortcutsOn();
  off.addEventListener('change', () => localStorage.setItem('shortcuts', off.checked ? 'on' : 'off'));
  const dialog = h('dialog', { class: 'ask', 'aria-labelledby': 'help-title' }, h('form', { method: 'dialog' },
    h('h2', { id: 'help-title' }, 'Keys'),
    h('dl', { class: 'key-list' }, ...KEYS.map(([key, what]) => h('div', {}, h('dt', {}, h('kbd', {}, key)), h('dd', {}, what)))),
    h('label', { for: 'shortcuts', class: 'check' }, off, 'Single keys work'),
    h('div', { class: 'buttons' }, h('button', { value: 'ok' }, 'Close'))));
  dialog.addEventListener('close', () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}
