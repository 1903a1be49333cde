// Answers kept by the key that a command came with, so that sending it again does nothing again.
// Internal to api. Any thread.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>

namespace payops::api {

struct Reply {
  int status = 500;
  std::string body;
  std::string refusal;  // why the console itself did not take it, or empty
};

class Idempotency {
 public:
  // The kept answer, or that of `run`, which is kept for ten minutes. Of two at once the second
  // waits for the first. With another `body` than the key came with at first: 422, and nothing is
  // run. Of a `run` that throws nothing is kept, and the next one runs. Bounded: the oldest answer
  // goes when there are too many.
  [[nodiscard]] Reply once(const std::string& key, const std::string& body, int64_t now_ms,
                           const std::function<Reply()>& run);

 private:
  struct Kept {
    Reply reply;
    uint64_t body_hash = 0;
    int64_t at_ms = 0;
    bool done = false;
  };
  std::mutex lock_;
  std::condition_variable finished_;
  std::map<std::string, Kept> kept_;
};

}  // namespace payops::api
