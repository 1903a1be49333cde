#include "payops/notify/pager.h"

#include <algorithm>
#include <utility>

#include "notice.h"
#include "payops/core/check.h"
#include "payops/core/digest.h"
#include "payops/core/random.h"
#include "payops/core/text.h"
#include "payops/model/dimensions.h"

namespace payops::notify {
namespace {

constexpr int64_t kHourMs = 3'600'000;
constexpr int64_t kBackOffMaxMs = 300'000;

bool within(const Scope& outer, const Scope& inner) {
  const auto fits = [](const std::string& a, const std::string& b) { return a == "*" || a == b; };
  return fits(outer.issuer, inner.issuer) && fits(outer.method, inner.method) &&
         fits(outer.gateway, inner.gateway);
}

bool silenced(const Thing& thing, const Incident& incident, int64_t now_ms) {
  const auto until = thing.silenced_ms.find(incident.id);
  return until != thing.silenced_ms.end() && now_ms < until->second;
}

// The worst of what people may be told of now; info when that is nothing.
Severity worst_to_tell(const Thing& thing, int64_t now_ms) {
  Severity worst = Severity::info;
  for (const Incident& i : thing.incidents) {
    const bool counts = thing.quiet_since_ms != 0 || lasts(i);
    if (counts && !silenced(thing, i, now_ms)) worst = std::max(worst, i.severity);
  }
  return worst;
}

// What is worth an update when it changes.
std::string gist_of(const Thing& thing) {
  std::vector<std::string> parts;
  for (const Incident& incident : thing.incidents) {
    if (!lasts(incident)) continue;
    parts.push_back(to_string(incident.instrument) + " " + incident.pattern + " " + incident.cause);
    for (const std::string& id : incident.action_ids) parts.push_back(id);
  }
  std::sort(parts.begin(), parts.end());
  parts.erase(std::unique(parts.begin(), parts.end()), parts.end());
  return hex64(hash64(join(parts, "\n")));
}

}  // namespace

int64_t back_off_ms(const std::string& id, int64_t tries) {
  int64_t wait_ms = 1000;
  for (int64_t i = 1; i < tries && wait_ms < kBackOffMaxMs; ++i) wait_ms *= 2;
  wait_ms = std::min(wait_ms, kBackOffMaxMs);
  const uint64_t share = mix64(hash64(id), static_cast<uint64_t>(tries)) % 501;  // 0.75 .. 1.25
  return wait_ms * 3 / 4 + wait_ms * static_cast<int64_t>(share) / 1000;
}

Pager::Pager(NotifyConfig config, std::map<std::string, Severity> desks, std::string currency,
             PagerState state)
    : config_(std::move(config)),
      least_(std::move(desks)),
      currency_(std::move(currency)),
      state_(std::move(state)) {
  std::erase_if(state_.desks, [&](const auto& desk) { return least_.count(desk.first) == 0; });
  for (const auto& [name, least] : least_) (void)state_.desks[name];
}

// The thing that the incident is part of: the one it is in already, or the oldest one whose
// instrument holds it or is held by it.
Thing* Pager::thing_for(const Incident& incident) {
  Thing* best = nullptr;
  for (auto& [id, thing] : state_.things) {
    for (const Incident& known : thing.incidents) {
      if (known.id == incident.id) return &thing;
      const bool related = within(known.instrument, incident.instrument) ||
                           within(incident.instrument, known.instrument);
      if (related && (best == nullptr || thing.opened_ms < best->opened_ms)) best = &thing;
    }
  }
  return best;
}

void Pager::take(const Incident& incident, int64_t now_ms, int64_t silent_for_ms) {
  if (incident.severity == Severity::info) return;
  forget(now_ms);
  Thing* thing = thing_for(incident);
  if (thing == nullptr && state_.things.size() >= kThingsMax) {
    for (auto& [id, other] : state_.things) {
      if (thing == nullptr || other.opened_ms > thing->opened_ms) thing = &other;
    }
  }
  if (thing == nullptr) {
    if (!lasts(incident)) return;  // over before it was ever heard of
    const std::string id = "thing-" + hex64(hash64(incident.id));
    thing = &state_.things[id];
    thing->id = id;
    thing->opened_ms = now_ms;
  }
  auto known = std::find_if(thing->incidents.begin(), thing->incidents.end(),
                            [&](const Incident& i) { return i.id == incident.id; });
  if (known == thing->incidents.end()) {
    if (!lasts(incident)) return;
    if (thing->incidents.size() >= kIncidentsMax) {
      const auto over = std::find_if_not(thing->incidents.begin(), thing->incidents.end(), lasts);
      if (over == thing->incidents.end()) return;
      thing->silenced_ms.erase(over->id);
      thing->incidents.erase(over);
    }
    thing->incidents.push_back(incident);
  } else {
    const bool news = lasts(*known) && incident.updated_ts_ms >= known->updated_ts_ms &&
                      !same_fields(*known, incident);
    if (!news) return;
    *known = incident;
  }
  if (silent_for_ms > 0) {
    thing->silenced_ms[incident.id] = now_ms + silent_for_ms;
  } else {
    thing->silenced_ms.erase(incident.id);
  }
  const bool open = std::any_of(thing->incidents.begin(), thing->incidents.end(), lasts);
  thing->quiet_since_ms = open ? 0 : now_ms;
  thing->heard_ms = now_ms;
  ++revision_;
}

bool Pager::owed(const std::string& desk, const Thing& thing, int64_t now_ms, Told& telling) const {
  const Severity worst = worst_to_tell(thing, now_ms);
  const bool over = thing.quiet_since_ms != 0;
  const bool surely_over = over && now_ms >= thing.quiet_since_ms + config_.resolve_hold_s * 1000;
  const auto& told = state_.desks.at(desk).told;
  const auto known = told.find(thing.id);
  telling = {IncidentStatus::started, worst, gist_of(thing), now_ms, 1};
  if (known == told.end()) {
    const int64_t due_ms = thing.opened_ms + config_.group_wait_s * 1000;
    if (worst < least_.at(desk) || now_ms < due_ms) return false;
    if (!over) return true;
    telling.status = IncidentStatus::resolved;
    return surely_over && thing.quiet_since_ms >= due_ms;
  }
  const Told& before = known->second;
  telling.severity = std::max(worst, before.severity);
  telling.times = before.times + 1;
  if (before.status == IncidentStatus::resolved) return false;
  telling.status = over ? IncidentStatus::resolved : IncidentStatus::updated;
  if (over) return surely_over;
  if (worst == Severity::info) return false;
  return worst > before.severity ||
         (telling.gist != before.gist && now_ms >= before.at_ms + config_.update_every_s * 1000);
}

// Half of an hour's messages may go out at once, the other half come back over the hour: never
// more than all of them within any hour.
bool Pager::may_send(Desk& desk, int64_t now_ms) const {
  const auto at_once = static_cast<double>(std::max<int64_t>(1, config_.max_per_hour / 2));
  const double per_ms = (static_cast<double>(config_.max_per_hour) - at_once) / kHourMs;
  const auto passed_ms = static_cast<double>(std::max<int64_t>(0, now_ms - desk.counted_ms));
  desk.allowance =
      desk.allowance < 0.0 ? at_once : std::min(at_once, desk.allowance + passed_ms * per_ms);
  desk.counted_ms = now_ms;
  return desk.allowance >= 1.0;
}

void Pager::compose(const std::string& name, const std::map<std::string, Told>& telling,
                    int64_t now_ms) {
  Desk& desk = state_.desks.at(name);
  std::string key = name;
  std::vector<Notice> notices;
  for (const auto& [id, told] : telling) {
    key += "\n" + id + " " + std::to_string(told.times);
    notices.push_back({&state_.things.at(id), told.status, told.severity});
  }
  Message message = message_of(notices, currency_, config_.console_url, now_ms);
  message.id = "msg-" + hex64(hash64(key));
  message.created_ms = now_ms;
  desk.in_hand = std::move(message);
  desk.telling = telling;
  desk.tries = 0;
  desk.next_try_ms = now_ms;
  desk.allowance -= 1.0;
  ++revision_;
}

const Message* Pager::next(const std::string& name, int64_t now_ms) {
  Desk& desk = state_.desks.at(name);
  forget(now_ms);
  if (desk.in_hand.id.empty()) {
    std::map<std::string, Told> telling;
    for (const auto& [id, thing] : state_.things) {
      Told told;
      if (owed(name, thing, now_ms, told)) telling.emplace(id, told);
      if (telling.size() == kToldAtOnceMax) break;
    }
    if (telling.empty() || !may_send(desk, now_ms)) return nullptr;
    compose(name, telling, now_ms);
  }
  return now_ms >= desk.next_try_ms ? &desk.in_hand : nullptr;
}

void Pager::settle(const std::string& name, const Delivery& delivery, int64_t now_ms) {
  Desk& desk = state_.desks.at(name);
  PAYOPS_CHECK(!desk.in_hand.id.empty());
  ++revision_;
  desk.trouble = delivery.why;
  const bool too_old = now_ms - desk.in_hand.created_ms > config_.give_up_after_s * 1000;
  if (delivery.result == DeliveryResult::retry && !too_old) {
    ++desk.tries;
    ++desk.retried;
    desk.next_try_ms =
        now_ms + std::max(delivery.retry_after_ms, back_off_ms(desk.in_hand.id, desk.tries));
    return;
  }
  if (delivery.result == DeliveryResult::delivered) {
    ++desk.delivered;
    desk.trouble.clear();
  } else {
    ++desk.dropped;  // told or not: the same would be refused again, what comes next may not be
  }
  for (auto& [id, told] : desk.telling) desk.told[id] = told;
  desk.telling.clear();
  desk.in_hand = {};
  desk.tries = 0;
  forget(now_ms);
}

// A thing that is over and of which nobody has to be told any more.
void Pager::forget(int64_t now_ms) {
  const auto done = [&](const Thing& thing) {
    if (thing.quiet_since_ms == 0) {
      return now_ms > thing.heard_ms + kUnheardMs &&
             std::none_of(state_.desks.begin(), state_.desks.end(), [&](const auto& desk) {
               return desk.second.telling.count(thing.id) != 0;
             });
    }
    if (now_ms < thing.quiet_since_ms + config_.resolve_hold_s * 1000) return false;
    return std::none_of(least_.begin(), least_.end(), [&](const auto& desk) {
      Told told;
      return state_.desks.at(desk.first).telling.count(thing.id) != 0 ||
             owed(desk.first, thing, now_ms, told);
    });
  };
  const std::size_t gone =
      std::erase_if(state_.things, [&](const auto& t) { return done(t.second); });
  if (gone == 0) return;
  ++revision_;
  for (auto& [name, desk] : state_.desks) {
    std::erase_if(desk.told, [&](const auto& t) { return state_.things.count(t.first) == 0; });
  }
}

bool Pager::idle(int64_t now_ms) const {
  return std::all_of(state_.desks.begin(), state_.desks.end(), [&](const auto& desk) {
    if (!desk.second.in_hand.id.empty()) return false;
    return std::none_of(state_.things.begin(), state_.things.end(), [&](const auto& thing) {
      Told told;
      return owed(desk.first, thing.second, now_ms, told) ||
             (thing.second.quiet_since_ms == 0 && desk.second.told.count(thing.first) == 0 &&
              worst_to_tell(thing.second, now_ms) >= least_.at(desk.first));
    });
  });
}

}  // namespace payops::notify
