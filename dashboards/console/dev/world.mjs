// A made-up world for the development server: issuers, methods, gateways, an outage, proposals that
// wait, interventions that have ended. The same seed gives the same world.

const MINUTE = 60_000;
const ISSUERS = ['HDFC', 'ICICI', 'AXIS', 'SBI'];
const METHODS = ['card', 'upi', 'wallet', 'bnpl', 'netbanking'];
const GATEWAYS = ['RAZORPAY', 'PAYU', 'BILLDESK'];
const METHOD_SHARE = { card: 0.34, upi: 0.42, wallet: 0.09, bnpl: 0.05, netbanking: 0.1 };
const METHOD_SUCCESS = { card: 0.94, upi: 0.955, wallet: 0.97, bnpl: 0.93, netbanking: 0.91 };
const LATENCY_MS = { card: 1750, upi: 920, wallet: 610, bnpl: 1480, netbanking: 2350 };

function randomOf(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const hex = (random, n) =>
  Array.from({ length: n }, () => Math.floor(random() * 16).toString(16)).join('');

export class World {
  constructor({ seed = 7, issuers = ISSUERS, methods = METHODS, nowMs = Date.now(), calm = false } = {}) {
    this.random = randomOf(seed);
    this.issuers = issuers;
    this.methods = methods;
    this.calm = calm;
    this.wide = issuers.length > 20;
    this.nowMs = nowMs;
    this.step = 1841;
    this.killed = false;
    this.commands = [];
    this.state = { header: {}, cells: {}, incidents: {}, interventions: {}, graph: {}, effects: {} };
    this.paths = [];
    for (const issuer of issuers) {
      for (const method of methods) {
        const gateways = this.wide ? ['PAYU'] : GATEWAYS;
        for (const gateway of gateways) this.paths.push(this.newPath(issuer, method, gateway));
      }
    }
    for (let i = 0; i < 60; i++) this.turn(5000, i < 59);
    if (!calm) this.tell();
    this.header();
    this.learn();
    this.graph();
  }

  newPath(issuer, method, gateway) {
    const share = METHOD_SHARE[method] ?? 0.1;
    const gatewayShare = { RAZORPAY: 0.5, PAYU: 0.3, BILLDESK: 0.2 }[gateway];
    const usual = (METHOD_SUCCESS[method] ?? 0.94) + (this.random() - 0.5) * 0.012;
    return {
      issuer, method, gateway, usual, drift: 0, spark: [],
      per_s: 46 * share * gatewayShare * (0.6 + this.random() * 0.9),
      warming_up: issuer === 'SBI' && method === 'bnpl',
    };
  }

  fault(path, age) {
    if (this.calm) return 0;
    if (path.issuer === 'HDFC' && path.method === 'card') return age < 24 ? 0.42 : 0;
    if (path.issuer === 'ICICI' && path.method === 'upi' && path.gateway === 'BILLDESK') {
      return age < 12 ? 0.17 : 0;
    }
    if (path.issuer === 'AXIS' && path.method === 'netbanking') return age < 16 ? 0.05 : 0;
    return 0;
  }

  // Moves time on; each path gets one more point of five seconds.
  turn(ms, past = false) {
    if (!past) this.nowMs += ms;
    const rounds = 60;
    this.round = (this.round ?? 0) + 1;
    const age = Math.max(0, rounds - this.round);
    for (const path of this.paths) {
      path.drift += -0.12 * path.drift + 0.004 * (this.random() + this.random() - 1);
      const n = Math.max(2, path.per_s * 5);
      const noise = (this.random() + this.random() + this.random() - 1.5) * Math.sqrt(0.12 / n) * 0.8;
      const success = path.usual + path.drift + noise - this.fault(path, age);
      path.spark.push(Math.min(1, Math.max(0.02, success)));
      if (path.spark.length > 60) path.spark.shift();
    }
    if (past && this.round < rounds) return;
    this.step += 1;
    this.cellsOf();
  }

  // Changes what `share` of the cells show without moving the world: for measuring the page.
  shake(keys) {
    for (const key of keys) {
      const cell = { ...this.state.cells[key] };
      cell.success = Math.min(1, cell.success + (this.random() - 0.5) * 0.02);
      cell.z = Math.max(-3, cell.z + (this.random() - 0.5));
      cell.spark = [...cell.spark.slice(1), cell.success];
      this.state.cells[key] = cell;
    }
  }

  cellsOf() {
    const groups = new Map();
    const add = (key, path) => {
      const list = groups.get(key);
      if (list) list.push(path); else groups.set(key, [path]);
    };
    for (const p of this.paths) {
      add(`${p.issuer}|${p.method}|*`, p);
      add(`${p.issuer}|*|*`, p);
      add(`*|${p.method}|*`, p);
      add('*|*|*', p);
      if (this.wide) continue;
      add(`*|*|${p.gateway}`, p);
      add(`${p.issuer}|${p.method}|${p.gateway}`, p);
      add(`${p.issuer}|*|${p.gateway}`, p);
      add(`*|${p.method}|${p.gateway}`, p);
    }
    for (const [key, paths] of groups) this.state.cells[key] = this.cell(key, paths);
  }

  cell(key, paths) {
    const [issuer, method, gateway] = key.split('|');
    const perS = paths.reduce((sum, p) => sum + p.per_s, 0);
    const mean = (of) => paths.reduce((sum, p) => sum + of(p) * p.per_s, 0) / perS;
    const last = (p) => (p.spark.at(-1) + (p.spark.at(-2) ?? p.spark.at(-1)) + (p.spark.at(-3) ?? p.spark.at(-1))) / 3;
    const success = mean(last);
    const baseline = mean((p) => p.usual);
    const attempts = Math.round(perS * 15);
    const sd = Math.sqrt((baseline * (1 - baseline)) / Math.max(attempts, 8)) * 1.15;
    const z = (baseline - success) / sd;
    const latency = LATENCY_MS[method] ?? 1300;
    const failed = Math.round(attempts * (1 - success));
    const technical = Math.round(failed * (success < baseline - 0.04 ? 0.82 : 0.22));
    return {
      issuer, method, gateway, attempts, per_s: perS, success, baseline, z,
      signal: 'success_rate', degraded: z > 4, alarming: z > 6,
      warming_up: paths.every((p) => p.warming_up),
      latency_p95_ms: Math.round(latency * (1 + Math.max(0, baseline - success) * 1.4)),
      latency_baseline_ms: latency,
      retry_rate: 0.021 + Math.max(0, baseline - success) * 0.5, retry_baseline: 0.021,
      declines: {
        issuer_technical: technical, customer: Math.round((failed - technical) * 0.7),
        issuer_policy: Math.round((failed - technical) * 0.3),
      },
      spark: Array.from({ length: paths[0].spark.length }, (_, i) =>
        Math.round(mean((p) => p.spark[i] ?? p.usual) * 1e4) / 1e4),
    };
  }

  header() {
    const all = this.state.cells['*|*|*'];
    this.state.header.now = {
      step: this.step, at_ms: this.nowMs, watermark_ms: this.nowMs, build: '0.1.0+a8d3fc9',
      agent_state: this.killed ? 'killed' : 'acting',
      why: this.killed ? 'the kill switch is on' : '',
      mode: {
        alert_ops: 'auto', adjust_retry: 'auto', reduce_retry_attempts: 'auto',
        suppress_path: 'approve', reroute_traffic: 'approve',
      },
      killed: this.killed, currency: 'INR', attempts_per_s: all.per_s, success: all.success,
      at_risk_minor_per_min: this.calm ? 0 : 184_236_00 + Math.round((this.random() - 0.5) * 4_000_00),
      lost_today_minor: this.calm ? 0 : 21_43_870_00 + this.step * 310_00,
      saved_today_minor: this.calm ? 0 : 6_18_204_00 + this.step * 90_00,
      input_lag: 0, dead_letters: 3,
      conclusion: this.calm ? 'Nothing is degraded.' : 'HDFC declines cards through every gateway.',
      demo: true, cycle_interval_s: 8,
    };
  }

  // What was believed of each incident over time, and what was learnt of ways to act.
  learn() {
    for (const incident of Object.values(this.state.incidents)) {
      Object.assign(incident, { acknowledged_by: '', silenced_until_ms: 0, notes: [] });
      const causes = incident.hypotheses.map((x) => [`${x.cause} ${x.scope.issuer}|${x.scope.method}|${x.scope.gateway}`, x.posterior]);
      incident.beliefs = [0, 1, 2, 3, 4].map((n) => ({
        at_ms: incident.raised_ms + n * 8000,
        posteriors: Object.fromEntries(causes.map(([name, p]) => [name, (p * n + (4 - n) / Math.max(1, causes.length)) / 4])),
      }));
    }
    this.state.effects['suppress_path|issuer_down|*'] = {
      type: 'suppress_path', cause: 'issuer_down', peer: '*', factor: { mean: 0.86, low: 0.61, high: 1.11 },
      outcomes: 4, improved: 3, worse: 0, updated_ms: this.nowMs,
    };
  }

  graph() {
    const nodes = [
      ['window', 'observe', 412, true], ['detect', 'observe', 988, true],
      ['attribute', 'reason', 301, true], ['hypothesise', 'reason', 644, true],
      ['rank', 'decide', 1210, true], ['premortem', 'decide', 233, true],
      ['gate', 'decide', 41, true], ['wait_for_person', 'act', 0, false],
      ['publish', 'act', 92, true], ['outcomes', 'learn', 118, true],
      ['update_beliefs', 'learn', 55, true],
    ];
    for (const [node, phase, us, ran] of nodes) {
      this.state.graph[node] = { node, phase, us: Math.round(us * (0.9 + this.random() * 0.2)), ran };
    }
  }

  tell() {
    const t = this.nowMs;
    const inc = (o) => { this.state.incidents[o.id] = o; };
    inc({
      id: 'inc-7f3a91c2', status: 'updated', severity: 'high', pattern: 'issuer_outage', spread: 'localized',
      scope: { issuer: 'HDFC', method: 'card', gateway: '*' }, started_ms: t - 124_000, raised_ms: t - 119_000,
      ended_ms: 0, observed: 0.481, expected: 0.058, statistic: 41.7, threshold: 8.4,
      cause: 'issuer_down', cause_scope: { issuer: 'HDFC', method: 'card', gateway: '*' }, posterior: 0.94,
      hypotheses: [
        { cause: 'issuer_down', scope: { issuer: 'HDFC', method: 'card', gateway: '*' }, posterior: 0.94, for: ['fails alike through all three gateways', '82 % of the failures are issuer_technical (91, 96)', 'other issuers are as usual on the same gateways'], against: [], why_not: '' },
        { cause: 'gateway_down', scope: { issuer: '*', method: '*', gateway: 'RAZORPAY' }, posterior: 0.03, for: ['RAZORPAY carries half of the failures'], against: ['ICICI and AXIS cards succeed there at 94 %'], why_not: 'Other issuers are healthy on the same gateway.' },
        { cause: 'network', scope: { issuer: 'HDFC', method: 'card', gateway: '*' }, posterior: 0.02, for: ['latency p95 is up by 58 %'], against: ['few timeouts'], why_not: 'The failures are answered declines, not timeouts.' },
        { cause: 'none_of_these', scope: { issuer: '*', method: '*', gateway: '*' }, posterior: 0.01, for: [], against: [], why_not: '' },
      ],
      interventions: ['act-51d0aa7e', 'act-9c2e4410'], saved_minor: 1_84_920_00, at_risk_minor_per_min: 1_58_400_00,
      text: 'HDFC has been declining cards through every gateway since 2 minutes: 48 % fail where 6 % is usual.',
    });
    inc({
      id: 'inc-20be5d18', status: 'started', severity: 'medium', pattern: 'gateway_failure', spread: 'localized',
      scope: { issuer: 'ICICI', method: 'upi', gateway: 'BILLDESK' }, started_ms: t - 61_000, raised_ms: t - 48_000,
      ended_ms: 0, observed: 0.213, expected: 0.045, statistic: 12.9, threshold: 8.4, cause: 'gateway_down',
      cause_scope: { issuer: 'ICICI', method: 'upi', gateway: 'BILLDESK' }, posterior: 0.71,
      hypotheses: [
        { cause: 'gateway_down', scope: { issuer: 'ICICI', method: 'upi', gateway: 'BILLDESK' }, posterior: 0.71, for: ['ICICI upi is as usual on RAZORPAY and PAYU'], against: ['other issuers on BILLDESK are only slightly down'], why_not: '' },
        { cause: 'issuer_down', scope: { issuer: 'ICICI', method: 'upi', gateway: '*' }, posterior: 0.2, for: ['the declines come from the issuer'], against: ['healthy on two of three gateways'], why_not: 'It succeeds through the other gateways.' },
        { cause: 'none_of_these', scope: { issuer: '*', method: '*', gateway: '*' }, posterior: 0.09, for: [], against: [], why_not: '' },
      ],
      interventions: ['act-e07b3321'], saved_minor: 0, at_risk_minor_per_min: 25_836_00,
      text: 'ICICI UPI fails on BILLDESK only: 21 % where 5 % is usual.',
    });
    inc({
      id: 'inc-b81c07fe', status: 'resolved', severity: 'low', pattern: 'latency_spike', spread: 'localized',
      scope: { issuer: 'SBI', method: 'netbanking', gateway: 'PAYU' }, started_ms: t - 34 * MINUTE, raised_ms: t - 33.6 * MINUTE,
      ended_ms: t - 21 * MINUTE, observed: 0.11, expected: 0.085, statistic: 9.1, threshold: 8.4, cause: 'latency',
      cause_scope: { issuer: 'SBI', method: 'netbanking', gateway: 'PAYU' }, posterior: 0.83, hypotheses: [],
      interventions: ['act-3300c1d9'], saved_minor: 42_310_00, at_risk_minor_per_min: 0,
      text: 'SBI net banking through PAYU was slow for 13 minutes; retries were spaced out.',
    });
    this.tellInterventions(t);
  }

  tellInterventions(t) {
    const act = (o) => { this.state.interventions[o.id] = { ...intervention(t, this.random), ...o }; };
    act({
      id: 'act-51d0aa7e', type: 'reduce_retry_attempts', scope: { issuer: 'HDFC', method: 'card', gateway: '*' },
      params: { max_attempts: '1' }, strength: 0.9, state: 'active', risk: 'low', answer_by_ms: 0,
      decided_ms: t - 110_000, issued_ms: t - 109_000, expires_ms: t + 8 * MINUTE, blast_radius: 0.021,
      reason: 'Retries at an issuer that is down cost fees and succeed in 4 of 100.', incident_id: 'inc-7f3a91c2',
      outcome: { result: 'pending', treated: { payments: 1184, conversions: 702 }, holdout: { payments: 131, conversions: 72 }, effect: { mean: 0.043, low: -0.018, high: 0.104 }, value_minor: 1_84_920_00 },
    });
    act({
      id: 'act-9c2e4410', type: 'suppress_path', scope: { issuer: 'HDFC', method: 'card', gateway: '*' },
      params: {}, strength: 0.25, incident_id: 'inc-7f3a91c2', answer_by_ms: t + 4.2 * MINUTE,
      reason: 'Offer another method first to a quarter of HDFC card customers while the issuer is down.',
    });
    act({
      id: 'act-e07b3321', type: 'reroute_traffic', scope: { issuer: 'ICICI', method: 'upi', gateway: 'BILLDESK' },
      params: { to_gateway: 'RAZORPAY' }, strength: 0.5, risk: 'medium', blast_radius: 0.017, confidence: 0.71,
      reason: 'ICICI UPI is healthy on RAZORPAY, which has headroom for it.', incident_id: 'inc-20be5d18',
      answer_by_ms: t + 6.8 * MINUTE,
      nrv: { mean: 31_204_00, low: 4_110_00, high: 58_298_00, items: [{ name: 'recovered payments', amount_minor: 38_900_00 }, { name: 'fees', amount_minor: -5_196_00 }, { name: 'friction', amount_minor: -2_500_00 }] },
      alternatives: [
        { type: 'adjust_retry', scope: { issuer: 'ICICI', method: 'upi', gateway: 'BILLDESK' }, nrv: { mean: 6_800_00, low: -2_100_00, high: 15_700_00 }, why_not: 'Recovers less: the gateway stays broken for a retry on it.' },
        { type: 'no_action', scope: { issuer: '*', method: '*', gateway: '*' }, nrv: { mean: 0, low: 0, high: 0 }, why_not: 'Costs about ₹25,836 a minute.' },
      ],
    });
    const past = [
      ['act-3300c1d9', 'adjust_retry', 'SBI', 'netbanking', 'PAYU', 30, 'ended', 'improved', 0.031, 0.008, 0.054, 42_310_00, 'inc-b81c07fe'],
      ['act-a1f95502', 'reroute_traffic', 'AXIS', 'card', 'BILLDESK', 48, 'rolled_back', 'worse', -0.024, -0.047, -0.001, -8_450_00, ''],
      ['act-77d1e0b4', 'suppress_path', 'ICICI', 'wallet', '*', 52, 'rejected', '', 0, 0, 0, 0, ''],
      ['act-08cc219a', 'reduce_retry_attempts', 'AXIS', 'upi', '*', 57, 'ended', 'inconclusive', 0.006, -0.019, 0.031, 1_204_00, ''],
      ['act-f2b3c7d0', 'reroute_traffic', 'SBI', 'card', 'PAYU', 41, 'ended', 'improved', 0.062, 0.029, 0.095, 96_120_00, ''],
    ];
    for (const [id, type, issuer, method, gateway, ago, state, result, mean, low, high, value, incident] of past) {
      act({
        id, type, scope: { issuer, method, gateway }, state, incident_id: incident, answer_by_ms: 0,
        decided_ms: t - ago * MINUTE, issued_ms: t - ago * MINUTE + 900, expires_ms: t - (ago - 10) * MINUTE,
        params: { reroute_traffic: { to_gateway: 'RAZORPAY' }, reduce_retry_attempts: { max_attempts: '2' } }[type] ?? {},
        why: { rejected: 'rejected by priya: the wallet team is deploying', rolled_back: 'treated convert worse than the holdout' }[state] ?? 'expired',
        outcome: { result: result || 'pending', treated: result ? { payments: 2140, conversions: 1975 } : { payments: 0, conversions: 0 }, holdout: result ? { payments: 238, conversions: 212 } : { payments: 0, conversions: 0 }, effect: { mean, low, high }, value_minor: value },
      });
    }
  }

  // One cycle: time, cells, figures, the graph. Gives what changed as a delta's `set`.
  cycle(ms = 1000) {
    this.turn(ms);
    this.header();
    this.graph();
    return { cells: this.state.cells, header: this.state.header, graph: this.state.graph };
  }
}

function intervention(t, random) {
  return {
    id: '', type: 'suppress_path', scope: {}, params: {}, strength: 0.25, holdout: 0.1, state: 'proposed',
    decided_ms: t - 48_000, issued_ms: 0, expires_ms: t + 12 * MINUTE, answer_by_ms: t + 4 * MINUTE,
    shown_hash: hex(random, 64), risk: 'medium', reason: '', confidence: 0.94, blast_radius: 0.034,
    nrv: {
      mean: 1_42_300_00, low: 18_650_00, high: 2_65_950_00,
      items: [{ name: 'recovered payments', amount_minor: 1_71_800_00 }, { name: 'saved retry fees', amount_minor: 9_400_00 }, { name: 'friction', amount_minor: -31_500_00 }, { name: 'execution', amount_minor: -7_400_00 }],
    },
    findings: [
      { mode: 'alternative_worse', probability: 0.12, cost_minor: 14_200_00, because: 'UPI carries 42 % of value already; its headroom is 18 %.', mitigation: 'starts with 25 %', rollback_when: 'upi success falls 2 points under its usual rate' },
      { mode: 'blinded', probability: 0.05, cost_minor: 6_100_00, because: 'Less HDFC card traffic is left to see a recovery with.', mitigation: 'a tenth is held out', rollback_when: 'fewer than 30 probes a minute' },
      { mode: 'misattributed', probability: 0.06, cost_minor: 4_900_00, because: '6 % of the posterior lies elsewhere.', mitigation: '', rollback_when: 'the posterior of issuer_down falls under 60 %' },
    ],
    gate: ['mode of suppress_path is approve: a person must agree', 'blast radius 3.4 % of 10 % allowed', 'confidence 94 % of 80 % needed', 'probe floor 5 % kept'],
    alternatives: [
      { type: 'reduce_retry_attempts', scope: { issuer: 'HDFC', method: 'card', gateway: '*' }, nrv: { mean: 38_200_00, low: 9_900_00, high: 66_500_00 }, why_not: 'Active already.' },
      { type: 'reroute_traffic', scope: { issuer: 'HDFC', method: 'card', gateway: 'RAZORPAY' }, nrv: { mean: -3_900_00, low: -21_000_00, high: 13_200_00 }, why_not: 'The issuer is down on every gateway.' },
      { type: 'no_action', scope: { issuer: '*', method: '*', gateway: '*' }, nrv: { mean: 0, low: 0, high: 0 }, why_not: 'Costs about ₹1,58,400 a minute.' },
    ],
    incident_id: '', decision_id: `dec-${hex(random, 16)}`, why: '',
    outcome: { result: 'pending', treated: { payments: 0, conversions: 0 }, holdout: { payments: 0, conversions: 0 }, effect: { mean: 0, low: 0, high: 0 }, value_minor: 0 },
  };
}

// A series with a dip at its end, for /api/series.
export function seriesOf(world, scope, fromMs, toMs) {
  const cell = world.state.cells[scope];
  if (!cell) return { slot_ms: 0, points: [] };
  const random = randomOf(scope.length * 7919 + Math.floor(fromMs / 1000));
  const stepMs = Math.max(5000, Math.ceil((toMs - fromMs) / 720 / 1000) * 1000);
  const points = [];
  for (let ts = fromMs; ts <= toMs; ts += stepMs) {
    const down = cell.degraded && ts > world.nowMs - 120_000 ? cell.baseline - cell.success : 0;
    const attempts = Math.max(1, Math.round(cell.per_s * (stepMs / 1000) * (0.9 + 0.2 * random())));
    const sd = Math.sqrt((cell.baseline * (1 - cell.baseline)) / attempts);
    const success = Math.min(1, cell.baseline - down + (random() + random() + random() - 1.5) * sd);
    const p95 = cell.latency_baseline_ms * (1 + down * 1.4) * (0.95 + 0.1 * random());
    const failed = Math.round(attempts * (1 - success));
    points.push({
      ts_ms: ts, attempts, success, baseline: cell.baseline, sd, p50_ms: p95 * 0.42, p95_ms: p95, p99_ms: p95 * 1.6,
      retry_rate: cell.retry_baseline * (0.8 + 0.4 * random()) + down * 0.5,
      declines: { issuer_technical: Math.round(failed * (down ? 0.8 : 0.2)), customer: Math.round(failed * (down ? 0.14 : 0.6)), issuer_policy: Math.round(failed * 0.06) },
    });
  }
  return { slot_ms: stepMs, points };
}
