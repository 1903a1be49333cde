// An input altered by who can also compute every hash anew: replay must notice whatever he did.
#include <doctest/doctest.h>

#include <algorithm>

#include "payments_agent/closed_loop.h"
#include "payops/core/digest.h"

namespace payops::payments_agent {
namespace {

// A run through a fault, so that its inputs hold names, configuration, cells, arms and results.
struct Recording {
  ClosedLoop loop{"gateway_failure"};
  std::vector<std::string> digests;
  Recording() {
    loop.run(60);
    loop.say({.proposal_id = "kill", .verdict = "off", .shown_hash = "", .by = ""});
    loop.run(360);
    PaymentsAgent agent;
    for (const std::string& block : loop.blocks()) digests.push_back(applied(agent, block));
  }
  static std::string applied(PaymentsAgent& agent, const std::string& block) {
    const auto output = agent.apply(block);
    REQUIRE_MESSAGE(output, output.error().message);
    return output->digest;
  }
  // What the agent was after so many steps.
  [[nodiscard]] std::string snapshot_after(std::size_t steps) const {
    PaymentsAgent agent;
    for (std::size_t i = 0; i < steps; ++i) (void)applied(agent, loop.blocks()[i]);
    return agent.snapshot();
  }
};
const Recording& recording() {
  static const Recording recording;
  return recording;
}

// Whether the agent refuses the block or comes to another digest.
bool noticed(PaymentsAgent& agent, const std::string& before, const std::string& block,
             const std::string& digest) {
  REQUIRE(agent.restore(before));
  const auto output = agent.apply(block);
  if (!output) CHECK(output.error().code == ErrorCode::corrupt);
  return !output || output->digest != digest;
}

// The first steps have configuration and names, a later one cells, arms and results.
std::vector<std::size_t> sampled_steps() {
  std::vector<std::size_t> steps{0, 1};
  const auto& blocks = recording().loop.blocks();
  for (std::size_t i = 2; i < blocks.size(); ++i) {
    const auto input = decode_block(blocks[i]);
    REQUIRE(input);
    const bool arms = std::any_of(input->buckets.begin(), input->buckets.end(),
                                  [](const ClosedBucket& bucket) { return !bucket.arms.empty(); });
    if (arms && !input->head.results.empty()) {
      steps.push_back(i);
      break;
    }
  }
  REQUIRE(steps.size() == 3);
  return steps;
}

TEST_CASE("every byte of an input counts: altered, it is refused or gives another digest") {
  PaymentsAgent agent;
  for (const std::size_t step : sampled_steps()) {
    const std::string& block = recording().loop.blocks()[step];
    const std::string& digest = recording().digests[step];
    const std::string before = step == 0 ? "" : recording().snapshot_after(step);
    REQUIRE_FALSE(noticed(agent, before, block, digest));
    // Every byte of the head; of the long run of cells, one in seven.
    for (std::size_t at = 0; at < block.size(); at += at < 400 ? 1 : 7) {
      for (const int bit : {0, 7}) {
        std::string altered = block;
        altered[at] = static_cast<char>(altered[at] ^ (1 << bit));
        INFO("step " << step + 1 << " byte " << at << " bit " << bit);
        CHECK(noticed(agent, before, altered, digest));
      }
    }
  }
}

TEST_CASE("an alteration shows in the digests of all later steps too") {
  const auto& blocks = recording().loop.blocks();
  auto input = *decode_block(blocks[0]);
  input.head.build = "another";
  PaymentsAgent agent;
  CHECK(Recording::applied(agent, encode_block(input.head, input.buckets)) !=
        recording().digests[0]);
  for (std::size_t i = 1; i < 10; ++i) {
    CHECK(Recording::applied(agent, blocks[i]) != recording().digests[i]);
  }
}

TEST_CASE("what cannot have been recorded is refused with its reason, whatever its hashes") {
  const std::size_t step = sampled_steps().back();
  const std::string before = recording().snapshot_after(step);
  const StepInput truth = *decode_block(recording().loop.blocks()[step]);
  PaymentsAgent agent;
  const auto refusal = [&](auto alter) {
    StepInput input = truth;
    alter(input);
    REQUIRE(agent.restore(before));
    const auto output = agent.apply(encode_block(input.head, input.buckets));
    REQUIRE_FALSE(output);
    CHECK(output.error().code == ErrorCode::corrupt);
    return output.error().message;
  };
  const auto says = [](const std::string& text, const char* part) {
    CHECK_MESSAGE(text.find(part) != std::string::npos, text);
  };
  const auto first_cell = [](StepInput& input) -> LeafCell& {
    return input.buckets.front().cells.front();
  };
  says(refusal([&](StepInput& i) { first_cell(i).key.path.issuer = 60'000; }), "has no name");
  says(refusal([&](StepInput& i) { i.buckets.front().cells.back().key.path.gateway = kAny; }),
       "has no name");
  says(refusal([&](StepInput& i) { ++first_cell(i).cell.first_approvals; }), "contradict");
  says(refusal([&](StepInput& i) {
         std::swap(i.buckets.front().cells.front(), i.buckets.front().cells.back());
       }),
       "out of order");
  says(refusal([](StepInput& i) { ++i.head.step; }), "not of step");
  says(refusal([](StepInput& i) { i.head.names.added[0] = {"HDFC"}; }), "learnt twice");
  says(refusal([](StepInput& i) { i.head.watermark_ms = int64_t{1} << 60; }), "9999");
  says(refusal([](StepInput& i) { i.head.config_hash = std::string(64, '0'); }),
       "names the configuration");
  says(refusal([](StepInput& i) { i.head.config = "{}"; }), "the hash that stands beside it");
  says(refusal([](StepInput& i) {
         i.head.config = R"({"reasoning":{"display_window_s":7}})";
         i.head.config_hash = sha256_hex(i.head.config);
       }),
       "display_window_s");
}

}  // namespace
}  // namespace payops::payments_agent
