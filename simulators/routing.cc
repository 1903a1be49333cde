#include "payops/simulators/routing.h"

#include <algorithm>
#include <charconv>

#include "payops/core/digest.h"
#include "payops/core/random.h"

namespace payops::simulators {
namespace {

// An ended action is remembered so long for the payments it still covers.
constexpr int64_t kRememberMs = 3'600'000;

template <class Spec>
std::optional<uint8_t> index_of(const std::vector<Spec>& specs, const std::string& name) {
  for (std::size_t i = 0; i < specs.size(); ++i) {
    if (specs[i].name == name) return static_cast<uint8_t>(i);
  }
  return std::nullopt;
}

double number(const Action& action, const std::string& key, double fallback) {
  const auto it = action.params.find(key);
  if (it == action.params.end()) return fallback;
  double value = fallback;
  const char* last = it->second.data() + it->second.size();
  const auto [end, error] = std::from_chars(it->second.data(), last, value);
  return error == std::errc{} && end == last ? value : fallback;
}

// Ids are copied into events as they are; ours are "act-" and 16 hex digits.
bool plain_id(const std::string& id) {
  return !id.empty() && id.size() <= 128 && std::all_of(id.begin(), id.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '_' || c == '.' || c == ':';
  });
}

Effect effect_of(const std::string& type) {
  if (type == action_type::kSuppressPath) return Effect::suppress;
  if (type == action_type::kRerouteTraffic) return Effect::reroute;
  if (type == action_type::kReduceRetryAttempts) return Effect::reduce_retry;
  if (type == action_type::kAdjustRetry) return Effect::adjust_retry;
  return Effect::none;
}

}  // namespace

bool Ways::cover(const Way& way) const {
  return !unknown && (!issuer || *issuer == way.issuer) && (!method || *method == way.method) &&
         (!gateway || *gateway == way.gateway);
}

Ways resolve(const Scope& scope, const Scenario& scenario) {
  Ways ways;
  const auto find = [&](const auto& specs, const std::string& name) -> std::optional<uint8_t> {
    if (name == "*") return std::nullopt;
    const auto index = index_of(specs, name);
    if (!index) ways.unknown = true;
    return index;
  };
  ways.issuer = find(scenario.issuers, scope.issuer);
  ways.method = find(scenario.methods, scope.method);
  ways.gateway = find(scenario.gateways, scope.gateway);
  return ways;
}

bool AppliedAction::covers(const Way& way) const {
  return ways.cover(way) && !(effect == Effect::reroute && way.gateway == *to_gateway);
}

Arm AppliedAction::arm_of(std::string_view user_id) const {
  const double share = share_of(action.action_id, user_id);
  if (share >= action.strength) return Arm::none;
  return share < action.strength * action.holdout ? Arm::holdout : Arm::treated;
}

double AppliedAction::propensity(Arm arm) const {
  return action.strength * (arm == Arm::holdout ? action.holdout : 1.0 - action.holdout);
}

ActionsInForce::ActionsInForce(const Scenario& scenario)
    : scenario_(scenario),
      ramp_out_ms_(static_cast<int64_t>(scenario.steering.ramp_out_s * 1000.0)) {}

AppliedAction ActionsInForce::interpret(const Action& action) const {
  AppliedAction applied;
  applied.action = action;
  const bool sensible = action.strength > 0.0 && action.holdout >= 0.0 && action.holdout < 1.0;
  applied.effect = sensible && plain_id(action.action_id) ? effect_of(action.type) : Effect::none;
  applied.action.strength = std::min(action.strength, 1.0);
  applied.end_ms = action.expires_ts_ms;
  applied.ways = resolve(action.scope, scenario_);
  if (applied.effect == Effect::reroute) {
    const auto it = action.params.find("to_gateway");
    if (it != action.params.end()) applied.to_gateway = index_of(scenario_.gateways, it->second);
    if (!applied.to_gateway) applied.effect = Effect::none;  // to nowhere this world knows
  }
  applied.max_attempts =
      static_cast<uint32_t>(std::clamp(number(action, "max_attempts", 1.0), 1.0, 20.0));
  applied.delay_ms = std::clamp(number(action, "delay_ms", 0.0), 0.0, 120'000.0);
  return applied;
}

void ActionsInForce::apply(const Action& action, int64_t now_ms) {
  const std::string key = action.key();
  const auto [it, first] = seen_.try_emplace(key);
  Seen& seen = it->second;
  const auto newness = std::pair(action.epoch, action.revision);
  const auto known = std::pair(seen.epoch, seen.revision);
  if (!first && newness < known) return;
  const std::string& identity = action.inverse_of.empty() ? action.action_id : action.inverse_of;
  const std::string mark = (action.inverse_of.empty() ? "" : "undo ") + identity;
  if (!first && newness == known && seen.action_id == mark) return;  // a repeat
  seen = {action.epoch, action.revision, mark};

  if (!action.inverse_of.empty()) {
    for (AppliedAction& applied : applied_) {
      if (applied.action.action_id == action.inverse_of) {
        applied.end_ms = std::min(applied.end_ms, now_ms);
      }
    }
    rank(now_ms);
    return;
  }
  if (AppliedAction* previous = active(key)) {
    previous->superseded = true;
    previous->end_ms = std::min(previous->end_ms, now_ms);
  }
  active_.erase(key);
  AppliedAction applied = interpret(action);
  if (applied.end_ms > now_ms) {
    applied.serial = first_serial_ + applied_.size();
    active_[key] = applied.serial;
    applied_.push_back(std::move(applied));
  }
  rank(now_ms);
}

void ActionsInForce::end(const std::string& key, int64_t now_ms) {
  if (AppliedAction* applied = active(key)) applied->end_ms = std::min(applied->end_ms, now_ms);
  active_.erase(key);
  rank(now_ms);
}

bool ActionsInForce::reaches(const AppliedAction& applied, std::string_view user_id,
                             int64_t now_ms) const {
  if (applied.superseded) return false;
  if (now_ms < applied.end_ms) return true;
  if (now_ms >= applied.end_ms + ramp_out_ms_) return false;
  const uint64_t mixed = mix64(hash64(user_id), hash64(applied.action.action_id));
  const double share = static_cast<double>(mixed >> 11) * 0x1.0p-53;
  return static_cast<double>(now_ms - applied.end_ms) < share * static_cast<double>(ramp_out_ms_);
}

const AppliedAction* ActionsInForce::find(uint64_t serial) const {
  if (serial < first_serial_ || serial - first_serial_ >= applied_.size()) return nullptr;
  return &applied_[static_cast<std::size_t>(serial - first_serial_)];
}

AppliedAction* ActionsInForce::active(const std::string& key) {
  const auto it = active_.find(key);
  if (it == active_.end() || it->second < first_serial_) return nullptr;
  return &applied_[static_cast<std::size_t>(it->second - first_serial_)];
}

void ActionsInForce::prune(int64_t now_ms) {
  const auto over = [&](const AppliedAction& a) { return now_ms >= a.end_ms + ramp_out_ms_; };
  if (std::any_of(ranked_.begin(), ranked_.end(), [&](const auto* a) { return over(*a); })) {
    rank(now_ms);
  }
  while (!applied_.empty() && now_ms >= applied_.front().end_ms + kRememberMs) {
    applied_.pop_front();
    ++first_serial_;
  }
}

void ActionsInForce::rank(int64_t now_ms) {
  ranked_.clear();
  for (const AppliedAction& applied : applied_) {
    if (applied.superseded || applied.effect == Effect::none) continue;
    if (now_ms < applied.end_ms + ramp_out_ms_) ranked_.push_back(&applied);
  }
  std::sort(ranked_.begin(), ranked_.end(), [](const AppliedAction* a, const AppliedAction* b) {
    if (a->effect != b->effect) return a->effect < b->effect;
    const std::string key_a = a->action.key(), key_b = b->action.key();
    return key_a != key_b ? key_a < key_b : a->serial < b->serial;
  });
}

}  // namespace payops::simulators
