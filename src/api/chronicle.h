// What the cycles said, folded into what is true now: incidents over their life, and what was
// weighed for each intervention. Pure: a function of the cycles told, in order. Internal to api.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "payops/api/knowledge.h"

namespace payops::api {

// What the cycle's report says of the incident while it lasts: its alarm, what explains it now,
// and how belief has moved.
void believe(IncidentView& view, const Alarm& alarm, const payments_agent::CycleReport& report);
// Whether the intervention was meant for the incident.
[[nodiscard]] bool is_about(const Option& option, const Incident& incident);
// Enters the action with the incidents it was meant for; the id of the one that loses most, or "".
[[nodiscard]] std::string enter_action(const std::string& action_id, const Option& option,
                                       const std::vector<IncidentView*>& lasting);
// What was weighed in the cycle for what was chosen.
[[nodiscard]] std::shared_ptr<Weighed> weighed_in(const payments_agent::CycleReport& report,
                                                  const safety::Judgement& chosen);

class Chronicle {
 public:
  explicit Chronicle(double keep_s) : keep_ms_(static_cast<int64_t>(keep_s * 1000.0)) {}
  // A cycle is over: its report, the incidents open after it by alarm id, what people said of them
  // by incident id, the ledger.
  [[nodiscard]] CycleView cycle(const payments_agent::CycleReport& report,
                                const std::map<std::string, Incident>& open,
                                const std::map<std::string, payments_agent::IncidentCare>& care,
                                const std::vector<Intervention>& ledger);

 private:
  struct Life {
    IncidentView view;
    std::deque<std::pair<int64_t, double>> lost;  // at_ms, lost_minor, of the last minute
    double counted_minor = 0.0;                   // of it, already in lost_today
  };
  void follow_alarms(const payments_agent::CycleReport& report,
                     const std::map<std::string, Incident>& open);
  void follow_ends(const payments_agent::CycleReport& report);
  void count_money(int64_t at_ms);
  void weigh(const payments_agent::CycleReport& report);
  void forget(int64_t at_ms);
  [[nodiscard]] double counted_of(const Incident& incident) const;
  [[nodiscard]] bool inside_another(const Life& life) const;
  [[nodiscard]] std::vector<InterventionView> interventions(const std::vector<Intervention>& ledger,
                                                            int64_t at_ms);

  int64_t keep_ms_;
  std::map<std::string, Life> lives_;                              // by incident id
  std::map<std::string, std::shared_ptr<const Weighed>> weighed_;  // by action id
  int64_t day_ = 0;
  double lost_today_minor_ = 0.0;
};

}  // namespace payops::api
