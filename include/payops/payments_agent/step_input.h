// What one step of the payments agent consumes: everything the decision depends on, and nothing
// else. Recorded as the step's input block, so that replay sees exactly what the agent saw.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "payops/core/fields.h"
#include "payops/core/result.h"
#include "payops/model/cell.h"
#include "payops/model/decision.h"
#include "payops/model/dimensions.h"
#include "payops/observation/observer.h"
#include "payops/payments_agent/complaints.h"
#include "payops/runtime/step.h"

namespace payops::payments_agent {

// Why the step was cut.
enum class Trigger : uint8_t { scheduled, alarm, backlog, stopping };

// A `problem` that begins so is none: the console has no verdict to give, but something to write
// down, as that somebody signed in.
inline constexpr std::string_view kNotedByConsole = "noted by the console: ";

// A message from payops.approvals with what was found of its signature.
struct VerdictInput {
  Verdict verdict;
  bool signature_ok = false;
  std::string problem;         // why the signature is not good, or the message unreadable
  int64_t received_ts_ms = 0;  // by the clock of the process
  static constexpr auto fields() {
    return std::make_tuple(field("verdict", &VerdictInput::verdict),
                           field("signature_ok", &VerdictInput::signature_ok),
                           field("problem", &VerdictInput::problem),
                           field("received_ts_ms", &VerdictInput::received_ts_ms));
  }
};

// What the process around the agent knows of its own condition.
struct Health {
  std::string observe_only;  // the reason not to act, or empty
  bool killed = false;
  int64_t data_age_ms = 0;  // how far the newest data lies behind the clock
  uint64_t epoch = 0;       // of the lease
  int64_t clock_ms = 0;     // wall clock; 0 in virtual time
  static constexpr auto fields() {
    return std::make_tuple(field("observe_only", &Health::observe_only),
                           field("killed", &Health::killed),
                           field("data_age_ms", &Health::data_age_ms),
                           field("epoch", &Health::epoch), field("clock_ms", &Health::clock_ms));
  }
};

struct InputHead {
  uint64_t step = 0;
  Trigger trigger = Trigger::scheduled;
  int64_t watermark_ms = 0;  // the cycle's event time: every second before it is in a block
  std::string build;         // version of the program
  std::string config_hash;   // SHA-256 of the configuration in force, hex
  std::string config;        // its JSON, where the process starts or it changed; else empty
  DictionaryDelta names;
  observation::IngestCounts counts;
  std::vector<observation::DeadLetter> dead_letters;
  std::string source;  // the topic that these came from, by its name on the broker
  std::vector<VerdictInput> verdicts;
  Health health;
  std::vector<SendResult> results;  // of the step before
  // Of customers, from support.signals. They stand last in a block, if there are any: blocks from
  // before complaints were heard are read as ever.
  std::vector<Complaint> complaints;
  static constexpr auto fields() {
    return std::make_tuple(
        field("step", &InputHead::step), field("trigger", &InputHead::trigger),
        field("watermark_ms", &InputHead::watermark_ms), field("build", &InputHead::build),
        field("config_hash", &InputHead::config_hash), field("config", &InputHead::config),
        field("names", &InputHead::names), field("counts", &InputHead::counts),
        field("dead_letters", &InputHead::dead_letters), field("source", &InputHead::source),
        field("verdicts", &InputHead::verdicts), field("health", &InputHead::health),
        field("results", &InputHead::results));
  }
};

// A step's time: of its events; by the wall clock as long as there was no event.
[[nodiscard]] inline int64_t step_ms(const InputHead& head) {
  return head.watermark_ms > 0 ? head.watermark_ms : head.health.clock_ms;
}

struct StepInput {
  InputHead head;
  std::vector<ClosedBucket> buckets;
};

[[nodiscard]] std::string encode_block(const InputHead& head,
                                       const std::vector<ClosedBucket>& buckets);
[[nodiscard]] Result<StepInput> decode_block(std::string_view block);

// Whether the input can be the one after `steps` steps of an agent that knows the names in
// `dictionary`: the step's number, ids that have a name, counts that counting gives, times before
// the year 10000. What an agent recorded passes; altered bytes that still decode may not, and must
// not reach it. Errors: corrupt, saying what does not fit.
[[nodiscard]] Status check_input(const StepInput& input, const Dictionary& dictionary,
                                 uint64_t steps);

}  // namespace payops::payments_agent

template <>
inline constexpr payops::EnumNames<4> payops::enum_names<payops::payments_agent::Trigger>{
    "scheduled", "alarm", "backlog", "stopping"};
