// From messages to steps: hands closed buckets to the agent, decides where a step is cut, and
// takes it through the step protocol. The same loop serves the live process and virtual time.
//
//   loop.observer().add(message, now_ms);    // as many as there are
//   loop.observer().tick(now_ms);
//   Status s = loop.pump(health);            // closes seconds, runs cycles, commits, publishes
//
// Scheduled cycles fall on multiples of the cycle interval in event time. A new alarm cuts a step
// at once; so do a person's verdict and a backlog of dead letters, and complaints where no payment
// was ever seen. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "payops/observation/observer.h"
#include "payops/payments_agent/agent.h"
#include "payops/payments_agent/step_input.h"
#include "payops/runtime/step.h"

namespace payops::payments_agent {

struct LoopOptions {
  std::string build;  // version of the program, recorded with every step
  AgentConfig config;
  std::string source = "payments.transactions";  // the topic's name on the broker
  std::size_t dead_letters_max = 256;            // a step is cut when so many wait
  int64_t gap_max_ms = 3'600'000;  // a backlog's silences up to this long are not cycled through
  std::function<std::vector<Cursor>()> cursors = [] { return std::vector<Cursor>(); };
  std::function<void(const InputHead&)> on_input = [](const InputHead&) {};  // of each step
  std::function<void(const ClosedBucket&)> on_second = [](const ClosedBucket&) {};
  std::function<void(const CycleReport&)> on_cycle = [](const CycleReport&) {};
};

class Loop {
 public:
  // REQUIRES: stepper.recover() succeeded; the four outlive the loop. Puts options.config in force.
  Loop(PaymentsAgent& agent, observation::Observer& observer, Stepper& stepper,
       LoopOptions options);

  // Queues a person's verdict for the next step.
  void add_verdict(VerdictInput verdict);

  // Queues what customers complain of for the next step.
  void hear(std::vector<Complaint> complaints);

  // Closes what the watermark allows and takes the steps that fall due. Errors: of the step
  // protocol; after a retryable one call again, nothing is lost.
  [[nodiscard]] Status pump(const Health& health);

  // Takes a last step over everything closed so far, so that a restart reads nothing of it again.
  [[nodiscard]] Status stop(const Health& health);

  [[nodiscard]] uint64_t steps() const { return stepper_.step(); }

 private:
  [[nodiscard]] Status cut(Trigger trigger, int64_t at_ms, const Health& health);
  // Hands the agent what is closed of the present cycle; true when it is complete.
  [[nodiscard]] Result<bool> close_cycle(const Health& health);
  // The second before which buckets may be taken now.
  [[nodiscard]] int64_t bound_second() const;
  [[nodiscard]] int64_t closed_to_ms() const;
  [[nodiscard]] int64_t interval_ms() const;
  [[nodiscard]] bool complaints_wait(const Health& health) const;

  PaymentsAgent& agent_;
  observation::Observer& observer_;
  Stepper& stepper_;
  LoopOptions options_;
  std::string config_json_;
  std::string config_hash_;
  bool config_recorded_ = false;
  int64_t next_cycle_ms_ = 0;  // 0 until the first second is known
  std::vector<ClosedBucket> buckets_;
  std::vector<VerdictInput> verdicts_;
  std::vector<Complaint> complaints_;
  int64_t cut_at_ms_ = 0;  // by the wall clock
};

}  // namespace payops::payments_agent
