// Who are you: asked before anything is shown, and again when the session has ended.
import type { Api } from '../api';
import { h, setText } from '../dom';

export function signInForm(api: Api, done: () => void): HTMLElement {
  const user = h('input', { id: 'user', name: 'username', autocomplete: 'username', required: true, autocapitalize: 'none', spellcheck: 'false' });
  const password = h('input', { id: 'password', name: 'password', type: 'password', autocomplete: 'current-password', required: true });
  const wrong = h('p', { class: 'wrong', role: 'alert' });
  const button = h('button', { class: 'primary', type: 'submit' }, 'Sign in');
  const form = h('form', { class: 'signin' },
    h('h1', {}, 'payops'), h('p', { class: 'muted' }, 'The operators’ console'),
    h('label', { for: 'user' }, 'User'), user, h('label', { for: 'password' }, 'Password'), password,
    wrong, button);
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    button.disabled = true;
    setText(wrong, '');
    const answer = await api.signIn(user.value.trim(), password.value);
    button.disabled = false;
    if (answer.status === 200) return done();
    password.value = '';
    password.focus();
    setText(wrong, reason(answer.status));
  });
  queueMicrotask(() => user.focus());
  return form;
}

function reason(status: number): string {
  if (status === 0) return 'The server could not be reached.';
  if (status === 429) return 'Too many tries. Wait a minute.';
  return 'Wrong user or password.';
}
