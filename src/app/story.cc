#include <algorithm>

#include "narrate.h"
#include "payops/core/json_fields.h"
#include "payops/core/text.h"
#include "virtual_run.h"

namespace payops::app {
namespace {

constexpr std::size_t kMaxNotes = 10'000;  // of each kind; a story is for people

std::string after(int64_t ts_ms, int64_t start_ms) {
  return fixed(static_cast<double>(ts_ms - start_ms) / 1000.0, 0) + " s";
}

std::string faults_text(const RunStory& story) {
  std::string text;
  for (const simulators::TruthEvent& fault : story.faults) {
    if (fault.kind != simulators::TruthKind::fault_began) continue;
    text += "  " + fault.fault + " at " + describe(fault.scope) + " began at " +
            after(fault.ts_ms, story.start_ms);
    const AlarmNote* noticed = nullptr;
    for (const AlarmNote& alarm : story.result.alarms) {
      if (alarm.ts_ms >= fault.ts_ms && noticed == nullptr) noticed = &alarm;
    }
    if (noticed != nullptr) {
      text += "; the first alarm after it, " + noticed->pattern + " at " + noticed->where +
              ", rose " + fixed(static_cast<double>(noticed->ts_ms - fault.ts_ms) / 1000.0, 0) +
              " s later";
    } else {
      text += "; no alarm rose after it";
    }
    text += ".\n";
  }
  return text.empty() ? "  Nothing was made to break.\n" : text;
}

std::string actions_text(const RunStory& story) {
  std::string text;
  for (const Action& action : story.result.actions) {
    if (action.type == action_type::kAlertOps || !action.inverse_of.empty()) continue;
    text += "  at " + after(action.issued_ts_ms, story.start_ms) + ": " +
            describe_action(action.type, action.scope, action.params, action.strength);
    for (const OutcomeNote& outcome : story.result.outcomes) {
      if (outcome.action_id == action.action_id) {
        text += " - " + std::string(name_of(outcome.result));
      }
    }
    text += "\n";
  }
  return text.empty() ? "  No traffic was touched.\n" : text;
}

}  // namespace

void StoryTeller::cycle(const payments_agent::CycleReport& report) {
  std::vector<AlarmNote>& alarms = story.result.alarms;
  for (const Alarm& alarm : report.alarms) {
    const auto known = std::find_if(alarms.begin(), alarms.end(),
                                    [&](const AlarmNote& n) { return n.id == alarm.id; });
    if (known != alarms.end()) {
      known->pattern = name_of(alarm.pattern);  // it may have grown into an outage
      known->where = describe(alarm.scope, alarm.slice);
    } else if (alarms.size() < kMaxNotes) {
      alarms.push_back({alarm.id, to_string(alarm.scope), std::string(name_of(alarm.pattern)),
                        alarm.raised_ts_ms, 0, describe(alarm.scope, alarm.slice)});
    }
  }
  for (AlarmNote& note : alarms) {
    const bool lasts = std::any_of(report.alarms.begin(), report.alarms.end(),
                                   [&](const Alarm& a) { return a.id == note.id; });
    if (!lasts && note.end_ms == 0) note.end_ms = report.at_ms;
  }
  for (const Intervention& judged : report.outcomes) {
    const auto known =
        std::find_if(story.result.outcomes.begin(), story.result.outcomes.end(),
                     [&](const OutcomeNote& n) { return n.action_id == judged.action.action_id; });
    if (known != story.result.outcomes.end()) {
      known->result = judged.outcome.result;
    } else if (story.result.outcomes.size() < kMaxNotes) {
      story.result.outcomes.push_back({judged.action.action_id, judged.outcome.result});
    }
  }
}

void StoryTeller::published(const OutboxEntry& entry) {
  if (entry.topic != "actions" || entry.payload.empty()) return;
  if (story.result.actions.size() >= kMaxNotes) return;
  if (auto action = from_json<Action>(Json::parse(entry.payload))) {
    story.result.actions.push_back(std::move(*action));
  }
}

void StoryTeller::truth(const std::vector<simulators::TruthEvent>& events) {
  for (const simulators::TruthEvent& event : events) {
    if (event.kind != simulators::TruthKind::latent && story.faults.size() < kMaxNotes) {
      story.faults.push_back(event);
    }
  }
}

std::string story_text(const RunStory& story) {
  const double saved =
      static_cast<double>(story.result.net_revenue_minor - story.result.nothing_revenue_minor);
  const auto money_of = [&](double minor) { return money(minor, story.currency); };
  std::string text = story.result.scenario + ", seed " + std::to_string(story.result.seed) + ", " +
                     after(story.end_ms, story.start_ms) + " of payments\n\n";
  text += "What broke\n" + faults_text(story);
  text += "\nWhat was done\n" + actions_text(story);
  text += "\nWhat came of it\n  " + std::to_string(story.totals.attempts) + " attempts read, " +
          std::to_string(story.totals.cycles) + " cycles, " +
          std::to_string(story.result.alarms.size()) + " alarms, " +
          std::to_string(story.result.actions.size()) + " messages to the router.\n";
  text += "  Net revenue " + money_of(static_cast<double>(story.result.net_revenue_minor)) +
          "; the same world left alone " +
          money_of(static_cast<double>(story.result.nothing_revenue_minor)) + ": " +
          (saved >= 0 ? "saved " : "lost ") + money_of(saved >= 0 ? saved : -saved) + ".\n";
  return text;
}

}  // namespace payops::app
