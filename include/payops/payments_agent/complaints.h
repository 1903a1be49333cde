// Customers' complaints as a sensor: a Poisson CUSUM (Page 1954) for every issuer and every method
// that they name, against the rate learnt there.
//
//   complaints.hear(input.complaints, input.health.clock_ms, step_ms(input));
//   Assessment told = complaints.added_to(assessment);
//
// Hearsay: what rises here is told, with explanations that compete, and is never valued or acted
// on. Where payments themselves alarm, complaints are one more piece of evidence for that. Times
// of complaints are of the clock of whoever heard them; alarms are told in the payments' time.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "payops/core/fields.h"
#include "payops/core/result.h"
#include "payops/model/assessment.h"

namespace payops::payments_agent {

inline constexpr std::size_t kComplaintsAStep = 256;  // a step is cut when so many wait

// A message of support.signals. "*": left open.
struct Complaint {
  std::string signal_id;
  int64_t ts_ms = 0;
  std::string issuer = "*";
  std::string method = "*";
  // Errors: corrupt: no id, no time, or names that are none.
  [[nodiscard]] Status validate() const;
  static constexpr auto fields() {
    return std::make_tuple(field("signal_id", &Complaint::signal_id),
                           field("ts_ms", &Complaint::ts_ms), field("issuer", &Complaint::issuer),
                           field("method", &Complaint::method));
  }
};
// Errors: corrupt, in a sentence.
[[nodiscard]] Result<Complaint> parse_complaint(std::string_view payload);

struct ComplaintConfig {
  double usual_per_hour = 0.5;         // of one issuer or method, before anything is learnt
  double times_usual = 5.0;            // the rise that is looked for
  double false_alarms_per_week = 0.1;  // over all issuers and methods
  double memory_h = 24.0;              // how far back the usual rate is learnt from
  double quiet_min = 15.0;             // an alarm ends when so long no more than usual complain
  [[nodiscard]] Status validate() const;
  bool operator==(const ComplaintConfig&) const = default;
  static constexpr auto fields() {
    using C = ComplaintConfig;
    return std::make_tuple(field("usual_per_hour", &C::usual_per_hour),
                           field("times_usual", &C::times_usual),
                           field("false_alarms_per_week", &C::false_alarms_per_week),
                           field("memory_h", &C::memory_h), field("quiet_min", &C::quiet_min));
  }
};

// How an issuer or method stands that somebody complained of lately.
struct ComplaintReading {
  std::string issuer = "*";
  std::string method = "*";
  int64_t heard = 0;  // within quiet_min
  double usual_per_hour = 0.0;
  double statistic = 0.0;
  double threshold = 0.0;
  bool alarming = false;
  static constexpr auto fields() {
    using R = ComplaintReading;
    return std::make_tuple(field("issuer", &R::issuer), field("method", &R::method),
                           field("heard", &R::heard), field("usual_per_hour", &R::usual_per_hour),
                           field("statistic", &R::statistic), field("threshold", &R::threshold),
                           field("alarming", &R::alarming));
  }
};

class Complaints {
 public:
  void configure(const ComplaintConfig& config) { config_ = config; }
  // What was heard since the last call, in any order; one heard before is passed over. `clock_ms`:
  // up to when it was listened, 0: it was not. `event_ms`: the payments' time then, 0: unknown.
  void hear(std::vector<Complaint> heard, int64_t clock_ms, int64_t event_ms);
  // The assessment with what complaints say: alarms of their own, explanations where there are none
  // yet, evidence where there are. An alarm that payments have taken over is not told again.
  [[nodiscard]] Assessment added_to(Assessment assessment);
  // Lately complained of, by name; at most 20.
  [[nodiscard]] std::vector<ComplaintReading> readings() const;
  [[nodiscard]] bool alarming() const;

  // State; the configuration is kept elsewhere.
  static constexpr auto fields() {
    using C = Complaints;
    return std::make_tuple(field("series", &C::series_), field("heard_to_ms", &C::heard_to_ms_),
                           field("ids", &C::ids_), field("next_id", &C::next_id_),
                           field("rose", &C::rose_), field("ended", &C::ended_));
  }

 private:
  struct Series {
    double events = 0.0, minutes = 0.0;                  // learnt from, old ones fading
    double pending_events = 0.0, pending_minutes = 0.0;  // since `since_ms`: learnt when it is over
    double statistic = 0.0;
    int64_t since_ms = 0;                 // when the statistic last left 0
    std::map<std::string, int64_t> with;  // complaints since then, by the other name
    std::vector<int64_t> recent_ms;       // within quiet_min, the oldest first
    bool alarming = false;
    bool bounded = false;     // what is pending was an alarm that ended
    bool symptom = false;     // of an issuer's alarm; not told
    bool taken_over = false;  // by an alarm that payments gave; not told either
    int64_t raised_ms = 0;
    Alarm alarm;
    static constexpr auto fields() {
      using S = Series;
      return std::make_tuple(field("events", &S::events), field("minutes", &S::minutes),
                             field("pending_events", &S::pending_events),
                             field("pending_minutes", &S::pending_minutes),
                             field("statistic", &S::statistic), field("since_ms", &S::since_ms),
                             field("with", &S::with), field("recent_ms", &S::recent_ms),
                             field("alarming", &S::alarming), field("bounded", &S::bounded),
                             field("symptom", &S::symptom), field("taken_over", &S::taken_over),
                             field("raised_ms", &S::raised_ms), field("alarm", &S::alarm));
    }
  };

  [[nodiscard]] double usual_per_min(const Series& series) const;
  void learn(Series& series) const;
  [[nodiscard]] double threshold(const Series& series) const;
  [[nodiscard]] bool fresh(const std::string& id);
  Series* series_of(const std::string& key);
  void advance(Series& series, double minutes, int64_t to_ms);
  void note(const std::string& key, const std::string& other, int64_t ts_ms);
  void raise(const std::string& key, Series& series, int64_t ts_ms);
  void settle(int64_t clock_ms, int64_t event_ms);

  ComplaintConfig config_;
  std::map<std::string, Series> series_;  // "issuer|HDFC", "method|upi"; bounded
  int64_t heard_to_ms_ = 0;
  std::vector<uint64_t> ids_;  // hashes of the last complaints' ids, a ring
  uint64_t next_id_ = 0;
  std::vector<Alarm> rose_, ended_;  // by the last hear()
};

}  // namespace payops::payments_agent
