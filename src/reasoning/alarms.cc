// From crossings to alarms: which slice explains the excess, and the life of an alarm to its end.
#include <algorithm>
#include <cmath>
#include <optional>

#include "candidate.h"
#include "payops/core/digest.h"
#include "payops/core/text.h"
#include "payops/model/relevance.h"
#include "payops/reasoning/rate_detector.h"
#include "state.h"

namespace payops::reasoning {
namespace {

constexpr std::size_t kAlarmsAtOnce = 3;  // causes found in one resolution
constexpr std::size_t kMaxAlarms = 64;    // in force
constexpr double kAcceptScore = 8.0;      // of a slice that is to explain a crossing
constexpr double kPlaceEvidence = 3.0;    // of a slice that a crossing can be laid to
constexpr double kPlaceMargin = 2.0;      // … rather than to the series that crossed
constexpr double kRescopeMargin = 6.0;    // before another slice takes an alarm over
constexpr double kRecoveredMost = 11.0;

// Whether a rise of `symptom` may come with a fault that shows as `cause`: whatever fails is
// retried; declines for the customer's account or for fraud stand for themselves.
bool may_follow(Share symptom, Share cause) {
  const auto by_itself = [](Share s) { return s == Share::customer || s == Share::fraud; };
  return symptom == Share::retry || (!by_itself(symptom) && !by_itself(cause));
}

RowKind kind_of(Share share) { return share == Share::volume ? RowKind::drop : RowKind::share; }
// What a rise of a share other than technical failures is called.
Pattern pattern_of(Share share) {
  switch (share) {
    case Share::slow:
      return Pattern::latency_spike;
    case Share::retry:
      return Pattern::retry_storm;
    case Share::volume:
      return Pattern::volume_drop;
    case Share::fraud:
      return Pattern::fraud_burst;
    default:
      return Pattern::decline_mix_shift;
  }
}

// What technical failures are called for a cause, whatever place they show at; nothing for issuers,
// whose outages are called otherwise than their degradations, and for causes that name no fault.
std::optional<Pattern> pattern_of(Cause cause) {
  switch (cause) {
    case Cause::gateway_down:
      return Pattern::gateway_failure;
    case Cause::method_wide:
      return Pattern::method_fatigue;
    case Cause::retry_storm:
      return Pattern::retry_storm;
    case Cause::latency:
      return Pattern::latency_spike;
    case Cause::network:
      return Pattern::network_failure;
    case Cause::upstream_down:
      return Pattern::upstream_failure;
    case Cause::authentication:
      return Pattern::authentication_failure;
    case Cause::merchant_change:
      return Pattern::merchant_failure;
    case Cause::customer_shift:
      return Pattern::traffic_mix_shift;
    default:
      return std::nullopt;
  }
}

// Slices as deep as the detectors of a share look, and one deeper where counts allow.
int max_depth_of(Share share) {
  return share == Share::technical ? 3 : share == Share::volume ? 1 : 2;
}

}  // namespace

Signal signal_of(Share share) {
  switch (share) {
    case Share::technical:
      return Signal::success_rate;
    case Share::slow:
      return Signal::latency_p95;
    case Share::retry:
      return Signal::retry_rate;
    case Share::volume:
      return Signal::volume;
    default:
      return Signal::decline_mix;
  }
}

uint64_t alarm_hash(const LiveAlarm& a) {
  std::string text;
  Encoder out(text);
  out.put(a.scope);
  out.put(a.share);
  out.put(a.started);
  return hash64(text);
}

Row Reasoner::State::leaf_row(const Leaf& leaf, Share share, int64_t from_slot) const {
  const Window& window = store.leaf_window(leaf);
  const int64_t current = now > 0 ? (now - 1) / slot_s() : 0;
  const Tally t = window.sum(from_slot, current);
  Row row{.path = store.path(leaf), .n = share_n(t, share), .k = share_k(t, share)};
  for (std::size_t c = 0; c < row.classes.size(); ++c) row.classes[c] = t.technical[c];
  if (share == Share::volume) {
    const double seconds = static_cast<double>(now - from_slot * slot_s());
    row.e = row.n = expected_volume(window.baseline, now) * std::max(0.0, seconds);
    for (const OwnAction& action : actions) {
      if (!moves_traffic(action) || !overlap(action.scope, row.path)) continue;
      row.e *= 1.0 - action.share;
      row.n = row.e;
    }
  } else if (share == Share::retry) {
    const Baseline& global = store.window(store.all[0]).baseline;
    row.e = row.n * retry_share(global, t);
  } else {
    row.e = row.n * leaf.expected[static_cast<std::size_t>(share)];
  }
  return row;
}

std::vector<Row> Reasoner::State::rows(Share share, int64_t from_second) const {
  const int64_t current = now > 0 ? (now - 1) / slot_s() : 0;
  const int64_t from = std::max(from_second / slot_s(), current - static_cast<int64_t>(kSlots) + 1);
  std::vector<Row> all;
  for (const Leaf& leaf : store.leaves) {
    const Row row = leaf_row(leaf, share, from);
    if (row.n > 0.0) all.push_back(row);
  }
  return all;
}

CommonRows& Reasoner::State::common_rows(Share share, int64_t from_second) {
  const int64_t current = now > 0 ? (now - 1) / slot_s() : 0;
  const int64_t from = std::max(from_second / slot_s(), current - static_cast<int64_t>(kSlots) + 1);
  const auto found = cycle_rows.find({share, from});
  if (found != cycle_rows.end()) return found->second;
  CommonRows& common =
      cycle_rows
          .emplace(std::piecewise_construct, std::forward_as_tuple(share, from),
                   std::forward_as_tuple(rows(share, from_second), kind_of(share), lattice))
          .first->second;
  lattice = common.evidence.lattice();
  return common;
}

double Reasoner::State::storm_evidence(const SeriesKey& scope, int64_t from_second) const {
  // A customer who retries does so several times: the attempts are worth half their number.
  constexpr double kIndependent = 0.5;
  const int64_t current = now > 0 ? (now - 1) / slot_s() : 0;
  const int64_t from = std::max(from_second / slot_s(), current - static_cast<int64_t>(kSlots) + 1);
  Tally sum;
  for (const Leaf& leaf : store.leaves) {
    if (scope.covers(store.path(leaf))) sum += store.leaf_window(leaf).sum(from, current);
  }
  const double n = share_n(sum, Share::retry), k = share_k(sum, Share::retry);
  if (n < 1.0) return 0.0;
  const double usual = retry_share(store.window(store.all[0]).baseline, sum);
  const double p0 = std::clamp(usual, 0.005, 0.95);
  std::array<double, kShiftShares.size()> llr;
  share_llrs(n, k, p0, kShiftShares.data(), llr.data(), llr.size());
  double most = llr[0] * kIndependent, mean = 0.0;
  for (const double one : llr) most = std::max(most, one * kIndependent);
  for (const double one : llr) mean += std::exp(one * kIndependent - most);
  mean /= static_cast<double>(llr.size());
  // Retries come some time after what they answer, so a lack of them says little.
  return std::clamp(most + std::log(mean), -2.0, 12.0);
}

// Turns the crossings of this second into alarms. True when one rose or grew that is worth telling.
bool Reasoner::State::resolve_crossings() {
  if (crossings.empty()) return false;
  bool news = false;
  for (std::size_t s = 0; s < kShares; ++s) news = resolve(static_cast<Share>(s)) || news;
  crossings.clear();
  cycle_rows.clear();
  return news;
}

bool Reasoner::State::resolve(Share share) {
  const Crossing* widest = nullptr;
  for (const Crossing& c : crossings) {
    if (c.share != share) continue;
    if (widest == nullptr ||
        c.cusum.statistic / c.threshold > widest->cusum.statistic / widest->threshold) {
      widest = &c;
    }
  }
  if (widest == nullptr) return false;
  const Crossing crossing = *widest;
  std::vector<Row> left = rows(share, crossing.cusum.onset);
  bool news = grow(share, crossing, left);
  const bool grown = std::any_of(alarms.begin(), alarms.end(), [&](const LiveAlarm& a) {
    return a.share == share && overlap(a.scope, store.all[crossing.series].key);
  });
  const auto drop_explained = [&] {
    std::erase_if(left, [&](const Row& row) {
      return std::any_of(alarms.begin(), alarms.end(), [&](const LiveAlarm& a) {
        return a.share == share && a.scope.covers(row.path);
      });
    });
  };
  drop_explained();
  bool raised = false;
  for (std::size_t i = 0; i < kAlarmsAtOnce && alarms.size() < kMaxAlarms; ++i) {
    const ScopeTable table(left, kind_of(share));
    const ScopeScore* best = table.best(max_depth_of(share));
    if (best == nullptr) break;
    // The crossing itself needs no more proof, only a place, if a better one than its own series.
    const ScopeScore* own = table.find(store.all[crossing.series].key);
    const bool places = !raised && !grown && best->log_evidence > kPlaceEvidence &&
                        overlap(best->scope, store.all[crossing.series].key) &&
                        (own == nullptr || best->score() > own->score() + kPlaceMargin);
    if (!places && best->score() < kAcceptScore) break;
    raise(share, *best, crossing);
    news = news || !alarms.back().secondary;
    raised = true;
    drop_explained();
  }
  if (!raised && !grown && alarms.size() < kMaxAlarms) {
    const ScopeScore own{.scope = store.all[crossing.series].key,
                         .kind = kind_of(share),
                         .n = crossing.cusum.attempts,
                         .k = crossing.cusum.failures,
                         .e = crossing.cusum.expected};
    raise(share, own, crossing);
    news = news || !alarms.back().secondary;
  }
  reset_detectors(share);
  return news;
}

// Lets alarms in force take in an excess within their scope that is larger than they had. True when
// one grew by a third and more.
bool Reasoner::State::grow(Share share, const Crossing& crossing, const std::vector<Row>& all) {
  bool news = false;
  for (LiveAlarm& alarm : alarms) {
    if (alarm.share != share || !overlap(alarm.scope, store.all[crossing.series].key)) continue;
    ScopeScore sum{.scope = alarm.scope, .kind = kind_of(share)};
    for (const Row& row : all) {
      if (!alarm.scope.covers(row.path)) continue;
      sum.n += row.n;
      sum.k += row.k;
      sum.e += row.e;
    }
    const double moved_now = sum.moved();
    if (has_grown(alarm.moved, moved_now)) {
      news = news || !alarm.secondary;
      alarm.statistic = crossing.cusum.statistic;
      alarm.threshold = crossing.threshold;
      alarm.recovery = 0.0;
      alarm.recovered_since = 0;
    }
    alarm.moved = std::max(alarm.moved, moved_now);
    alarm.peak = std::max(alarm.peak, alarm.moved);
  }
  return news;
}

void Reasoner::State::raise(Share share, const ScopeScore& scope, const Crossing& crossing) {
  LiveAlarm alarm{.scope = scope.scope,
                  .share = share,
                  .started = crossing.cusum.onset,
                  .raised = now,
                  .updated = now,
                  .moved = scope.moved(),
                  .statistic = crossing.cusum.statistic,
                  .threshold = crossing.threshold,
                  .false_alarms_per_week = crossing.false_alarms_per_week,
                  .attempts = scope.n,
                  .failures = scope.k,
                  .expected = scope.e};
  // The scope's own detector knows more exactly since when, and how much.
  const Cusum* own = store.all[crossing.series].key == scope.scope ? &crossing.cusum : nullptr;
  const uint32_t series = store.find(scope.scope);
  if (own == nullptr && share == Share::technical && series != kNone) {
    for (const Cusum& c : store.all[series].failures.cusums) {
      if (own == nullptr || c.statistic > own->statistic) own = &c;
    }
  }
  if (own != nullptr && own->attempts > 0.0) {
    const ScopeScore exact{.scope = scope.scope,
                           .kind = kind_of(share),
                           .n = own->attempts,
                           .k = own->failures,
                           .e = own->expected};
    alarm.started = own->onset;
    alarm.attempts = exact.n;
    alarm.failures = exact.k;
    alarm.expected = exact.e;
    alarm.moved = std::max(alarm.moved, exact.moved());
  }
  alarm.peak = alarm.moved;
  for (auto it = alarms.begin(); it != alarms.end();) {
    if (it->share == share && scope.scope.covers(it->scope)) {  // a wider cause takes it over
      alarm.started = std::min(alarm.started, it->started);
      it->ended = now;
      if (!it->secondary && it->announced) gone.push_back(*it);
      it = alarms.erase(it);
      continue;
    }
    const bool related = it->share != share && may_follow(share, it->share) && !it->secondary &&
                         (nested(it->scope, scope.scope) ||
                          (share == Share::retry && overlap(it->scope, scope.scope)));
    if (related) {
      const bool graver = share == Share::technical && alarm.moved >= 0.25;
      if (!graver) alarm.secondary = true;
    }
    ++it;
  }
  alarms.push_back(alarm);
}

// What has been explained is no evidence of anything further.
void Reasoner::State::reset_detectors(Share share) {
  for (uint32_t i = 0; i < store.all.size(); ++i) {
    Series& series = store.all[i];
    if (share == Share::technical) {
      if (series.failures.quiet()) continue;
      series.failures = {};
    } else if (series.depth <= 1) {
      Watched& watched = store.watched[series.detail];
      if (share == Share::volume) {
        watched.drop = {};
      } else {
        watched.shift(share) = {};
      }
    } else {
      continue;
    }
    touched[i] = 1;
  }
}

// Counts a second of the alarm's scope, for and against its going on.
void Reasoner::State::follow(LiveAlarm& alarm, const Flow& f, int64_t second) {
  double n = flow_n(f, alarm.share);
  const double k = flow_k(f, alarm.share);
  double e = f.v[kExpected + static_cast<std::size_t>(alarm.share) % 6];
  const uint32_t index = store.find(alarm.scope);
  const Window* window =
      store.all[index].window != kNone ? &store.window(store.all[index]) : nullptr;
  if (alarm.share == Share::retry) {
    const Baseline& base = window != nullptr ? window->baseline : store.windows[0].baseline;
    e = n * retry_share(base, window != nullptr ? window->sum(0, window->newest) : Tally{});
  } else if (alarm.share == Share::volume) {
    if (window == nullptr) return;
    const double seconds = static_cast<double>(second + 1 - alarm.updated);
    n = e = expected_volume(window->baseline, second) * std::max(0.0, seconds);
  }
  if (second >= alarm.raised || alarm.share == Share::volume) {
    alarm.attempts += n;
    alarm.failures += k;
    alarm.expected += e;
  }
  alarm.updated = second + 1;
  if (n <= 0.0) return;
  // Health is weighed against a good part of the fault: of what is left of it, or of a small one.
  const double still = std::max(0.6 * alarm.moved, std::min(0.7 * alarm.peak, 0.12));
  const double fault = std::clamp(still, 0.06, 0.6);
  const double llr = alarm.share == Share::volume
                         ? drop_llr(k, e, fault)
                         : share_llr(n, k, std::clamp(e / n, 0.002, 0.97), fault);
  if (alarm.recovery <= 0.0) alarm.calm_from = second;
  alarm.recovery = std::clamp(alarm.recovery - llr, 0.0, kRecoveredMost);
  if (alarm.recovery < kRecovered) {
    alarm.recovered_since = 0;
  } else if (alarm.recovered_since == 0) {
    alarm.recovered_since = second;
  }
}

// Once a cycle: sizes, slices and ends of the alarms in force.
void Reasoner::State::tend_alarms() {
  for (LiveAlarm& alarm : alarms) {
    if (alarm.share != Share::volume && alarm.recovered_since == 0) rescope(alarm);
    // Not from the moment its failures fall off: then late retries outnumber what there is left.
    // Nor under an action of ours, which takes payments away and leaves their retries, or the
    // other way round.
    const bool ours = std::any_of(actions.begin(), actions.end(), [&](const OwnAction& a) {
      return overlap(a.scope, alarm.scope) && (moves_traffic(a) || moves_retries(a));
    });
    if (alarm.share == Share::technical && alarm.recovered_since == 0 && alarm.recovery <= 0.0 &&
        !ours) {
      alarm.storm =
          storm_evidence(alarm.scope, std::max(alarm.started, now - config.short_window_s));
    }
    ScopeScore recent{.scope = alarm.scope, .kind = kind_of(alarm.share)};
    // Whole sub-windows since it began; before there is one, what the detector saw stands.
    const int64_t since =
        std::max(alarm.started + slot_s() - 1, now - config.short_window_s) / slot_s() * slot_s();
    if (since >= now) continue;
    if (const ScopeScore* all = common_rows(alarm.share, since).evidence.find(alarm.scope)) {
      recent.n = all->n;
      recent.k = all->k;
      recent.e = all->e;
    }
    // Few attempts (a path of ours kept off, say) change an estimate only a little.
    const double weight = recent.n / (recent.n + 10.0);
    alarm.moved += weight * (recent.moved() - alarm.moved);
    alarm.peak = std::max(alarm.peak, alarm.moved);
  }
  std::vector<LiveAlarm> still;
  std::vector<SeriesKey> normal;
  for (LiveAlarm& alarm : alarms) {
    if (!end_if_over(alarm)) {
      still.push_back(alarm);
      continue;
    }
    if (!alarm.secondary && alarm.announced) gone.push_back(alarm);
    if (alarm.recovered_since == 0) normal.push_back(alarm.scope);
  }
  const bool fewer = still.size() != alarms.size();
  alarms = std::move(still);
  for (const SeriesKey& scope : normal) relearn(scope);
  if (!fewer) return;
  for (LiveAlarm& alarm : alarms) {  // a symptom that outlives its cause is one no longer
    const bool explained = std::any_of(alarms.begin(), alarms.end(), [&](const LiveAlarm& a) {
      return !a.secondary && (nested(a.scope, alarm.scope) ||
                              (alarm.share == Share::retry && overlap(a.scope, alarm.scope)));
    });
    if (alarm.secondary && !explained && alarm.recovered_since == 0) alarm.secondary = false;
  }
}

bool Reasoner::State::end_if_over(LiveAlarm& alarm) {
  const bool cleared =
      alarm.recovered_since != 0 && now - alarm.recovered_since >= config.clear_after_s;
  // A partial loss of volume is soon no news: the day has its rhythm.
  const bool partial = alarm.share == Share::volume && alarm.moved < 0.7;
  const auto rhythm_s = static_cast<int64_t>(2.0 * config.volume_half_life_s);
  const int64_t patience = partial ? std::min(config.freeze_max_s, rhythm_s) : config.freeze_max_s;
  const bool old = now - alarm.raised >= patience;
  if (cleared || old) alarm.ended = now;
  return alarm.ended != 0;
}

// Another slice takes an alarm over when it explains the same attempts decisively better.
void Reasoner::State::rescope(LiveAlarm& alarm) {
  const ScopeTable table =
      table_of(common_rows(alarm.share, alarm.started + 1), alarm.share, [&](const Row& row) {
        return std::none_of(alarms.begin(), alarms.end(), [&](const LiveAlarm& a) {
          return &a != &alarm && a.share == alarm.share && a.scope.covers(row.path);
        });
      });
  const ScopeScore* best = table.best(max_depth_of(alarm.share));
  const ScopeScore* now_at = table.find(alarm.scope);
  if (best == nullptr || best->scope == alarm.scope || !overlap(best->scope, alarm.scope)) return;
  if (best->score() < kAcceptScore) return;
  if (now_at != nullptr && best->score() < now_at->score() + kRescopeMargin) return;
  LiveAlarm old = alarm;
  old.ended = now;
  if (!old.secondary && old.announced) gone.push_back(old);
  const ScopeScore taken = *best;
  for (auto& [since, common] : cycle_rows) common.uncovered.reset();  // it covers others now
  alarm.scope = taken.scope;
  alarm.announced = false;
  alarm.raised = now;
  alarm.attempts = taken.n;
  alarm.failures = taken.k;
  alarm.expected = taken.e;
  alarm.moved = taken.moved();
  alarm.peak = alarm.moved;
}

// Whether more than half of the peers suffer alike. Gives the scope's failures by class.
std::array<double, 4> Reasoner::State::spread(LiveAlarm& alarm) {
  const SeriesKey& s = alarm.scope;
  const RowEvidence& all =
      common_rows(alarm.share, std::max(alarm.started + 1, now - config.short_window_s)).evidence;
  // Its peers are of the scope's own kind: the other issuers, say.
  const SeriesKey kind = s.issuer != kAny    ? SeriesKey{kOther, kAny, kAny}
                         : s.gateway != kAny ? SeriesKey{kAny, kAny, kOther}
                                             : SeriesKey{kAny, kOther, kAny};
  std::size_t peers = 0, suffering = 0;
  for (const ScopeScore& peer : all.scopes()) {
    const bool alike = (peer.scope.issuer == kAny) == (kind.issuer == kAny) &&
                       (peer.scope.method == kAny) == (kind.method == kAny) &&
                       (peer.scope.gateway == kAny) == (kind.gateway == kAny);
    if (!alike) continue;
    ++peers;
    const double sd = std::sqrt(peer.e + 1.0);
    const bool clear = kind_of(alarm.share) == RowKind::drop ? peer.e - peer.k > 2.0 * sd
                                                             : peer.k - peer.e > 2.0 * sd;
    suffering += clear && peer.moved() >= alarm.moved / 2.0;
  }
  // One merchant or one region is one place, however many issuers it shows at.
  const bool one_place = alarm.slice.merchant != kWhole || alarm.slice.region != kWhole;
  const bool many = !one_place && (s == SeriesKey{} || (peers > 1 && 2 * suffering > peers));
  alarm.spread = many ? Spread::systemic : Spread::localized;
  const ScopeScore* own = all.find(s);
  return own != nullptr ? own->classes : std::array<double, 4>{};
}

// Names the pattern: by the signal; of technical failures by the cause that has been found, or
// until one is by the place where they show.
void Reasoner::State::classify(LiveAlarm& alarm) {
  const SeriesKey& s = alarm.scope;
  const std::array<double, 4> classes = spread(alarm);
  if (alarm.share != Share::technical) {
    alarm.pattern = pattern_of(alarm.share);
    return;
  }
  const double issuer_side = classes[0];
  const double route_side = classes[1] + classes[2];
  const bool issuer_like = alarm.asserted == Cause::issuer_down ||
                           (s.issuer != kAny && (s.gateway == kAny || issuer_side > route_side));
  if (const auto known = pattern_of(alarm.asserted)) {
    alarm.pattern = *known;
  } else if (issuer_like) {
    // What the fault at its worst leaves of what would otherwise have succeeded.
    const double usual = 1.0 - (alarm.attempts > 0.0 ? alarm.expected / alarm.attempts : 0.0);
    const bool outage = usual * (1.0 - alarm.peak) < config.outage_success;
    alarm.pattern = outage ? Pattern::issuer_outage : Pattern::issuer_degradation;
  } else if (s == SeriesKey{}) {
    alarm.pattern = Pattern::unexplained_failure;
  } else {
    const bool method = s.method != kAny && s.gateway == kAny;
    alarm.pattern = method ? Pattern::method_fatigue : Pattern::gateway_failure;
  }
}

// How much of each watched series' volume our own actions move about.
void Reasoner::State::note_own_actions() {
  own_share.assign(store.watched.size(), 0.0);
  const bool any = std::any_of(actions.begin(), actions.end(), moves_traffic);
  if (!any) return;
  std::vector<double> covered(store.watched.size()), all(store.watched.size());
  for (const Leaf& leaf : store.leaves) {
    const double volume = expected_volume(store.leaf_window(leaf).baseline, now);
    double left = volume;
    for (const OwnAction& a : actions) {
      if (moves_traffic(a) && a.scope.covers(store.path(leaf))) left *= 1.0 - a.share;
    }
    for (const std::size_t i : {0u, 1u, 2u, 4u}) {
      const uint32_t watched = store.all[leaf.series[i]].detail;
      all[watched] += volume;
      covered[watched] += volume - left;
    }
  }
  for (std::size_t i = 0; i < own_share.size(); ++i) {
    own_share[i] = all[i] > 0.0 ? covered[i] / all[i] : 1.0;
  }
}

void Reasoner::State::judge_silence(int64_t until) {
  for (uint32_t i = 0; i < store.watched.size(); ++i) {
    if (store.watched[i].drop_until >= until) continue;
    add_silence(i, until, 0.0);
    touched[store.watched_series[i]] = 1;
  }
  resolve_crossings();
}

Alarm Reasoner::State::told(const LiveAlarm& a, const Dictionary& dictionary) const {
  const double n = std::max(a.attempts, 1.0);
  const bool volume = a.share == Share::volume;
  const double seconds = std::max(1.0, static_cast<double>(a.updated - a.started));
  return {
      .id = "alm-" + hex64(alarm_hash(a)),
      .scope = dictionary.scope(a.scope),
      .signal = signal_of(a.share),
      .pattern = a.pattern,
      .spread = a.spread,
      .started_ts_ms = a.started * 1000,
      .raised_ts_ms = a.raised * 1000,
      .ended_ts_ms = a.ended * 1000,
      .recovered_ts_ms = a.recovered_since != 0 ? a.calm_from * 1000 : 0,
      .statistic = a.statistic,
      .threshold = a.threshold,
      .false_alarms_per_week = a.false_alarms_per_week,
      .evidence_attempts = static_cast<uint64_t>(std::max(0.0, volume ? a.failures : a.attempts)),
      .observed = volume ? a.failures / seconds : a.failures / n,
      .expected = volume ? a.expected / seconds : a.expected / n,
      .excess_failures = volume ? 0.0 : a.failures - a.expected,
      .announced = announced(a, dictionary),
      .cause = a.cause,
      .certainty = a.certainty,
      .slice = slice_of(a.slice, dictionary, topology)};
}

// The reason of the maintenance that covers all of the alarm's scope, or "".
std::string Reasoner::State::announced(const LiveAlarm& a, const Dictionary& dictionary) const {
  const Scope scope = dictionary.scope(a.scope);
  for (const Foreknowledge::Window* window : foreknown.behind(a.started, now)) {
    if (scope_covers(window->scope, scope)) return window->reason;
  }
  return "";
}

}  // namespace payops::reasoning
