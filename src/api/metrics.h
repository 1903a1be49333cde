// What Prometheus reads at /metrics. Internal to api. Any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "hub/front.h"
#include "payops/api/hub.h"
#include "payops/api/knowledge.h"

namespace payops::api {

class Metrics {
 public:
  void count_request() { ++requests_; }
  // The text exposition format, version 0.0.4. Reads /proc for what the process costs.
  [[nodiscard]] std::string text(const Knowledge& known, const HubCounts& hub,
                                 const FrontCounts& front, int64_t now_ms) const;

 private:
  std::atomic<uint64_t> requests_{0};
};

}  // namespace payops::api
