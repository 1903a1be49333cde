// A question in front of the page: it takes the focus, Escape leaves it, what was focused before
// gets the focus back.
import { h } from '../dom';

export interface Question {
  title: string;
  body: (Node | string)[];
  confirm: string;
  danger?: boolean;
  // Asks for a text of at least three characters, under this label.
  reason?: string;
}

// The text given (empty when none was asked for), or null when left.
export function ask(question: Question): Promise<string | null> {
  return new Promise((answer) => {
    const text = h('textarea', { id: 'ask-reason', rows: 3, minlength: 3, maxlength: 400, required: true });
    const confirm = h('button', { class: question.danger ? 'danger' : 'primary', value: 'yes' }, question.confirm);
    const cancel = h('button', { value: 'no', type: 'button' }, 'Cancel');
    const form = h('form', { method: 'dialog' },
      h('h2', { id: 'ask-title' }, question.title), ...question.body,
      question.reason ? h('label', { for: 'ask-reason' }, question.reason) : null,
      question.reason ? text : null,
      h('div', { class: 'buttons' }, confirm, cancel));
    const dialog = h('dialog', { class: 'ask', 'aria-labelledby': 'ask-title' }, form);
    cancel.addEventListener('click', () => dialog.close('no'));
    text.addEventListener('keydown', (event) => {
      if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) form.requestSubmit(confirm);
    });
    dialog.addEventListener('close', () => {
      dialog.remove();
      answer(dialog.returnValue === 'yes' ? text.value.trim() : null);
    });
    document.body.append(dialog);
    dialog.showModal();
    (question.reason ? text : confirm).focus();
  });
}

export interface Choice { name: string; label: string; options: [string, string][]; value?: string }

// Some choices in front of the page; what was chosen by name, or null when left.
export function choose(title: string, body: (Node | string)[], choices: Choice[], confirm: string): Promise<Record<string, string> | null> {
  return new Promise((answer) => {
    const selects = choices.map((c) => {
      const select = h('select', { id: `choose-${c.name}` }, ...c.options.map(([value, text]) => h('option', { value }, text)));
      select.value = c.value ?? c.options[0]?.[0] ?? '';
      return select;
    });
    const cancel = h('button', { value: 'no', type: 'button' }, 'Cancel');
    const dialog = h('dialog', { class: 'ask', 'aria-labelledby': 'choose-title' }, h('form', { method: 'dialog' },
      h('h2', { id: 'choose-title' }, title), ...body,
      ...choices.flatMap((c, n) => [h('label', { for: `choose-${c.name}` }, c.label), selects[n] as HTMLElement]),
      h('div', { class: 'buttons' }, h('button', { class: 'primary', value: 'yes' }, confirm), cancel)));
    cancel.addEventListener('click', () => dialog.close('no'));
    dialog.addEventListener('close', () => {
      dialog.remove();
      answer(dialog.returnValue === 'yes' ? Object.fromEntries(choices.map((c, n) => [c.name, selects[n]?.value ?? ''])) : null);
    });
    document.body.append(dialog);
    dialog.showModal();
    selects[0]?.focus();
  });
}
