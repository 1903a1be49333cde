// What is said of an intervention in words: what it does, whether it can be taken back, when.
import { chance, scopeName } from '../format';
import type { Finding, Intervention } from '../protocol';

const attempts = (n: string | number | undefined): string =>
  (String(n) === '1' ? '1 attempt' : `${String(n ?? '?')} attempts`);

export function does(i: Pick<Intervention, 'type' | 'scope' | 'strength' | 'params'>): string {
  const share = chance(i.strength);
  const where = scopeName(i.scope);
  switch (i.type) {
    case 'suppress_path': return `Keep ${share} of customers off ${where}`;
    case 'reroute_traffic':
      return `Move ${share} of ${where} to ${String(i.params['to_gateway'] ?? 'another gateway')}`;
    case 'reduce_retry_attempts':
      return `At most ${attempts(i.params['max_attempts'])} on ${where}, for ${share} of customers`;
    case 'adjust_retry': return `Space out retries on ${where}`;
    case 'alert_ops': return `Alert a person about ${where}`;
    default: return `${i.type.replaceAll('_', ' ')} on ${where}`;
  }
}

export function undoing(i: Intervention): string {
  return i.type === 'alert_ops'
    ? 'Cannot be taken back: people are told.'
    : 'Reversible: a lease that ends by itself; the agent takes it back sooner when it does harm.';
}

// The conditions under which it is rolled back, the costliest finding's first.
export function rollbacks(findings: readonly Finding[]): string[] {
  const found = [...findings].sort((a, b) => b.probability * b.cost_minor - a.probability * a.cost_minor);
  return [...new Set(found.map((f) => f.rollback_when).filter((text) => text))];
}

export const STATES: Record<string, string> = {
  proposed: 'waits for a person', approved: 'approved', active: 'active', ended: 'ended',
  rolled_back: 'rolled back', rejected: 'rejected', withdrawn: 'withdrawn', shadowed: 'shadow only',
};

export const isRunning = (i: Intervention): boolean => i.state === 'active' || i.state === 'approved';
