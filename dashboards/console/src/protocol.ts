// What the server says, version 1: docs/console-protocol.md. Money in minor units, times in ms UTC,
// rates 0..1. The types come from its schema: schema.mjs.
import type { Scope, State } from './protocol-types';

export * from './protocol-types';

export type Section = keyof State;
export const SECTIONS: readonly Section[] =
  ['header', 'cells', 'incidents', 'interventions', 'graph', 'effects'];
export const scopeKey = (s: Scope): string => `${s.issuer}|${s.method}|${s.gateway}`;
