// Incidents: an alarm's life as the outside is told of it, from started to resolved.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "payops/core/fields.h"
#include "payops/model/assessment.h"
#include "payops/model/decision.h"
#include "payops/model/effect.h"

namespace payops::payments_agent {

class Incidents {
 public:
  // Brings the incidents up to the assessment and gives those that changed: a new alarm starts
  // one; a change of severity, leading cause or interventions updates it, at most once a cycle;
  // the alarm's end resolves and forgets it.
  [[nodiscard]] std::vector<Incident> update(const Assessment& assessment,
                                             const std::vector<Intervention>& interventions);
  [[nodiscard]] const std::map<std::string, Incident>& open() const { return open_; }

  static constexpr auto fields() { return std::make_tuple(field("open", &Incidents::open_)); }

 private:
  std::map<std::string, Incident> open_;  // by alarm id; bounded by the alarms in force
};

}  // namespace payops::payments_agent
