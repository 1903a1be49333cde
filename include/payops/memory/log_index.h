// A log that is still being written, followed: each line is handed on once, and any record or
// recorded input is found again without reading what lies before it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "payops/core/result.h"
#include "payops/runtime/step.h"

namespace payops::memory {

// A step as it was recorded: what went in, and the digest of the state that came out.
struct RecordedStep {
  uint64_t step = 0;
  int64_t ts_ms = 0;  // event time
  std::string block;  // the input, unpacked
  std::string digest;
};

// One thread. Memory: 48 bytes a step.
class LogIndex {
 public:
  using Visit = std::function<void(const AuditLine& line)>;

  explicit LogIndex(std::string directory) : directory_(std::move(directory)) {}

  // Reads on from where the last call ended to the last checkpoint: whole steps only, each line
  // held against the hash before it. A folder without a log is an empty log. Errors: corrupt,
  // naming the file and what does not fit; unavailable. What was visited before stays.
  [[nodiscard]] Status refresh(const Visit& visit);

  [[nodiscard]] std::size_t steps() const { return steps_.size(); }
  // Event time of the i-th step, from 0. They do not go back.
  [[nodiscard]] int64_t ts_ms(std::size_t i) const { return steps_[i].ts_ms; }
  // The first step's number is 1 unless older files were taken away.
  [[nodiscard]] uint64_t first_step() const { return steps_.empty() ? 0 : steps_.front().step; }
  [[nodiscard]] uint64_t first_seq() const { return steps_.empty() ? 0 : steps_.front().first_seq; }
  [[nodiscard]] uint64_t last_seq() const { return last_seq_; }

  // The i-th step. Errors: corrupt when the input is not the one the line names.
  [[nodiscard]] Result<RecordedStep> step(std::size_t i) const;
  // The line with this number, as it lies there. Errors: not_found.
  [[nodiscard]] Result<std::string> line(uint64_t seq) const;

 private:
  struct Place {
    uint64_t step = 0;
    uint64_t first_seq = 0;
    int64_t ts_ms = 0;
    uint64_t offset = 0;
    std::size_t file = 0;
  };
  [[nodiscard]] Status take_line(std::string_view text, uint64_t offset, const Visit& visit);
  [[nodiscard]] Result<bool> next_file();
  [[nodiscard]] Result<std::string> line_from(const Place& place, uint64_t seq) const;

  std::string directory_;
  std::vector<std::string> files_;  // read or being read
  uint64_t offset_ = 0;             // in the last of them
  uint64_t last_seq_ = 0;
  std::string last_hash_{kNoHash};
  std::vector<Place> steps_;
};

}  // namespace payops::memory
