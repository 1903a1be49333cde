// What to tell whom, and when: incidents as payops.alerts has them go in, messages come out. Pure:
// time is handed in, and everything it knows is a value that can be written down and read back.
//
// Incidents that are about one thing are told as one: an incident whose instrument lies within
// another's, or the other way round, belongs to the same `Thing` while that lasts and for
// resolve_hold_s after. Each desk (a channel) is told of a thing once, then of what changed, at
// most every update_every_s unless it gets worse, and once when it is over. Whatever a desk has to
// be told at a moment is one message. Above max_per_hour a desk waits; nothing is lost by that,
// since what is told is always the difference between what is so and what was said.
//
//   pager.take(incident, now_ms);
//   if (const Message* m = pager.next("webhook/oncall", now_ms)) …   // write state() down first
//   pager.settle("webhook/oncall", delivery, now_ms);
//
// One thread. Bounded: kThingsMax things, kIncidentsMax incidents each, one message per desk.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "payops/core/fields.h"
#include "payops/model/effect.h"
#include "payops/notify/config.h"
#include "payops/notify/message.h"

namespace payops::notify {

inline constexpr std::size_t kThingsMax = 500;
inline constexpr std::size_t kIncidentsMax = 64;  // of one thing; the first over is forgotten first
// A thing of which nothing was heard for so long is not what comes next: whoever told of it is
// gone. The agent takes what lasts for freeze_max_s (two hours) as the new normal, and says so.
inline constexpr int64_t kUnheardMs = int64_t{6} * 3'600'000;
inline constexpr std::size_t kToldAtOnceMax = 20;  // things in one message

// One thing to people: incidents that belong together.
struct Thing {
  std::string id{};  // "thing-" + 16 hex, a function of its first incident
  int64_t opened_ms = 0;
  int64_t heard_ms = 0;        // when anything was last heard of it
  int64_t quiet_since_ms = 0;  // 0 while any of it lasts
  std::vector<Incident> incidents{};
  std::map<std::string, int64_t> silenced_ms{};  // by incident: nobody is told of it before then
  static constexpr auto fields() {
    return std::make_tuple(
        field("id", &Thing::id), field("opened_ms", &Thing::opened_ms),
        field("heard_ms", &Thing::heard_ms), field("quiet_since_ms", &Thing::quiet_since_ms),
        field("incidents", &Thing::incidents), field("silenced_ms", &Thing::silenced_ms));
  }
};

// What a desk knows of a thing.
struct Told {
  IncidentStatus status = IncidentStatus::started;
  Severity severity = Severity::info;  // the worst it was told of
  std::string gist{};                  // of what it was told, for comparing
  int64_t at_ms = 0;
  int64_t times = 0;
  static constexpr auto fields() {
    return std::make_tuple(field("status", &Told::status), field("severity", &Told::severity),
                           field("gist", &Told::gist), field("at_ms", &Told::at_ms),
                           field("times", &Told::times));
  }
};

struct Desk {
  std::map<std::string, Told> told{};     // by thing
  Message in_hand{};                      // not taken yet by the other side; no id: none
  std::map<std::string, Told> telling{};  // what `told` becomes when it is
  int64_t tries = 0;
  int64_t next_try_ms = 0;
  double allowance = -1.0;  // messages that may be sent now; negative: not counted yet
  int64_t counted_ms = 0;
  int64_t delivered = 0;  // counts since the state began
  int64_t retried = 0;
  int64_t dropped = 0;
  std::string trouble{};  // of the last try, or empty
  static constexpr auto fields() {
    return std::make_tuple(field("told", &Desk::told), field("in_hand", &Desk::in_hand),
                           field("telling", &Desk::telling), field("tries", &Desk::tries),
                           field("next_try_ms", &Desk::next_try_ms),
                           field("allowance", &Desk::allowance),
                           field("counted_ms", &Desk::counted_ms),
                           field("delivered", &Desk::delivered), field("retried", &Desk::retried),
                           field("dropped", &Desk::dropped), field("trouble", &Desk::trouble));
  }
};

struct PagerState {
  std::map<std::string, Thing> things{};
  std::map<std::string, Desk> desks{};
  static constexpr auto fields() {
    return std::make_tuple(field("things", &PagerState::things),
                           field("desks", &PagerState::desks));
  }
};

class Pager {
 public:
  // `desks`: name to the least severity it is told of; desks of the state that are no more are
  // forgotten. `currency`: of the incidents' amounts.
  Pager(NotifyConfig config, std::map<std::string, Severity> desks, std::string currency,
        PagerState state = {});

  // An event of payops.alerts. One that was taken before, or is older than what is known, changes
  // nothing. Info is told to nobody. A person may have silenced it for a time: while that lasts it
  // starts and changes nothing; its end is told to those who know of it.
  void take(const Incident& incident, int64_t now_ms, int64_t silent_for_ms = 0);

  // The message that the desk is to be handed now; null when there is none, or it is not time yet.
  // The same message, to the byte, until it is settled. REQUIRES: a desk given to the constructor.
  [[nodiscard]] const Message* next(const std::string& desk, int64_t now_ms);
  // What became of it. REQUIRES: next() gave one.
  void settle(const std::string& desk, const Delivery& delivery, int64_t now_ms);

  // Nobody waits for a message and nobody is owed one.
  [[nodiscard]] bool idle(int64_t now_ms) const;
  [[nodiscard]] const PagerState& state() const { return state_; }
  // Rises with every change of the state.
  [[nodiscard]] uint64_t revision() const { return revision_; }

 private:
  [[nodiscard]] Thing* thing_for(const Incident& incident);
  [[nodiscard]] bool owed(const std::string& desk, const Thing& thing, int64_t now_ms,
                          Told& telling) const;
  [[nodiscard]] bool may_send(Desk& desk, int64_t now_ms) const;
  void compose(const std::string& desk, const std::map<std::string, Told>& telling, int64_t now_ms);
  void forget(int64_t now_ms);

  NotifyConfig config_;
  std::map<std::string, Severity> least_{};
  std::string currency_{};
  PagerState state_{};
  uint64_t revision_ = 0;
};

// How long to wait before try number `tries` + 1: 1 s, doubling, at most five minutes, give or take
// a quarter that the message's id decides.
[[nodiscard]] int64_t back_off_ms(const std::string& id, int64_t tries);

}  // namespace payops::notify
