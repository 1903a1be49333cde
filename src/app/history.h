// A team's own history as a stream of messages in the order in which it was kept: a file of JSON
// lines, a CSV table, or a stretch of a Kafka topic.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "payops/core/result.h"
#include "payops/observation/field_mapping.h"
#include "payops/streaming/config.h"

namespace payops::app {

class History {
 public:
  // A message of partition `slot` (0 for files), valid during the call. offset: of a file, its line
  // or row.
  using Take = std::function<void(int32_t slot, int64_t offset, std::string_view message)>;
  // Slot `slot` has no more.
  using AtEnd = std::function<void(int32_t slot)>;

  virtual ~History() = default;
  // Hands over some messages; false when there are no more. Errors: usage naming file and line;
  // unavailable when Kafka gives nothing for a minute.
  [[nodiscard]] virtual Result<bool> next(const Take& take, const AtEnd& at_end) = 0;
  [[nodiscard]] virtual int32_t slots() const = 0;
  // How its messages are read: the mapping given, but for a CSV table.
  [[nodiscard]] virtual const observation::FieldMapping& mapping() const = 0;
  [[nodiscard]] virtual double done_share() const = 0;  // 0 to 1
};

// By its ending: .csv is a table whose columns bear the names of the mapping's paths, anything else
// one JSON object a line. Errors: not_found; usage for a table that lacks a required column.
[[nodiscard]] Result<std::unique_ptr<History>> open_history_file(
    const std::string& path, const observation::FieldMapping& mapping);

// What the broker keeps of `topic` (its name on the broker) with record times from `from_ms` to
// before `to_ms`. Errors: config; not_found; unavailable.
[[nodiscard]] Result<std::unique_ptr<History>> open_history_topic(
    streaming::StreamingConfig streaming, const std::string& topic, std::optional<int64_t> from_ms,
    std::optional<int64_t> to_ms, const observation::FieldMapping& mapping);

}  // namespace payops::app
