// Incidents and interventions of the whole log, as its records tell of them: the same values that
// the console showed, kept beyond the hour that the live state keeps them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "payops/api/knowledge.h"
#include "payops/api/past.h"
#include "payops/runtime/audit_line.h"

namespace payops::api {

struct HistoryLimits {
  std::size_t incidents_max = 2000;  // of each, the oldest are forgotten
  std::size_t interventions_max = 4000;
};

// A fold over the log's lines, in order. One thread.
class History {
 public:
  explicit History(HistoryLimits limits = {}) : limits_(limits) {}
  // Records that are not about either are passed over, and so is a body that does not read: the
  // chain was checked by whoever hands the line in.
  void take(const AuditLine& line);

  // {"incidents":[…],"more":bool}, newest first; values as in STATE.
  [[nodiscard]] std::string incidents(const PastQuery& query) const;
  // {"interventions":[…],"more":bool}; with "audit_seq" and "audit_hash" of the record that tells
  // of the decision. The heartbeat alert, which is about nothing, is left out.
  [[nodiscard]] std::string interventions(const PastQuery& query) const;

 private:
  struct Told {
    InterventionView view;
    uint64_t seq = 0;
    std::string hash;
  };
  void take_incident(const AuditLine& line);
  void take_decided(const AuditLine& line);
  void take_decision(const AuditLine& line);
  void take_transition(const AuditLine& line);
  void take_outcome(const AuditLine& line);
  void take_verdict(const AuditLine& line);
  void forget();
  [[nodiscard]] double saved_minor(const IncidentView& view) const;

  HistoryLimits limits_;
  std::map<std::string, IncidentView> incidents_;         // by id
  std::map<std::string, std::string> incident_by_alarm_;  // of those that last
  std::map<std::string, Told> interventions_;             // by action id
};

}  // namespace payops::api
