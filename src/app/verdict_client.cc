#include "verdict_client.h"

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

constexpr int64_t kFlushTimeoutMs = 15'000;

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

}  // namespace

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

Status publish_verdict(const streaming::StreamingConfig& config, Verdict verdict,
                       const std::string& key_file) {
  const auto key = read_file(key_file);
  if (!key) {
    return fail(ErrorCode::config, key.error().message + "; \"payops keys new\" makes a key");
  }
  verdict.ts_ms = SystemClock().now_ms();
  if (Status status = safety::sign_verdict(verdict, key->substr(0, key->find('\n'))); !status) {
    return status;
  }
  if (auto cluster = streaming::await_cluster(config); !cluster) {
    return tl::make_unexpected(cluster.error());
  }
  auto producer = streaming::EventProducer::open(config);
  if (!producer) return tl::make_unexpected(producer.error());
  const std::string payload = dump(to_json(verdict));
  if (Status status = (*producer)->send("payops.approvals", verdict.proposal_id, payload);
      !status) {
    return status;
  }
  return (*producer)->flush(kFlushTimeoutMs);
}

}  // namespace payops::app
