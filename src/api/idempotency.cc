#include "idempotency.h"

#include <utility>

#include "commands.h"
#include "payops/core/digest.h"

namespace payops::api {
namespace {

constexpr int64_t kKeptMs = 600'000;
constexpr std::size_t kKeptMax = 1024;

}  // namespace

Reply Idempotency::once(const std::string& key, const std::string& body, int64_t now_ms,
                        const std::function<Reply()>& run) {
  const uint64_t body_hash = hash64(body);
  {
    std::unique_lock lock(lock_);
    finished_.wait(lock, [&] {
      const auto it = kept_.find(key);
      return it == kept_.end() || it->second.done;
    });
    std::erase_if(kept_, [&](const auto& item) {
      return item.second.done && item.second.at_ms + kKeptMs < now_ms;
    });
    if (const auto it = kept_.find(key); it != kept_.end()) {
      if (it->second.body_hash == body_hash) return it->second.reply;
      return failure(422, "key_reused", "this Idempotency-Key came with another request before");
    }
    if (kept_.size() >= kKeptMax) {
      auto oldest = kept_.end();
      for (auto it = kept_.begin(); it != kept_.end(); ++it) {
        const bool older = oldest == kept_.end() || it->second.at_ms < oldest->second.at_ms;
        if (it->second.done && older) oldest = it;
      }
      if (oldest != kept_.end()) kept_.erase(oldest);
    }
    kept_[key] = {.reply = {}, .body_hash = body_hash, .at_ms = now_ms};
  }
  Reply reply;
  try {
    reply = run();
  } catch (...) {  // nothing was answered: whoever asks again, or waits, runs it anew
    {
      const std::lock_guard lock(lock_);
      kept_.erase(key);
    }
    finished_.notify_all();
    throw;
  }
  {
    const std::lock_guard lock(lock_);
    kept_[key] = {.reply = reply, .body_hash = body_hash, .at_ms = now_ms, .done = true};
  }
  finished_.notify_all();
  return reply;
}

}  // namespace payops::api
