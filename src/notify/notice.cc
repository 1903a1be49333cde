#include "notice.h"

#include <algorithm>

#include "payops/core/json_fields.h"
#include "payops/core/money.h"
#include "payops/core/text.h"
#include "payops/model/dimensions.h"

namespace payops::notify {
namespace {

constexpr std::size_t kIncidentsTold = 10;  // of one thing, in one message

std::string words(std::string_view name) {
  std::string text(name);
  std::replace(text.begin(), text.end(), '_', ' ');
  return text;
}

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return out;
}

std::string moment(int64_t ts_ms) {
  const std::string iso = iso_time(ts_ms);
  return iso.substr(0, 10) + " " + iso.substr(11, 8) + " UTC";
}

std::string amount(double minor, const std::string& currency) {
  return currency + " " + major_text(minor, currency);
}

std::string length_of(int64_t ms) {
  const int64_t s = std::max<int64_t>(0, ms) / 1000;
  if (s < 120) return std::to_string(s) + " s";
  if (s < 7200) return std::to_string(s / 60) + " min";
  return std::to_string(s / 3600) + " h " + std::to_string(s % 3600 / 60) + " min";
}

// The worst that lasts first, the older before the younger.
std::vector<const Incident*> in_order(const Thing& thing) {
  std::vector<const Incident*> order;
  for (const Incident& incident : thing.incidents) order.push_back(&incident);
  std::stable_sort(order.begin(), order.end(), [](const Incident* a, const Incident* b) {
    if (lasts(*a) != lasts(*b)) return lasts(*a);
    if (a->severity != b->severity) return a->severity > b->severity;
    return a->begin_ts_ms < b->begin_ts_ms;
  });
  return order;
}

std::string headline(const Incident& lead) {
  return words(lead.pattern) + " at " + describe(lead.instrument, lead.slice);
}

std::string subject_of(const Notice& notice) {
  const std::string about = headline(*in_order(*notice.thing).front());
  if (notice.status == IncidentStatus::resolved) return "[resolved] " + about;
  return "[" + upper(name_of(notice.severity)) + "] " +
         (notice.status == IncidentStatus::updated ? "update: " : "") + about;
}

std::string line_of(const Incident& i, const std::string& currency) {
  std::string line = headline(i) + ", severity " + std::string(name_of(i.severity)) + ", since " +
                     moment(i.begin_ts_ms);
  if (!lasts(i)) line += ", over after " + length_of(i.end_ts_ms - i.begin_ts_ms);
  if (i.lost_minor > 0.0) line += ", lost " + amount(i.lost_minor, currency);
  return line;
}

std::string text_of(const Notice& notice, const std::string& currency,
                    const std::string& console_url) {
  const auto order = in_order(*notice.thing);
  const Incident& lead = *order.front();
  std::string text = subject_of(notice) + "\n";
  text += "since: " + moment(lead.begin_ts_ms) + "\n";
  if (notice.status == IncidentStatus::resolved) {
    text += "over: " + moment(lead.end_ts_ms) + ", after " +
            length_of(lead.end_ts_ms - lead.begin_ts_ms) + "\n";
  }
  if (!lead.cause.empty()) {
    text += "likely cause: " + words(lead.cause) + " (" + fixed(lead.confidence * 100.0, 0) +
            " %), " + std::string(name_of(lead.spread)) + "\n";
  }
  if (lead.lost_minor > 0.0) text += "lost: " + amount(lead.lost_minor, currency) + "\n";
  if (notice.status != IncidentStatus::resolved) {
    text += lead.action_ids.empty() ? "payops has nothing in force against it\n"
                                    : "payops has in force: " + join(lead.action_ids, ", ") + "\n";
  }
  if (order.size() > 1) text += "part of it:\n";
  for (std::size_t i = 1; i < std::min(order.size(), kIncidentsTold); ++i) {
    text += "  " + line_of(*order[i], currency) + "\n";
  }
  if (order.size() > kIncidentsTold) {
    text += "  and " + std::to_string(order.size() - kIncidentsTold) + " more\n";
  }
  text += "incident: " + (console_url.empty() ? lead.id : console_url + "/#/incident/" + lead.id) +
          "\n";
  return text;
}

Json json_of(const Notice& notice) {
  Json incidents = Json::array();
  const auto order = in_order(*notice.thing);
  for (std::size_t i = 0; i < std::min(order.size(), kIncidentsTold); ++i) {
    incidents.push_back(to_json(*order[i]));
  }
  return {{"id", notice.thing->id},
          {"status", name_of(notice.status)},
          {"severity", name_of(notice.severity)},
          {"summary", subject_of(notice)},
          {"incidents", std::move(incidents)}};
}

std::string subject_of_several(const std::vector<Notice>& notices) {
  std::size_t by_status[3] = {};
  Severity worst = Severity::low;
  for (const Notice& notice : notices) {
    ++by_status[static_cast<std::size_t>(notice.status)];
    if (notice.status != IncidentStatus::resolved) worst = std::max(worst, notice.severity);
  }
  std::vector<std::string> counts;
  for (std::size_t s = 0; s < 3; ++s) {
    if (by_status[s] == 0) continue;
    counts.push_back(std::to_string(by_status[s]) + " " +
                     std::string(name_of(static_cast<IncidentStatus>(s))));
  }
  const bool all_over = by_status[2] == notices.size();
  return "[" + (all_over ? "resolved" : upper(name_of(worst))) + "] " +
         std::to_string(notices.size()) + " incidents: " + join(counts, ", ");
}

}  // namespace

bool lasts(const Incident& incident) { return incident.status != IncidentStatus::resolved; }

Severity worst_of(const Thing& thing) {
  Severity worst = Severity::info;
  for (const Incident& i : thing.incidents) {
    if (thing.quiet_since_ms != 0 || lasts(i)) worst = std::max(worst, i.severity);
  }
  return worst;
}

Message message_of(const std::vector<Notice>& notices, const std::string& currency,
                   const std::string& console_url, int64_t now_ms) {
  Message message;
  Json list = Json::array();
  for (const Notice& notice : notices) {
    if (!message.text.empty()) message.text += "\n";
    message.text += text_of(notice, currency, console_url);
    list.push_back(json_of(notice));
  }
  const bool one = notices.size() == 1;
  message.subject = one ? subject_of(notices.front()) : subject_of_several(notices);
  if (one) message.thread = notices.front().thing->id;
  message.data = dump(Json{{"type", "payops.incidents"},
                           {"timestamp", iso_time(now_ms)},
                           {"data", {{"currency", currency}, {"notices", std::move(list)}}}});
  return message;
}

}  // namespace payops::notify
