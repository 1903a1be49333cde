// Figures as people read them. Pure; the locale follows the currency, the minus is a real one.

const LOCALES: Record<string, string> = { INR: 'en-IN', USD: 'en-US', EUR: 'en-IE', GBP: 'en-GB' };
const formats = new Map<string, Intl.NumberFormat>();
const DASH = '–';

function numberFormat(locale: string, options: Intl.NumberFormatOptions): Intl.NumberFormat {
  const key = locale + JSON.stringify(options);
  let format = formats.get(key);
  if (!format) formats.set(key, format = new Intl.NumberFormat(locale, options));
  return format;
}

// A real minus sign, and no minus zero.
const minus = (text: string): string =>
  (/^-[0.,]*(?![1-9])[^1-9]*$/.test(text) ? text.slice(1) : text.replace('-', '−'));
export const localeOf = (currency: string): string => LOCALES[currency] ?? 'en-GB';

function currencyFormat(currency: string, options: Intl.NumberFormatOptions): Intl.NumberFormat {
  try {
    return numberFormat(localeOf(currency), { style: 'currency', currency, ...options });
  } catch {
    return numberFormat('en-GB', { ...options, minimumFractionDigits: 0 });
  }
}

// Minor units per major one: 100 for INR, 1 for JPY.
function minorOf(currency: string): number {
  return 10 ** (currencyFormat(currency, {}).resolvedOptions().maximumFractionDigits ?? 2);
}

// Whole major units, grouped as the currency's country does: ₹1,84,236.
export function money(minor: number | null | undefined, currency: string): string {
  if (minor == null || !Number.isFinite(minor)) return DASH;
  const major = Math.round(minor / minorOf(currency)) || 0;
  return minus(currencyFormat(currency, { maximumFractionDigits: 0, minimumFractionDigits: 0 })
    .format(major));
}

// With a sign, for gains and losses: +₹310.
export function gain(minor: number | null | undefined, currency: string): string {
  const text = money(minor, currency);
  return (minor ?? 0) > 0 && text !== money(0, currency) ? `+${text}` : text;
}

export function percent(share: number | null | undefined, digits = 1): string {
  if (share == null || !Number.isFinite(share)) return DASH;
  return minus(`${(share * 100).toFixed(digits)} %`);
}

// A probability: never "100 %" or "0 %" unless it is.
export function chance(p: number | null | undefined): string {
  if (p == null || !Number.isFinite(p)) return DASH;
  if (p > 0.99 && p < 1) return '> 99 %';
  if (p < 0.01 && p > 0) return '< 1 %';
  return `${Math.round(p * 100)} %`;
}

export function points(difference: number | null | undefined): string {
  if (difference == null || !Number.isFinite(difference)) return DASH;
  const text = (difference * 100).toFixed(1);
  return `${minus(Number(text) > 0 ? `+${text}` : text)} pt`;
}

export function number(value: number | null | undefined, digits = 0): string {
  if (value == null || !Number.isFinite(value)) return DASH;
  return minus(numberFormat('en-GB', { maximumFractionDigits: digits, minimumFractionDigits: digits })
    .format(value));
}

export function rate(perS: number): string {
  return `${number(perS, perS < 10 ? 1 : 0)}/s`;
}

export function milliseconds(ms: number | null | undefined): string {
  if (ms == null || !Number.isFinite(ms)) return DASH;
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(2)} s`;
}

// How long: 42 s, 3 min 05 s, 2 h 10 min, 3 d 4 h.
export function duration(ms: number): string {
  const s = Math.max(0, Math.round(ms / 1000));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${String(s % 60).padStart(2, '0')} s`;
  if (s < 86_400) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
  return `${Math.floor(s / 86_400)} d ${Math.floor((s % 86_400) / 3600)} h`;
}

// What is left until something ends: 4:12, 0:09.
export function countdown(ms: number): string {
  const s = Math.max(0, Math.ceil(ms / 1000));
  return `${Math.floor(s / 60)}:${String(s % 60).padStart(2, '0')}`;
}

export function utc(ms: number): string {
  return ms > 0 ? new Date(ms).toISOString().slice(11, 19) : DASH;
}

export function utcDate(ms: number): string {
  return ms > 0 ? new Date(ms).toISOString().slice(0, 19).replace('T', ' ') : DASH;
}

export function local(ms: number, zone?: string): string {
  if (ms <= 0) return DASH;
  return new Intl.DateTimeFormat('en-GB', {
    hour: '2-digit', minute: '2-digit', second: '2-digit',
    ...(zone === undefined ? {} : { timeZone: zone }),
  }).format(ms);
}

// ", 09:12:11 here" where the browser's time is not UTC.
export const here = (ms: number): string => (zoneName(ms) === 'UTC' ? '' : `, ${local(ms)} here`);

export function zoneName(ms: number, zone?: string): string {
  const parts = new Intl.DateTimeFormat('en-GB', {
    timeZoneName: 'short', ...(zone === undefined ? {} : { timeZone: zone }),
  }).formatToParts(ms);
  return parts.find((p) => p.type === 'timeZoneName')?.value ?? '';
}

// issuer_down -> issuer down
export const words = (name: string): string => name.replaceAll('_', ' ');
export const sentence = (name: string): string => {
  const text = words(name);
  return text.charAt(0).toUpperCase() + text.slice(1);
};

// "HDFC · card", "all traffic"; what is any is left out.
export function scopeName(s: { issuer: string; method: string; gateway: string }): string {
  const parts = [s.issuer, s.method, s.gateway].filter((part) => part && part !== '*');
  return parts.length ? parts.join(' · ') : 'all traffic';
}

// "suppress 25 % of HDFC · card" and the like: what an intervention does, in words.
export function actionName(type: string): string {
  const names: Record<string, string> = {
    alert_ops: 'Alert a person', adjust_retry: 'Space out retries',
    reduce_retry_attempts: 'Fewer retries', suppress_path: 'Keep traffic off',
    reroute_traffic: 'Reroute traffic', no_action: 'Do nothing',
  };
  return names[type] ?? sentence(type);
}

// What an incident is about: what one calls it, how its payments are counted, and their measure.
const KINDS: Record<string, { label: string; verb: string }> = {
  latency_spike: { label: 'Slow', verb: 'are slow' },
  retry_storm: { label: 'Retries', verb: 'are retries' },
  fraud_burst: { label: 'Suspected fraud', verb: 'are suspected of fraud' },
  decline_mix_shift: { label: 'Declined', verb: 'are declined' },
  volume_drop: { label: 'Payments', verb: 'payments' },
  complaints: { label: 'Complaints', verb: 'complaints' },
};

export interface Seen { label: string; verb: string; observed: string; usual: string }

export function seen(i: { pattern: string; observed: number; expected: number }): Seen {
  const measure = (value: number): string =>
    i.pattern === 'volume_drop' ? `${number(value, 1)}/s`
    : i.pattern === 'complaints' ? `${number(value, 1)} an hour` : percent(value);
  return { ...(KINDS[i.pattern] ?? { label: 'Failing', verb: 'fail' }), observed: measure(i.observed), usual: measure(i.expected) };
}
