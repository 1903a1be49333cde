#include "live_storage.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "audit_key.h"
#include "payops/core/clock.h"
#include "payops/core/digest.h"
#include "payops/core/text.h"
#include "payops/streaming/topics.h"

namespace payops::app {

std::string instance_id(const std::string& state_dir) {
  char host[256] = "localhost";
  (void)gethostname(host, sizeof host - 1);
  std::error_code error;
  const auto path = std::filesystem::weakly_canonical(state_dir, error);
  return "payops-" + hex64(hash64(std::string(host) + "|" + path.string()));
}

StorageSpec storage_of(const LiveAgentSpec& spec) {
  return {.state_dir = spec.config.process.state_dir,
          .audit_dir = spec.config.process.audit_dir,
          .session_timeout_ms = spec.config.streaming.session_timeout_ms,
          .stop = spec.stop,
          .on_note = spec.on_note,
          .on_trouble = spec.on_trouble};
}

Result<Storage> open_storage(const StorageSpec& spec, streaming::Lease* lease) {
  const SystemClock clock;
  const int64_t give_up_ms = clock.now_ms() + spec.session_timeout_ms;
  Storage storage;
  bool said = false;
  for (int64_t wait_ms = 100; storage.store == nullptr;
       wait_ms = std::min<int64_t>(wait_ms * 2, 1000)) {
    auto store = memory::RocksStore::open(spec.state_dir);
    if (store) {
      storage.store = std::move(*store);
      break;
    }
    if (!store.error().retryable) return tl::make_unexpected(store.error());
    if (clock.now_ms() > give_up_ms || spec.stop()) {
      return fail(ErrorCode::usage, store.error().message);
    }
    if (!said) spec.on_trouble(store.error().message + "; waiting for it to end");
    said = true;
    if (lease != nullptr) (void)lease->poll();
    std::this_thread::sleep_for(std::chrono::milliseconds(wait_ms));
  }
  const auto key = load_audit_key(spec.state_dir, spec.on_note);
  // Where the files lie is the operator's to mend: no service is missing.
  if (!key) return fail(ErrorCode::usage, key.error().message);
  auto files = memory::AuditFiles::open(spec.audit_dir, {.public_key_hex = key->public_key_hex});
  if (!files) return fail(ErrorCode::usage, files.error().message);
  storage.files = std::move(*files);
  storage.secret_key_hex = key->secret_key_hex;
  return storage;
}

Status check_topics(const streaming::StreamingConfig& config,
                    const std::vector<std::string_view>& needed_topics) {
  const auto topics = streaming::list_topics(config);
  if (!topics) return tl::make_unexpected(topics.error());
  std::vector<std::string> missing;
  for (const std::string_view needed : needed_topics) {
    for (const streaming::TopicState& topic : *topics) {
      if (topic.topic == needed && topic.partitions == 0) missing.push_back(topic.name);
    }
  }
  if (missing.empty()) return {};
  return fail(ErrorCode::not_found, "Kafka has no topic " + join(missing, ", ") +
                                        "; \"payops topics create\" creates what payops needs");
}

Status check_topics(const streaming::StreamingConfig& config) {
  return check_topics(
      config, {"payments.transactions", "payops.approvals", "payops.actions", "payops.decisions",
               "payops.alerts", "payops.dead-letters", "payops.lease", "support.signals"});
}

}  // namespace payops::app
