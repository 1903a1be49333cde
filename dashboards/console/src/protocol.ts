// What the server says, version 1: docs/console-protocol.md. Money in minor units, times in ms UTC,
// rates 0..1.

export interface Scope { issuer: string; method: string; gateway: string }
export interface Range { mean: number; low: number; high: number }

export interface Header {
  step: number; at_ms: number; watermark_ms: number; build: string;
  agent_state: 'acting' | 'observe_only' | 'killed' | 'standby'; why: string;
  mode: Record<string, string>; killed: boolean; currency: string; attempts_per_s: number;
  success: number; at_risk_minor_per_min: number; lost_today_minor: number;
  saved_today_minor: number; input_lag: number | null; dead_letters: number; conclusion: string;
  demo: boolean; cycle_interval_s: number;
}

export interface Cell extends Scope {
  attempts: number; per_s: number; success: number; baseline: number; z: number; signal: string;
  degraded: boolean; alarming: boolean; warming_up: boolean; latency_p95_ms: number;
  latency_baseline_ms: number; retry_rate: number; retry_baseline: number;
  declines: Record<string, number>; spark: (number | null)[];
}

export interface Hypothesis {
  cause: string; scope: Scope; posterior: number; for: string[]; against: string[];
  why_not: string;
}

export interface Incident {
  id: string; status: 'started' | 'updated' | 'resolved'; severity: 'high' | 'medium' | 'low';
  pattern: string; spread: string; scope: Scope; started_ms: number; raised_ms: number;
  ended_ms: number; observed: number; expected: number; statistic: number; threshold: number;
  cause: string; cause_scope: Scope; posterior: number; hypotheses: Hypothesis[];
  interventions: string[]; saved_minor: number; at_risk_minor_per_min: number; text: string;
}

export interface Finding {
  mode: string; probability: number; cost_minor: number; because: string; mitigation: string;
  rollback_when: string;
}

export interface Arm { payments: number; conversions: number }

export interface Outcome {
  result: string; treated: Arm; holdout: Arm; effect: Range; value_minor: number;
}

export interface Alternative { type: string; scope: Scope; nrv: Range; why_not: string }

export interface Intervention {
  id: string; type: string; scope: Scope; params: Record<string, string | number>;
  strength: number; holdout: number;
  state: 'proposed' | 'approved' | 'active' | 'ended' | 'rolled_back' | 'rejected' | 'withdrawn'
    | 'shadowed';
  decided_ms: number; issued_ms: number; expires_ms: number; answer_by_ms: number;
  shown_hash: string; risk: string; reason: string; confidence: number; blast_radius: number;
  nrv: Range & { items: { name: string; amount_minor: number }[] };
  findings: Finding[]; gate: string[]; alternatives: Alternative[]; incident_id: string;
  outcome: Outcome; decision_id: string; why: string;
}

export interface GraphNode { node: string; phase: string; us: number; ran: boolean }

export interface State {
  header: Record<string, Header>;
  cells: Record<string, Cell>;
  incidents: Record<string, Incident>;
  interventions: Record<string, Intervention>;
  graph: Record<string, GraphNode>;
}
export type Section = keyof State;
export const SECTIONS: readonly Section[] =
  ['header', 'cells', 'incidents', 'interventions', 'graph'];

export type Message =
  | { type: 'hello'; protocol: number; epoch: string; heartbeat_ms: number; stale_after_ms: number }
  | { type: 'snapshot'; epoch: string; seq: number; server_ms: number; state: State }
  | {
    type: 'delta'; seq: number; server_ms: number;
    set?: { [S in Section]?: State[S] }; remove?: { [S in Section]?: string[] };
  }
  | { type: 'heartbeat'; seq: number; server_ms: number; watermark_ms: number };

export interface SeriesPoint {
  ts_ms: number; attempts: number; success: number; baseline: number; sd: number; p50_ms: number;
  p95_ms: number; p99_ms: number; retry_rate: number; declines: Record<string, number>;
}

export interface Me { user: string; role: string; demo: boolean; ws_port: number }

export const scopeKey = (s: Scope): string => `${s.issuer}|${s.method}|${s.gateway}`;
