// The topics of payops: their logical names, and the settings each is created with. The one place
// that knows them; everybody else asks topic_name().
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "payops/streaming/config.h"

namespace payops::streaming {

inline constexpr int64_t kKeptForGood = -1;

struct TopicSpec {
  std::string_view topic;  // logical name
  int32_t partitions = 1;
  bool compacted = false;   // the last value of each key is kept for good
  int64_t retention_h = 0;  // of a topic that is not compacted; kKeptForGood
  std::string_view holds;   // what a message is, for people
};

[[nodiscard]] std::span<const TopicSpec> topic_specs();

// The name on the broker: the override's, or prefix and logical name. The short form of a
// "payops." topic ("actions") is understood too. REQUIRES: a topic of topic_specs().
[[nodiscard]] std::string topic_name(const StreamingConfig& config, std::string_view topic);

// The spec with the config's overrides applied; not_found, naming the nearest, otherwise.
[[nodiscard]] Result<TopicSpec> find_topic(const StreamingConfig& config, std::string_view topic);

struct Cluster {
  std::string id;
  std::vector<std::pair<std::string, int32_t>> topics;  // name on the broker, partitions; sorted
};

// Called with a sentence each time the broker did not answer; false gives up.
using WhileWaiting = std::function<bool(const std::string& sentence)>;

// Waits for a broker, with back-off, for connect_timeout_s. Errors: unavailable when none answers
// in that time; refused when it refuses the login; config.
[[nodiscard]] Result<Cluster> await_cluster(const StreamingConfig& config,
                                            const WhileWaiting& waiting = {});

struct TopicState {
  std::string topic;       // logical name
  std::string name;        // on the broker
  int32_t partitions = 0;  // 0 = it does not exist
  bool created = false;    // by this call
};

// Creates the topics that are missing and leaves the others as they are. Errors: as await_cluster;
// refused when the broker rejects a topic, or is the development broker and lacks one.
[[nodiscard]] Result<std::vector<TopicState>> create_topics(const StreamingConfig& config,
                                                            const WhileWaiting& waiting = {});
[[nodiscard]] Result<std::vector<TopicState>> list_topics(const StreamingConfig& config,
                                                          const WhileWaiting& waiting = {});

}  // namespace payops::streaming
