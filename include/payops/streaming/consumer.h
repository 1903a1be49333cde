// Reads records in batches from partitions that the caller assigns at offsets that the caller
// keeps: no consumer group is joined and Kafka's own commits steer nothing. Only committed records
// are seen. Built for the hot path: a batch is views into librdkafka's memory, and a poll in
// steady state allocates nothing.
//
// One thread. Nothing here throws.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "payops/streaming/config.h"

namespace payops::streaming {

inline constexpr int64_t kFromBeginning = -2;
inline constexpr int64_t kFromEnd = -1;

struct Position {
  uint32_t topic = 0;  // index into the topics given to open()
  int32_t partition = 0;
  int64_t offset = 0;  // of the next record to read; or kFromBeginning, kFromEnd
  bool operator==(const Position&) const = default;
};

struct Record {
  uint32_t topic = 0;
  int32_t partition = 0;
  int64_t offset = 0;
  std::string_view key;           // data() is null when the record has none
  std::string_view payload;       // data() is null for a tombstone
  const void* message = nullptr;  // librdkafka's own
  [[nodiscard]] bool tombstone() const { return payload.data() == nullptr; }
};
// The last header of that name, valid as long as the record; empty when it has none.
[[nodiscard]] std::string_view header_of(const Record& record, const char* name);

// Records that the broker no longer has: reading goes on at `resumed`.
struct Gap {
  uint32_t topic = 0;
  int32_t partition = 0;
  int64_t wanted = 0;
  int64_t resumed = 0;
  // wanted < resumed: retention removed the records between. wanted > resumed: the topic is
  // shorter than what was read of it (created anew, or its tail lost), and is read from its start.
  [[nodiscard]] int64_t lost() const { return resumed > wanted ? resumed - wanted : 0; }
};

struct Batch {
  std::span<const Record> records;
  std::span<const Position> ends;  // partitions read to their present end, at that offset
  std::span<const Gap> gaps;
};

struct Watermarks {
  uint32_t topic = 0;
  int32_t partition = 0;
  int64_t begin = 0;  // of the earliest record kept
  int64_t end = 0;    // of the next record to come
};

// The beginning of every partition in `marks`.
[[nodiscard]] std::vector<Position> beginnings(const std::vector<Watermarks>& marks);

class Consumer {
 public:
  // `topics`: logical names. `batch_records`: the most that one poll gives. `group`: under which
  // show_positions() shows; the prefix is put before it. Waits for no broker: do that by
  // await_cluster(). Errors: config; not_found for an unknown logical name.
  [[nodiscard]] static Result<std::unique_ptr<Consumer>> open(
      const StreamingConfig& config, std::vector<std::string> topics,
      std::size_t batch_records = 2048, const std::string& group = "payops-agent-display");
  ~Consumer();

  // "cluster id/topic name", the topic_id of a cursor. Errors: unavailable.
  [[nodiscard]] Result<std::string> topic_id(uint32_t topic) const;
  // Of every partition of every topic, in order of topic and partition: what an `--until-end` run
  // stops at, and how new partitions are found. Errors: unavailable; not_found.
  [[nodiscard]] Result<std::vector<Watermarks>> watermarks() const;
  // The same, narrowed to records with a time from `from_ms` to before `to_ms`: per partition the
  // first of them and the one after the last, by the broker's index of times. Errors: as above.
  [[nodiscard]] Result<std::vector<Watermarks>> stretch(int64_t from_ms, int64_t to_ms) const;

  // Reads from these partitions and no others; positions of the ones read already are replaced.
  // Releases the last batch. Errors: usage, for a topic or partition that cannot be.
  [[nodiscard]] Status assign(const std::vector<Position>& positions);

  // What is there, at once; waits up to `timeout_ms` only while there is nothing. The batch is
  // valid until the next call of poll() or assign(). A broker that is away gives empty batches.
  [[nodiscard]] Batch poll(int timeout_ms);

  // Of the next record to come from a partition, -1 when it is not assigned or not known yet.
  [[nodiscard]] int64_t position(uint32_t topic, int32_t partition) const;
  // Whether everything before `ends` (as watermarks() gave it) has been handed out.
  [[nodiscard]] bool has_read_to(const std::vector<Watermarks>& ends) const;

  // False from within about a second of losing every broker until one is back. True at first.
  [[nodiscard]] bool broker_up() const;
  // The last trouble in words, "" when there was none since it last went well.
  [[nodiscard]] const std::string& trouble() const;

  // Records of the assigned partitions that are not handed out yet, by what the broker last said of
  // their ends; nothing while it has not said so of each. Asks nobody.
  [[nodiscard]] std::optional<int64_t> lag() const;

  // Tells Kafka how far reading stands, so that its own tools show a lag of the group. Returns at
  // once; a failure changes nothing.
  void show_positions(const std::vector<Position>& positions);
  // What was last shown so by this group, of the partitions of which anything was. Errors:
  // unavailable; not_found.
  [[nodiscard]] Result<std::vector<Position>> shown_positions() const;

 private:
  struct Impl;
  explicit Consumer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace payops::streaming
