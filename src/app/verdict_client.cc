#include "verdict_client.h"

#include <cstdio>

#include "cli.h"
#include "payops/core/clock.h"
#include "payops/core/digest.h"
#include "payops/core/json_fields.h"
#include "payops/core/text.h"
#include "payops/safety/verdict.h"
#include "payops/streaming/consumer.h"
#include "payops/streaming/event_producer.h"
#include "payops/streaming/topics.h"

namespace payops::app {
namespace {

constexpr int64_t kVerdictFlushMs = 15'000;

std::optional<Proposal> as_proposal(std::string_view payload, const std::string& action_id) {
  // Most messages are about something else: look before parsing.
  if (payload.find(action_id) == std::string_view::npos) return std::nullopt;
  const Json body = Json::parse(payload, nullptr, false);
  if (!body.is_object() || !body.contains("proposal") || !body.contains("shown"))
    return std::nullopt;
  const auto intervention = from_json<Intervention>(body["proposal"]);
  if (!intervention || intervention->action.action_id != action_id) return std::nullopt;
  return Proposal{*intervention, body["shown"].get<std::string>(),
                  intervention->action.decision_id};
}

// What a decision says of this verdict, if anything.
std::optional<payments_agent::VerdictResult> as_result(std::string_view payload,
                                                       const Verdict& verdict) {
  if (payload.find(verdict.proposal_id) == std::string_view::npos) return std::nullopt;
  const Json body = Json::parse(payload, nullptr, false);
  if (!body.is_object() || !body.contains("verdicts")) return std::nullopt;
  for (const Json& one : body["verdicts"]) {
    const auto result = from_json<payments_agent::VerdictResult>(one);
    if (result && result->proposal_id == verdict.proposal_id &&
        result->verdict == verdict.verdict && result->by == verdict.by) {
      return *result;
    }
  }
  return std::nullopt;
}

Result<std::string> key_in(const std::string& file) {
  const auto key = read_file(file);
  if (key) return key->substr(0, key->find('\n'));
  return fail(ErrorCode::config, key.error().message + "; \"payops keys new\" makes a key");
}

// A reader of what is decided from now on.
Result<std::unique_ptr<streaming::Consumer>> read_decisions_from_now(
    const streaming::StreamingConfig& config) {
  auto consumer = streaming::Consumer::open(config, {"payops.decisions"});
  if (!consumer) return consumer;
  const auto ends = (*consumer)->watermarks();
  if (!ends) return tl::make_unexpected(ends.error());
  std::vector<streaming::Position> positions;
  for (const streaming::Watermarks& mark : *ends) {
    positions.push_back({mark.topic, mark.partition, mark.end});
  }
  if (Status status = (*consumer)->assign(positions); !status) {
    return tl::make_unexpected(status.error());
  }
  return consumer;
}

}  // namespace

Status check_key(const std::string& file) {
  const auto key = key_in(file);
  if (!key) return tl::make_unexpected(key.error());
  Verdict probe;
  return safety::sign_verdict(probe, *key);
}

Result<std::optional<Proposal>> find_proposal(const streaming::StreamingConfig& config,
                                              const std::string& action_id) {
  if (auto cluster = streaming::await_cluster(config); !cluster) {
    return tl::make_unexpected(cluster.error());
  }
  auto consumer = streaming::Consumer::open(config, {"payops.decisions"});
  if (!consumer) return tl::make_unexpected(consumer.error());
  const auto ends = (*consumer)->watermarks();
  if (!ends) return tl::make_unexpected(ends.error());
  std::vector<streaming::Position> positions;
  for (const streaming::Watermarks& mark : *ends) {
    positions.push_back({0, mark.partition, mark.begin});
  }
  if (Status status = (*consumer)->assign(positions); !status) {
    return tl::make_unexpected(status.error());
  }
  const int64_t give_up_ms = SystemClock().now_ms() + config.connect_timeout_s * 1000;
  std::optional<Proposal> found;
  while (!(*consumer)->has_read_to(*ends)) {
    for (const streaming::Record& record : (*consumer)->poll(100).records) {
      if (auto proposal = as_proposal(record.payload, action_id)) found = std::move(proposal);
    }
    if (SystemClock().now_ms() > give_up_ms) {
      return fail(ErrorCode::unavailable,
                  "payops.decisions could not be read in time: " + (*consumer)->trouble());
    }
  }
  return found;
}

Result<std::optional<payments_agent::VerdictResult>> publish_verdict(
    const streaming::StreamingConfig& config, Verdict verdict, const std::string& key_file,
    double wait_s) {
  const auto key = key_in(key_file);
  if (!key) return tl::make_unexpected(key.error());
  const SystemClock clock;
  verdict.ts_ms = clock.now_ms();
  if (Status status = safety::sign_verdict(verdict, *key); !status) {
    return tl::make_unexpected(status.error());
  }
  if (auto cluster = streaming::await_cluster(config); !cluster) {
    return tl::make_unexpected(cluster.error());
  }
  auto decisions = read_decisions_from_now(config);
  if (!decisions) return tl::make_unexpected(decisions.error());
  auto producer = streaming::EventProducer::open(config);
  if (!producer) return tl::make_unexpected(producer.error());
  const std::string payload = dump(to_json(verdict));
  Status sent = (*producer)->send("payops.approvals", verdict.proposal_id, payload);
  if (sent) sent = (*producer)->flush(kVerdictFlushMs);
  if (!sent) return tl::make_unexpected(sent.error());
  const int64_t give_up_ms = clock.now_ms() + static_cast<int64_t>(wait_s * 1000.0);
  do {
    for (const streaming::Record& record : (*decisions)->poll(100).records) {
      if (auto result = as_result(record.payload, verdict)) return result;
    }
  } while (clock.now_ms() < give_up_ms);
  return std::nullopt;
}

int send_verdict(const streaming::StreamingConfig& config, const Verdict& verdict,
                 const std::string& key_file, double wait_s, const std::string& what) {
  const auto result = publish_verdict(config, verdict, key_file, wait_s);
  if (!result) return report(result.error());
  if (!*result) {
    std::printf(
        "sent: %s by %s; no agent has answered yet, its audit log will say what came of it\n",
        what.c_str(), verdict.by.c_str());
    return kExitDone;
  }
  const bool counts = (*result)->result == "granted" || (*result)->result == "rejected";
  std::printf("%s: %s (%s)\n", what.c_str(), (*result)->result.c_str(), (*result)->why.c_str());
  return counts ? kExitDone : kExitNo;
}

}  // namespace payops::app
