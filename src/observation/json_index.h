// The structural index of one JSON message: where every string, number, literal and punctuation
// mark begins. simdjson's first stage makes it, with the kernel chosen for the machine at run time,
// and checks UTF-8, quotes and control characters on the way; On-Demand walks the same index. We
// walk it ourselves: it takes half the time of On-Demand's object iteration
// (bench/observation_bench.cc has both), and every bracket and skipped value is checked, which
// On-Demand leaves out.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "payops/observation/ingest.h"

namespace payops::observation {

class JsonIndex {
 public:
  explicit JsonIndex(std::size_t max_bytes);
  ~JsonIndex();
  JsonIndex(JsonIndex&&) noexcept;
  JsonIndex& operator=(JsonIndex&&) noexcept;

  // Copies `bytes` into a buffer that may be read 64 bytes past its end, and indexes it. False when
  // it cannot be JSON, with the reason.
  [[nodiscard]] bool index(std::string_view bytes, DeadReason& reason);

  // Whether the message has a backslash anywhere.
  [[nodiscard]] bool escapes() const { return escapes_; }
  [[nodiscard]] const char* text() const { return buffer_.data(); }
  // Offsets into text(), ascending; end() holds the length, where text() has a zero byte.
  [[nodiscard]] const uint32_t* begin() const { return begin_; }
  [[nodiscard]] const uint32_t* end() const { return end_; }

 private:
  struct Stage;
  std::size_t max_bytes_;
  std::vector<char> buffer_;
  std::unique_ptr<Stage> stage_;
  bool escapes_ = false;
  const uint32_t* begin_ = nullptr;
  const uint32_t* end_ = nullptr;
};

}  // namespace payops::observation
