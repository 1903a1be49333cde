// From the agent's thread to the console's: what is known, and what people and the console have to
// say to the agent. The agent never waits here: it puts an immutable state into a mailbox whose
// lock is held for the time of a pointer's move.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "payops/api/knowledge.h"
#include "payops/api/series.h"
#include "payops/model/cell.h"
#include "payops/payments_agent/agent.h"
#include "payops/payments_agent/step_input.h"

namespace payops::api {

struct FeedOptions {
  Deployment deployment;
  std::size_t cells_max = 4000;
  double keep_s = 3600.0;        // event time that what has ended stays in view
  std::size_t series_max = 500;  // of which a day's values are kept
};

// What the console has to write into the audit: that it refused something, that somebody did what
// is no command to the agent, or a reason given for a command that it took.
enum class NoteKind { refusal, done, reason };

class Feed {
 public:
  explicit Feed(FeedOptions options);
  ~Feed();

  // The agent's side; one thread, event time in order.
  void second(const ClosedBucket& bucket);                 // a second was closed
  void earlier(const ClosedBucket& bucket);                // one before this process began
  void input(const payments_agent::InputHead& head);       // what a step begins with
  void cycle(const payments_agent::PaymentsAgent& agent);  // a cycle is over
  // At every turn of the process' loop. Cells are read when a second was closed, at most ten times
  // in a second of wall time.
  void pulse(Pulse pulse, const payments_agent::PaymentsAgent* agent);
  // What is to go into the audit by way of the next step's input: refusals of the console.
  [[nodiscard]] std::vector<payments_agent::VerdictInput> take_notes(int64_t now_ms);

  // The console's side; any thread.
  [[nodiscard]] std::shared_ptr<const Knowledge> newest() const;  // never null
  // The series' values from `from_ms` to `to_ms`, see SeriesValues. The agent waits for the copying
  // of one series at most.
  [[nodiscard]] SeriesValues series(const Scope& scope, int64_t from_ms, int64_t to_ms) const;
  // Who wanted or did what, and why not, or why. All but reasons are only counted above a few in a
  // second and some more in a minute, of one person and together: nobody can fill the log.
  void note(payments_agent::VerdictInput note, NoteKind kind = NoteKind::refusal);
  // Waits for the agent's answer to a verdict published after `since` (answers_seen()).
  [[nodiscard]] uint64_t answers_seen() const;
  [[nodiscard]] std::optional<payments_agent::VerdictResult> await_answer(const Verdict& verdict,
                                                                          uint64_t since,
                                                                          int64_t wait_ms) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace payops::api
