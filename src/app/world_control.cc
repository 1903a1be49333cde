#include "world_control.h"

#include <utility>

#include "payops/core/json_fields.h"

namespace payops::app {
namespace {

constexpr std::size_t kCommandsMax = 32;
constexpr std::size_t kOverMax = 20;
constexpr double kRateMax = 2000.0;
constexpr double kSpeedMax = 60.0;

Json told(const simulators::TruthEvent& event) {
  return {{"no", event.fault_no},
          {"kind", event.fault},
          {"scope", to_json(event.scope)},
          {"severity", event.severity},
          {"at_ms", event.ts_ms}};
}

// A number from the body, within (0, most]. Errors: usage.
Result<double> positive(const Json& value, const char* name, double most) {
  const double number = value.is_number() ? value.get<double>() : 0.0;
  if (number > 0.0 && number <= most) return number;
  return fail(ErrorCode::usage, std::string("\"") + name +
                                    "\" must be a number above 0 and at most " +
                                    std::to_string(static_cast<int>(most)));
}

}  // namespace

std::string WorldControl::state() {
  const std::lock_guard lock(lock_);
  Json kinds = Json::array(), on = Json::array(), over = Json::array();
  for (const std::string_view kind : enum_names<simulators::FaultKind>) kinds.push_back(kind);
  for (const auto& [no, event] : on_) on.push_back(told(event));
  for (const simulators::TruthEvent& event : over_) over.push_back(told(event));
  Json paths = Json::array();
  for (const simulators::PathTruth& path : paths_) paths.push_back(to_json(path));
  return dump(Json{{"scenario", scenario_.name},
                   {"rate_tps", scenario_.rate_tps},
                   {"speed", speed_},
                   {"now_ms", now_ms_},
                   {"kinds", std::move(kinds)},
                   {"faults", std::move(on)},
                   {"over", std::move(over)},
                   {"paths", std::move(paths)}});
}

Status WorldControl::command(const std::string& json) {
  const Json body = Json::parse(json, nullptr, false);
  if (!body.is_object() || body.size() != 1) {
    return fail(ErrorCode::usage,
                "the body must be {\"fault\": …}, {\"rate_tps\": …} or "
                "{\"speed\": …}");
  }
  const std::string& name = body.begin().key();
  const Json& value = body.begin().value();
  Command command;
  const std::lock_guard lock(lock_);
  if (commands_.size() >= kCommandsMax) {
    return fail(ErrorCode::refused, "too much is waiting to be taken up");
  }
  if (name == "fault") {
    const auto fault = from_json<simulators::Fault>(value);
    if (!fault) return fail(ErrorCode::usage, fault.error().message);
    if (Status valid = fault->validate(); !valid) return valid;
    simulators::Scenario with = scenario_;
    with.faults.push_back(*fault);
    if (Status valid = with.validate(); !valid) return valid;
    command = [fault = *fault](simulators::World& world, double&) { (void)world.inject(fault); };
  } else if (name == "rate_tps") {
    const auto rate = positive(value, "rate_tps", kRateMax);
    if (!rate) return tl::make_unexpected(rate.error());
    command = [rate = *rate](simulators::World& world, double&) { world.set_rate_tps(rate); };
    rate_changed_ = true;
  } else if (name == "speed") {
    const auto speed = positive(value, "speed", kSpeedMax);
    if (!speed) return tl::make_unexpected(speed.error());
    command = [speed = *speed](simulators::World&, double& now) { now = speed; };
  } else {
    return fail(ErrorCode::usage, "there is no \"" + name + "\" to change");
  }
  commands_.push_back(std::move(command));
  return {};
}

void WorldControl::turn(simulators::World& world, double& speed) {
  const std::lock_guard lock(lock_);
  now_ms_ = world.now_ms();
  for (; !commands_.empty(); commands_.pop_front()) {
    commands_.front()(world, speed);
    scenario_ = world.scenario();
    speed_ = speed;
  }
}

void WorldControl::truth(const std::vector<simulators::TruthEvent>& events) {
  const std::lock_guard lock(lock_);
  for (const simulators::TruthEvent& event : events) {
    if (event.kind == simulators::TruthKind::latent) {
      paths_ = event.paths;
    } else if (event.kind == simulators::TruthKind::fault_began) {
      on_[event.fault_no] = event;
    } else {
      on_.erase(event.fault_no);
      over_.push_front(event);
      if (over_.size() > kOverMax) over_.pop_back();
    }
  }
}

simulators::Scenario WorldControl::lived() const {
  const std::lock_guard lock(lock_);
  return scenario_;
}
bool WorldControl::rate_changed() const {
  const std::lock_guard lock(lock_);
  return rate_changed_;
}

}  // namespace payops::app
