// The parts that need no browser: the store and the figures.
import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { buildParts } from '../build.mjs';

import { faults } from '../schema.mjs';
import { World, seriesOf } from '../dev/world.mjs';

let Store, format, severity;
before(async () => {
  const out = mkdtempSync(join(tmpdir(), 'payops-console-'));
  await buildParts(out);
  const load = (name) => import(pathToFileURL(join(out, `${name}.mjs`)).href);
  ({ Store } = await load('store'));
  format = await load('format');
  severity = await load('severity');
});

const empty = () => ({ header: {}, cells: {}, incidents: {}, interventions: {}, graph: {}, effects: {} });
const snapshot = (seq, state = {}, epoch = 'a') =>
  ({ type: 'snapshot', epoch, seq, server_ms: 1000, state: { ...empty(), ...state } });
const delta = (seq, set = {}, remove = {}) => ({ type: 'delta', seq, server_ms: 1000, set, remove });
const beat = (seq, server_ms, watermark_ms) => ({ type: 'heartbeat', seq, server_ms, watermark_ms });

describe('the store', () => {
  test('replaces whole values, removes keys, and says which changed', () => {
    const store = new Store();
    store.take(snapshot(4, { cells: { a: { z: 1, n: 2 }, b: { z: 0 } } }), 0);
    assert.equal(store.takeChanges().all, true);
    assert.equal(store.take(delta(5, { cells: { a: { z: 9 } } }, { cells: ['b'] }), 0), 'ok');
    assert.deepEqual(store.state.cells, { a: { z: 9 } });
    const changes = store.takeChanges();
    assert.deepEqual([...changes.keys.cells], ['a', 'b']);
    assert.equal(changes.all, false);
    assert.equal(store.takeChanges().keys.cells.size, 0);
  });

  test('a missing delta is a gap and changes nothing', () => {
    const store = new Store();
    store.take(snapshot(4, { cells: { a: 1 } }), 0);
    assert.equal(store.take(delta(6, { cells: { a: 2 } }), 0), 'gap');
    assert.equal(store.state.cells.a, 1);
    assert.equal(store.take(delta(4), 0), 'gap');
  });

  test('a delta before any snapshot is a gap', () => {
    assert.equal(new Store().take(delta(1), 0), 'gap');
  });

  test('a heartbeat tells of a delta that never came', () => {
    const store = new Store();
    store.take(snapshot(4), 0);
    assert.equal(store.take(beat(4, 2000, 10), 0), 'ok');
    assert.equal(store.take(beat(5, 3000, 20), 0), 'gap');
  });

  test('another epoch starts anew, with its own time', () => {
    const store = new Store();
    store.take(snapshot(40, { header: { now: { watermark_ms: 9000 } } }), 0);
    store.take(snapshot(1, { header: { now: { watermark_ms: 50 } } }, 'b'), 0);
    assert.equal(store.seq, 1);
    assert.equal(store.watermark_ms, 50);
  });

  test('silence of more than five seconds is stale', () => {
    const store = new Store();
    assert.equal(store.freshness(0).stale, true);
    store.take(snapshot(1, { header: { now: { watermark_ms: 1000, demo: false } } }), 100);
    assert.equal(store.freshness(5100).stale, false);
    assert.match(store.freshness(5101).why, /silent/);
  });

  test('heartbeats without new input are stale too', () => {
    const store = new Store();
    store.take(snapshot(1, { header: { now: { watermark_ms: 1000, demo: true } } }), 0);
    for (let s = 1; s <= 6; s++) store.take(beat(1, 1000 + s * 1000, 1000), s * 1000);
    assert.match(store.freshness(6000).why, /no new payments/);
    store.take(beat(1, 8000, 1500), 7000);
    assert.equal(store.freshness(7000).stale, false);
  });

  test('coming back to the same server makes nothing new', () => {
    const store = new Store();
    const state = { header: { now: { watermark_ms: 1000, demo: true } } };
    store.take(snapshot(1, state), 0);
    store.take(snapshot(1, state), 5500);
    assert.match(store.freshness(5500).why, /no new payments/);
    store.take(snapshot(1, state, 'b'), 5600);
    assert.equal(store.freshness(5600).stale, false);
  });

  test('input that lags behind the clock is stale, but not in a simulated world', () => {
    for (const demo of [false, true]) {
      const store = new Store();
      store.take(snapshot(1, { header: { now: { watermark_ms: 500, demo } } }), 0);
      store.take(beat(1, 60_000, 600), 1000);
      assert.equal(store.freshness(1000).stale, !demo);
    }
  });
});

describe('figures', () => {
  test('rupees are grouped in lakhs and crores', () => {
    assert.equal(format.money(1_84_236_00, 'INR'), '₹1,84,236');
    assert.equal(format.money(12_34_56_789_00, 'INR'), '₹12,34,56,789');
    assert.equal(format.money(-8_450_00, 'INR'), '−₹8,450');
    assert.equal(format.gain(8_450_00, 'INR'), '+₹8,450');
    assert.equal(format.gain(0, 'INR'), '₹0');
    assert.equal(format.money(-4, 'INR'), '₹0');
  });
  test('other currencies have their own minor units and grouping', () => {
    assert.equal(format.money(123_456_700, 'USD'), '$1,234,567');
    assert.match(format.money(1234, 'JPY'), /1,234$/);
  });
  test('what is not a number is a dash', () => {
    assert.equal(format.money(null, 'INR'), '–');
    assert.equal(format.percent(NaN), '–');
    assert.equal(format.milliseconds(undefined), '–');
  });
  test('a probability is never rounded to certainty', () => {
    assert.equal(format.chance(0.996), '> 99 %');
    assert.equal(format.chance(0.004), '< 1 %');
    assert.equal(format.chance(1), '100 %');
    assert.equal(format.chance(0.71), '71 %');
  });
  test('there is no minus zero, and a minus is a minus', () => {
    assert.equal(format.number(-0.04, 1), '0.0');
    assert.equal(format.number(-1.2, 1), '−1.2');
    assert.equal(format.points(-0.024), '−2.4 pt');
    assert.equal(format.percent(-0.0001), '0.0 %');
  });
  test('durations and countdowns', () => {
    assert.equal(format.duration(42_000), '42 s');
    assert.equal(format.duration(124_000), '2 min 04 s');
    assert.equal(format.duration(7_800_000), '2 h 10 min');
    assert.equal(format.countdown(249_001), '4:10');
    assert.equal(format.countdown(-5), '0:00');
  });
  test('UTC and local time', () => {
    const at = Date.UTC(2026, 10, 24, 18, 30, 5);
    assert.equal(format.utc(at), '18:30:05');
    assert.equal(format.local(at, 'Asia/Kolkata'), '00:00:05');
    assert.match(format.zoneName(at, 'Asia/Kolkata'), /GMT\+5:30|IST/);
    assert.equal(format.utc(0), '–');
  });
});

describe('levels', () => {
  const cell = (o) => ({ attempts: 100, z: 0, degraded: false, alarming: false, warming_up: false, ...o });
  test('rise with z, and learning and no traffic are neither good nor bad', () => {
    const level = severity.levelOf;
    assert.equal(level(undefined), 'none');
    assert.equal(level(cell({ attempts: 0, z: 50 })), 'none');
    assert.equal(level(cell({ warming_up: true, z: 50 })), 'learning');
    assert.equal(level(cell({ z: 2 })), 'ok');
    assert.equal(level(cell({ z: 3 })), 'watch');
    assert.equal(level(cell({ z: 5 })), 'bad');
    assert.equal(level(cell({ z: 1, alarming: true })), 'bad');
    assert.equal(level(cell({ z: 22, degraded: true })), 'severe');
    assert.equal(level(cell({ z: -8 })), 'ok');
  });
  test('what alarms comes before what is only far from usual', () => {
    const worst = [cell({ z: 3.9 }), cell({ z: 4.1, alarming: true }), cell({ z: 30, degraded: true })]
      .map(severity.badness);
    assert.ok(worst[0] < worst[1] && worst[1] < worst[2]);
  });
});

describe('the schema', () => {
  test('the development server’s world is what the protocol says', () => {
    const world = new World();
    assert.deepEqual(faults('State', world.state), []);
    assert.deepEqual(faults('Series', seriesOf(world, 'HDFC|card|*', world.nowMs - 900_000, world.nowMs)).filter((f) => !/integer/.test(f)), []);
  });
  test('finds what is missing, foreign or of another kind', () => {
    assert.deepEqual(faults('Heartbeat', { type: 'heartbeat', seq: 1, server_ms: 2 }), ['Heartbeat: without watermark_ms']);
    assert.match(faults('Scope', { issuer: 1, method: '*', gateway: '*' })[0], /number, not string/);
    assert.match(faults('Scope', { issuer: '*', method: '*', gateway: '*', more: 1 })[0], /not in the schema/);
    assert.equal(faults('Message', { type: 'hello' }).length > 0, true);
  });
});
