// What a person may have done: a signed verdict to the agent, and the agent's answer. Internal to
// api. Any thread.
#pragma once

#include <atomic>
#include <mutex>
#include <string>
#include <string_view>

#include "idempotency.h"
#include "payops/api/access.h"
#include "payops/api/console.h"
#include "payops/api/feed.h"

namespace payops::api {

class Commands {
 public:
  Commands(Feed& feed, VerdictSink& sink, std::string signing_key_hex, int64_t answer_wait_ms);

  // `verdict` is approve or reject; `body` as the protocol says.
  [[nodiscard]] Reply answer(const Identity& who, const std::string& action_id,
                             const std::string& verdict, const std::string& body);
  [[nodiscard]] Reply kill(const Identity& who, const std::string& body);
  // `verb` is ack, note, silence or cause.
  [[nodiscard]] Reply care(const Identity& who, const std::string& incident_id,
                           const std::string& verb, const std::string& body);
  [[nodiscard]] Reply set_mode(const Identity& who, const std::string& body);
  // A proposal of a person's own: priced, judged by the gate, then to be confirmed as any other.
  [[nodiscard]] Reply propose(const Identity& who, const std::string& body);
  // Into the audit: what was refused, to whom and why.
  void refused(const std::string& by, const std::string& about, const std::string& what,
               const std::string& why);
  // Into the audit: what was done that is no verdict, or the reason given for one.
  void noted(const std::string& by, const std::string& about, const std::string& what,
             const std::string& why, NoteKind kind = NoteKind::done);

 private:
  [[nodiscard]] Reply give(Verdict verdict, const std::string& reason);
  void tell(const std::string& by, const std::string& about, const std::string& what,
            std::string_view as, const std::string& why, NoteKind kind);
  void tell_reason(const Verdict& verdict, const std::string& reason);

  Feed& feed_;
  VerdictSink& sink_;
  std::string signing_key_hex_;
  int64_t answer_wait_ms_;
  std::mutex sending_;
  int64_t last_ts_ms_ = 0;  // of the last verdict: the agent takes no two of one moment
  std::atomic<int> under_way_{0};
};

[[nodiscard]] Reply failure(int status, const std::string& error, const std::string& detail);
// True when nothing has been heard of the agent for kStaleAfterMs, or it does not decide.
[[nodiscard]] bool stale(const Knowledge& known, int64_t now_ms);
// True when the agent's input has not gone on for kStaleAfterMs, or, but for a simulated world
// which has a time of its own, is as far behind: as the page sees it.
[[nodiscard]] bool old_data(const Knowledge& known, int64_t now_ms);

}  // namespace payops::api
