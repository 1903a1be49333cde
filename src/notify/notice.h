// What a message says of things, in words and as JSON. Internal to notify.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "payops/notify/pager.h"

namespace payops::notify {

[[nodiscard]] bool lasts(const Incident& incident);
// The worst of what lasts; of everything once it is over.
[[nodiscard]] Severity worst_of(const Thing& thing);

struct Notice {
  const Thing* thing = nullptr;
  IncidentStatus status = IncidentStatus::started;
  Severity severity = Severity::low;
};

// Subject, text, data and thread. REQUIRES: at least one notice. `console_url` may be empty.
[[nodiscard]] Message message_of(const std::vector<Notice>& notices, const std::string& currency,
                                 const std::string& console_url, int64_t now_ms);

}  // namespace payops::notify
