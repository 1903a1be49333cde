// What a console can show of an agent, folded from what the agent does: the same for one that is
// at work (feed.h) and for one that is led through its recorded past (rewind.h). A value: a copy
// goes on by itself. Internal to api.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "chronicle.h"
#include "payops/api/knowledge.h"
#include "payops/model/cell.h"
#include "payops/payments_agent/agent.h"
#include "sparks.h"

namespace payops::api {

class Projection {
 public:
  Projection(Deployment deployment, std::size_t cells_max, double keep_s);

  // Another process goes on with the same log: what it was told is gone, the lines in the cells
  // stay.
  void begin_anew(Deployment deployment);
  void second(const ClosedBucket& bucket) { sparks_.add(bucket); }
  // A cycle is over; `meters` is what was counted, null where nothing is.
  void cycle(const payments_agent::PaymentsAgent& agent,
             std::shared_ptr<const Meters> meters = nullptr);
  // How the series stand now, by the event time `at_ms`.
  void read_cells(const payments_agent::PaymentsAgent& agent, int64_t at_ms);
  void pulse(Pulse pulse) { known_.pulse = std::move(pulse); }

  [[nodiscard]] const Knowledge& known() const { return known_; }

 private:
  std::size_t cells_max_;
  double keep_s_;
  Chronicle chronicle_;
  Sparks sparks_;
  std::vector<std::string> nodes_;
  Knowledge known_;
};

}  // namespace payops::api
