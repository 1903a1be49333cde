// What was: the console's questions to the audit log. Answers are JSON texts as
// docs/console-protocol.md has them, made outside of the agent's thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "payops/core/result.h"

namespace payops::api {

struct PastQuery {
  std::string text;     // found anywhere in what is shown, whatever the case; empty: all
  int64_t from_ms = 0;  // 0: since ever
  int64_t to_ms = 0;    // 0: until now
  std::size_t limit = 200;
};

// Any thread, several at once.
class Past {
 public:
  virtual ~Past() = default;
  // Reads the whole log. Errors: refused, retryable, while it is being read for somebody else.
  [[nodiscard]] virtual Result<std::string> verify() = 0;
  // A record as it lies in the log, byte for byte. Errors: not_found.
  [[nodiscard]] virtual Result<std::string> record(uint64_t seq) = 0;
  // The newest records before `before_seq` (0: the end), newest first.
  [[nodiscard]] virtual Result<std::string> records(uint64_t before_seq, std::size_t limit) = 0;
  [[nodiscard]] virtual Result<std::string> incidents(const PastQuery& query) = 0;
  [[nodiscard]] virtual Result<std::string> interventions(const PastQuery& query) = 0;
  // What the console showed after the last step that was over at `at_ms` (event time; 0: the
  // newest). While the log is still being read up to there the answer says how far that is, and
  // asking again goes on. Errors: not_found before the first step; corrupt, when the recorded input
  // does not lead to what was recorded.
  [[nodiscard]] virtual Result<std::string> screen(int64_t at_ms) = 0;
};

}  // namespace payops::api
