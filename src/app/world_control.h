// A running world's truth and its knobs, between its own thread and whoever watches.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "payops/api/simulator.h"
#include "payops/simulators/world.h"

namespace payops::app {

class WorldControl final : public api::Simulator {
 public:
  WorldControl(simulators::Scenario scenario, double speed)
      : scenario_(std::move(scenario)), speed_(speed) {}

  // Any thread.
  [[nodiscard]] std::string state() override;
  [[nodiscard]] Status command(const std::string& json) override;

  // The world's thread: takes up what was commanded; `speed` is simulated seconds per second.
  void turn(simulators::World& world, double& speed);
  void truth(const std::vector<simulators::TruthEvent>& events);
  // The scenario as it came to be, injected faults included; the rate's changes cannot be told.
  [[nodiscard]] simulators::Scenario lived() const;
  [[nodiscard]] bool rate_changed() const;

 private:
  using Command = std::function<void(simulators::World&, double& speed)>;
  mutable std::mutex lock_;
  simulators::Scenario scenario_;
  double speed_;
  bool rate_changed_ = false;
  int64_t now_ms_ = 0;
  std::deque<Command> commands_;
  std::map<uint32_t, simulators::TruthEvent> on_;  // by number
  std::deque<simulators::TruthEvent> over_;        // the last ones, with their ends
  std::vector<simulators::PathTruth> paths_;
};

}  // namespace payops::app
