// Incidents for the tests of notify.
#pragma once

#include <string>

#include "payops/model/effect.h"

namespace payops::notify {

inline constexpr int64_t kStart = 1'800'000'000'000;

inline Incident incident(const std::string& id, const std::string& issuer,
                         Severity severity = Severity::high) {
  Incident i;
  i.id = "inc-" + id;
  i.severity = severity;
  i.pattern = "issuer_outage";
  i.instrument.issuer = issuer;
  i.begin_ts_ms = kStart;
  i.updated_ts_ms = kStart + 1000;
  i.cause = "issuer_down";
  i.confidence = 0.97;
  i.lost_minor = 123'456.0;
  i.message = "issuer_outage at issuer " + issuer;
  return i;
}

inline Incident later(Incident i, IncidentStatus status, int64_t by_ms = 1000) {
  i.status = status;
  i.updated_ts_ms += by_ms;
  if (status == IncidentStatus::resolved) i.end_ts_ms = i.updated_ts_ms;
  return i;
}

}  // namespace payops::notify
