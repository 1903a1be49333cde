// The way from messages to closed buckets: decode, validate, count each attempt once into its
// second of event time, close seconds behind the watermark. Bad input becomes dead letters and
// stops nothing. One thread; deterministic in its calls; `now_ms` is handed in.
//
//   Observer observer(config, table, mapping, dictionary);
//   observer.set_closed_to(...);                       // after a restart
//   observer.assign(slot, position);                   // each partition
//   loop:  observer.add(messages, now);                // a batch
//          observer.at_end(slot, now);                 // when a partition has no more for now
//          observer.tick(now);
//          while (observer.next_closed(bucket)) ...
//   commit: the buckets taken, position(slot) of each slot, closed_to(), take_counts(),
//           take_dead_letters(), take_new_names() - all in one.
//
// Watermark. A slot's high mark is its highest trusted event time, at most now; a time more than 5
// s beyond it is trusted only after eight such attempts of the slot in a row. The watermark is the
// lowest high mark of the slots that are not idle, less the lateness. A slot is idle once at_end()
// was reported after its last message and idle_ms has passed. One that is neither at its end nor
// has had a message holds the watermark where it is. Silence. idle_ms after the last message of any
// slot, tick() moves the watermark on at the pace of the clock - unless a slot is known not to be
// at its end: then there is no silence, only a stall. (Before the first at_end() of all, silence
// needs only that every slot has had a message.) A caller that knows its source to be away does not
// tick. Restart. What lies before seen_to was reported once: it is counted again into seconds after
// closed_to(), and into nothing else; its times were weighed then, and nothing closes until every
// slot has been read again that far.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "payops/model/cell.h"
#include "payops/model/dimensions.h"
#include "payops/observation/config.h"
#include "payops/observation/decline_table.h"
#include "payops/observation/field_mapping.h"
#include "payops/observation/ingest.h"

namespace payops::observation {

// A message as it came: `slot` numbers the partitions from 0, densely; offsets rise within a slot.
// The bytes are needed during the call only, and need no padding.
struct Message {
  int32_t slot = 0;
  int64_t offset = 0;
  std::string_view bytes;
};

// Where to read on after a restart: from replay_from, what lies before seen_to being known, its
// part in the watermark included.
struct Position {
  int64_t replay_from = 0;
  int64_t seen_to = 0;
  std::optional<int64_t> high_ms{};  // the slot's high mark; none before a time was trusted
  std::vector<int64_t> doubts_ms{};  // the times since then that are beyond trust so far
  bool operator==(const Position&) const = default;
};

inline constexpr int32_t kMaxSlots = 4'096;
inline constexpr int64_t kNoWatermark = std::numeric_limits<int64_t>::min();

class Observer {
 public:
  // The dictionary belongs to the caller, outlives the observer and is restored before it is made.
  // REQUIRES: config and mapping validate.
  Observer(const ObservationConfig& config, const DeclineTable& declines,
           const FieldMapping& mapping, Dictionary& dictionary);
  ~Observer();
  Observer(Observer&&) noexcept;
  Observer& operator=(Observer&&) noexcept;

  // Takes the slot into the watermark. A slot that is never assigned begins at its first message.
  void assign(int32_t slot, const Position& from);
  // Lets go of a slot: it no longer holds anything back.
  void unassign(int32_t slot);
  // Every second up to and including this one was handed out before the restart.
  void set_closed_to(int64_t second);

  // The messages in their order, as if each had been added alone; together they cost less, since
  // memory is asked for before it is needed.
  void add(std::span<const Message> messages, int64_t now_ms);
  void add(const Message& message, int64_t now_ms);
  // All that exists of the slot has been added.
  void at_end(int32_t slot, int64_t now_ms);
  // Time passes: slots may have become idle, silence may move the watermark.
  void tick(int64_t now_ms);
  // The input is over: every open second may close.
  void finish();

  // The next non-empty second before `before_second` that the watermark has passed, ascending.
  // False when there is none; then all seconds the watermark has passed, before `before_second`,
  // are closed. Reuses the memory of `out`. Call it until false at least after every batch: the
  // limits on open seconds rely on it.
  [[nodiscard]] bool next_closed(ClosedBucket& out,
                                 int64_t before_second = std::numeric_limits<int64_t>::max());
  // The last second handed out or found empty; an attempt of it or before is late.
  [[nodiscard]] int64_t closed_to() const;
  // All attempts before this moment are in, as far as can be known; kNoWatermark at first.
  [[nodiscard]] int64_t watermark_ms() const;
  [[nodiscard]] Position position(int32_t slot) const;

  // What has come since the last take.
  [[nodiscard]] IngestCounts take_counts();
  [[nodiscard]] std::vector<DeadLetter> take_dead_letters();
  [[nodiscard]] std::size_t dead_letters_pending() const;
  [[nodiscard]] DictionaryDelta take_new_names();

  [[nodiscard]] std::size_t open_seconds() const;
  [[nodiscard]] std::size_t open_attempts() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace payops::observation
