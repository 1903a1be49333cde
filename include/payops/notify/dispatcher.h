// Hands a pager's messages to their channels: each channel has a thread of its own, so that one
// that is slow delays no other, and what the pager knows is on disk before a message goes out and
// after it was taken. A crash between the two repeats the message, with the same id and bytes.
//
// One thread calls; destroying it waits for the deliveries under way (timeout_s at most) and writes
// down what became of them.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "payops/core/result.h"
#include "payops/notify/channels.h"
#include "payops/notify/pager.h"

namespace payops::notify {

// What is on disk: the pager's state and how far the incidents' topic was read for it.
struct Journal {
  std::string topic_id{};                    // "cluster id/topic name"
  std::map<std::string, int64_t> offsets{};  // of the next record, by partition
  PagerState pager{};
  static constexpr auto fields() {
    return std::make_tuple(field("topic_id", &Journal::topic_id),
                           field("offsets", &Journal::offsets), field("pager", &Journal::pager));
  }
};

// The file, or an empty journal where there is none. Errors: corrupt, naming the file.
[[nodiscard]] Result<Journal> load_journal(const std::string& file);
// Replaces the file as a whole, synced. Errors: unavailable, retryable.
[[nodiscard]] Status save_journal(const std::string& file, const Journal& journal);

class Dispatcher {
 public:
  using Note = std::function<void(const std::string& channel, const Message& message,
                                  const Delivery& delivery)>;
  Dispatcher(std::map<std::string, NamedChannel> channels, NotifyConfig config,
             std::string currency, std::string file, Journal journal, Note on_delivery);
  ~Dispatcher();

  void take(const Incident& incident, int64_t now_ms, int64_t silent_for_ms = 0);
  // Up to where the topic was read; written down with the next turn.
  void read_to(const std::string& topic_id, int32_t partition, int64_t offset);
  // Collects what was delivered, writes down what changed, and hands out what is due. Never waits
  // for a channel. Errors: unavailable, retryable, when the journal cannot be written: nothing is
  // handed out then.
  [[nodiscard]] Status turn(int64_t now_ms);
  // Everything that was to be said has been.
  [[nodiscard]] bool idle(int64_t now_ms) const;
  [[nodiscard]] const Journal& journal() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_{};
};

}  // namespace payops::notify
