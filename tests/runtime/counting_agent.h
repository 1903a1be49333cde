// A small agent for tests of the step protocol: adds up numbers, decides one action every third
// step and an alert every step, and records what became of each.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "payops/core/codec.h"
#include "payops/core/digest.h"
#include "payops/runtime/step.h"

namespace payops {

inline constexpr const char* kCountingBuild = "counting 1";

struct CountingInput {
  int64_t ts_ms = 0;
  std::vector<int64_t> numbers;
  std::vector<SendResult> results;
  static constexpr auto fields() {
    return std::make_tuple(field("ts_ms", &CountingInput::ts_ms),
                           field("numbers", &CountingInput::numbers),
                           field("results", &CountingInput::results));
  }
};

struct CountingState {
  int64_t sum = 0;
  uint64_t step = 0;
  std::map<std::string, std::string> fates;  // of every outbox entry
  static constexpr auto fields() {
    return std::make_tuple(field("sum", &CountingState::sum), field("step", &CountingState::step),
                           field("fates", &CountingState::fates));
  }
};

class CountingAgent final : public Reducer {
 public:
  // `weight` stands for the build: another one gives other states from the same input.
  explicit CountingAgent(int64_t weight = 1) : weight_(weight) {}

  Result<StepOutput> apply(std::string_view block) override {
    const auto input = decode<CountingInput>(block);
    if (!input) return tl::make_unexpected(input.error());
    StepOutput output{.ts_ms = input->ts_ms, .build = kCountingBuild};
    ++state_.step;
    for (const SendResult& result : input->results) {
      const std::string fate = result.published ? "published" : "withdrawn";
      state_.fates[result.id] = fate;
      output.audit.push_back(
          {.kind = fate,
           .ts_ms = input->ts_ms,
           .body = "\"id\":\"" + result.id + "\",\"reason\":\"" + result.reason + "\""});
    }
    for (const int64_t number : input->numbers) state_.sum += weight_ * number;
    decide(output, "alert", "alerts", false);
    if (state_.step % 3 == 0) decide(output, "action", "actions", true);
    StateDigest digest;
    digest.add(encode(state_));
    digest.add(block);
    output.digest = digest.hex();
    return output;
  }

  std::string snapshot() const override { return encode(state_); }

  Status restore(std::string_view bytes) override {
    state_ = {};
    if (bytes.empty()) return {};
    auto state = decode<CountingState>(bytes);
    if (!state) return tl::make_unexpected(state.error());
    state_ = std::move(*state);
    return {};
  }

  const CountingState& state() const { return state_; }

 private:
  void decide(StepOutput& output, const char* what, const char* topic, bool guarded) const {
    const std::string id = std::string(what) + "-" + std::to_string(state_.step);
    output.outbox.push_back({.id = id,
                             .topic = topic,
                             .key = what,
                             .payload = "sum=" + std::to_string(state_.sum),
                             .not_after_ms = output.ts_ms + 20'000,
                             .guarded = guarded});
    output.audit.push_back({.kind = "decided",
                            .ts_ms = output.ts_ms,
                            .body = "\"id\":\"" + id + "\",\"sum\":" + std::to_string(state_.sum)});
  }

  int64_t weight_;
  CountingState state_;
};

// The input of step `step` as it lies in the topic: the same whenever it is read.
inline CountingInput counting_input(uint64_t step, std::vector<SendResult> results) {
  const auto n = static_cast<int64_t>(step);
  return {.ts_ms = 1'700'000'000'000 + n * 8'000,
          .numbers = {n * n, -n, 7},
          .results = std::move(results)};
}

inline std::vector<Cursor> counting_cursors(uint64_t step) {
  const auto n = static_cast<int64_t>(step);
  return {{.topic_id = "t", .partition = 0, .replay_from = 3 * n - 3, .seen_to = 3 * n}};
}

// One step of the agent through the stepper, as an application drives it.
inline Status take_counting_step(Stepper& stepper, CountingAgent& agent) {
  const uint64_t step = stepper.step() + 1;
  std::string block = encode(counting_input(step, stepper.results()));
  auto output = agent.apply(block);
  if (!output) return tl::make_unexpected(output.error());
  return stepper.take(std::move(block), std::move(*output), counting_cursors(step));
}

}  // namespace payops
