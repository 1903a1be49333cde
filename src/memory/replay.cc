#include "payops/memory/replay.h"

#include <algorithm>
#include <optional>

#include "payops/core/digest.h"
#include "payops/core/json_fields.h"
#include "payops/memory/audit_reader.h"

namespace payops::memory {
namespace {

constexpr std::size_t kValueBytesMax = 200;

std::string shortened(const Json& value) {
  std::string text = dump(value);
  if (text.size() <= kValueBytesMax) return text;
  const std::size_t all = text.size();
  text.resize(kValueBytesMax);
  return text + "... (" + std::to_string(all) + " bytes)";
}

// Notes where the two texts first differ. Keys of the chain are compared only where both have them.
void note_difference(ReplayReport& report) {
  Json recorded = Json::parse(report.recorded, nullptr, false);
  const Json computed = Json::parse(report.computed, nullptr, false);
  if (recorded.is_discarded() || computed.is_discarded()) return;
  for (const char* key : {"seq", "prev", "hash"}) {
    if (!computed.contains(key)) recorded.erase(key);
  }
  const Json changes = Json::diff(recorded, computed);
  if (changes.empty()) return;
  const Json& first = changes.front();
  const Json::json_pointer at(first["path"].get<std::string>());
  report.path = first["path"].get<std::string>();
  report.recorded_value = recorded.contains(at) ? shortened(recorded.at(at)) : "nothing";
  report.computed_value = first.contains("value") ? shortened(first["value"]) : "nothing";
}

// A step's lines as recorded.
struct Recorded {
  StepHead head;
  int64_t ts_ms = 0;
  std::optional<SnapshotMark> snapshot;
  std::vector<LogLine> lines;
};

// Reads the log step by step.
class Steps {
 public:
  explicit Steps(AuditReader reader) : reader_(std::move(reader)) {}

  // The next step; nullopt at the end. Errors: corrupt, naming the line.
  Result<std::optional<Recorded>> next() {
    if (!ahead_) {
      if (auto read = read_ahead(); !read) return tl::make_unexpected(read.error());
      if (!ahead_) return std::optional<Recorded>();
    }
    Recorded step;
    const auto first = parse_line(ahead_->text);
    if (first->kind != "step") return wrong(*ahead_, "a step's first line belongs here");
    auto head = parse_step_head(first->body);
    if (!head) return wrong(*ahead_, head.error().message);
    step.head = std::move(*head);
    step.ts_ms = first->ts_ms;
    do {
      step.lines.push_back(std::move(*ahead_));
      const auto parts = parse_line(step.lines.back().text);
      if (parts->kind == "snapshot") {
        auto mark = parse_snapshot_mark(parts->body);
        if (!mark) return wrong(step.lines.back(), mark.error().message);
        step.snapshot = std::move(*mark);
      }
      if (auto read = read_ahead(); !read) return tl::make_unexpected(read.error());
    } while (ahead_ && parse_line(ahead_->text)->kind != "step");
    return std::optional<Recorded>(std::move(step));
  }

 private:
  static tl::unexpected<Error> wrong(const LogLine& line, const std::string& what) {
    return fail(ErrorCode::corrupt, line.file + ":" + std::to_string(line.number) + ": " + what);
  }

  Status read_ahead() {
    LogLine line;
    const auto more = reader_.next(line);
    if (!more) return tl::make_unexpected(more.error());
    ahead_.reset();
    if (!*more) return {};
    if (line.torn) return wrong(line, "the file ends within this line");
    if (const auto parts = parse_line(line.text); !parts) {
      return wrong(line, parts.error().message);
    }
    ahead_ = std::move(line);
    return {};
  }

  AuditReader reader_;
  std::optional<LogLine> ahead_;
};

class Replay {
 public:
  Replay(const std::string& directory, Reducer& reducer, const ReplayOptions& options)
      : directory_(directory), reducer_(reducer), options_(options) {}

  // Whether the step agrees; the report says where it does not. Errors: unavailable.
  Result<bool> step(const Recorded& recorded) {
    const StepHead& head = recorded.head;
    if (head.step != report.steps + 1)
      return differs(recorded, 0, "step numbers are not contiguous");
    const auto block = read_block(directory_, head);
    if (!block) {
      if (block.error().retryable) return tl::make_unexpected(block.error());
      return differs(recorded, 0, block.error().message);
    }
    const auto output = reducer_.apply(*block);
    if (!output) {
      return differs(recorded, 0, "its recorded input is refused: " + output.error().message);
    }
    const bool foreign =
        !options_.build.empty() && !output->build.empty() && output->build != options_.build;
    if (foreign && report.other_build.empty()) report.other_build = output->build;
    StepHead computed = head;
    computed.digest = output->digest;
    computed.outbox = outbox_digest(output->outbox);
    std::optional<SnapshotMark> mark;
    if (recorded.snapshot) {
      mark = SnapshotMark{.step = head.step, .sha256 = sha256_hex(reducer_.snapshot())};
    }
    if (!compare(recorded, step_records(computed, *output, mark))) {
      if (output->digest != head.digest) {
        report.reason = "the state's digest is " + output->digest + ", recorded is " + head.digest;
      } else if (computed.outbox != head.outbox) {
        report.reason = "its messages are not the recorded ones";
      }
      if (foreign) {
        report.reason += "; its input names the build \"" + output->build + "\" and this is \"" +
                         options_.build + "\", which may decide otherwise: replay with that build";
      }
      note_difference(report);
      return false;
    }
    ++report.steps;
    return true;
  }

  ReplayReport report;

 private:
  bool differs(const Recorded& recorded, std::size_t line, const std::string& reason) {
    report.bad_step = recorded.head.step;
    const auto parts = parse_line(recorded.lines[std::min(line, recorded.lines.size() - 1)].text);
    report.bad_seq = parts->seq;
    report.reason = reason;
    return false;
  }

  static bool same(const LogLine& line, const AuditRecord& record) {
    const auto parts = parse_line(line.text);
    return parts->kind == record.kind && parts->ts_ms == record.ts_ms && parts->body == record.body;
  }

  // The index of a line that differs: of the agent's records the first, since it tells more than
  // the head's digest; nullopt when all agree.
  static std::optional<std::size_t> difference(const Recorded& recorded,
                                               const std::vector<AuditRecord>& records) {
    const auto& lines = recorded.lines;
    for (std::size_t i = 1; i < std::max(lines.size(), records.size()); ++i) {
      if (i >= lines.size() || i >= records.size() || !same(lines[i], records[i])) return i;
    }
    if (!same(lines[0], records[0])) return 0;
    return std::nullopt;
  }

  bool compare(const Recorded& recorded, const std::vector<AuditRecord>& records) {
    if (const auto at = difference(recorded, records)) {
      differs(recorded, *at, "its records are not the recorded ones");
      if (*at < recorded.lines.size()) report.recorded = recorded.lines[*at].text;
      if (*at < records.size()) {
        report.computed = "{\"ts_ms\":" + std::to_string(records[*at].ts_ms) + ",\"kind\":\"" +
                          records[*at].kind + "\"";
        if (!records[*at].body.empty()) report.computed += "," + records[*at].body;
        report.computed += "}";
      }
      return false;
    }
    for (std::size_t i = 0; i < records.size(); ++i) {
      const std::string line = chain_line(records[i], report.lines + 1, hash_);
      if (line != recorded.lines[i].text) {
        differs(recorded, i, "the line does not continue the chain");
        report.recorded = recorded.lines[i].text;
        report.computed = line;
        return false;
      }
      hash_ = std::string(line_hash(line));
      ++report.lines;
    }
    return true;
  }

  std::string directory_;
  Reducer& reducer_;
  const ReplayOptions& options_;
  std::string hash_{kNoHash};
};

}  // namespace

Result<ReplayReport> replay(const std::string& directory, Reducer& reducer,
                            const ReplayOptions& options) {
  auto reader = AuditReader::open(directory);
  if (!reader) return tl::make_unexpected(reader.error());
  if (const Status reset = reducer.restore(""); !reset) return tl::make_unexpected(reset.error());
  Steps steps(std::move(*reader));
  Replay run(directory, reducer, options);
  for (;;) {
    const auto recorded = steps.next();
    if (!recorded && recorded.error().code == ErrorCode::corrupt) {
      run.report.bad_step = run.report.steps + 1;
      run.report.bad_seq = run.report.lines + 1;
      run.report.reason = recorded.error().message;
      return run.report;
    }
    if (!recorded) return tl::make_unexpected(recorded.error());
    if (!*recorded) break;
    if (run.report.steps == 0 && (*recorded)->head.step > 1) {
      return fail(ErrorCode::not_found,
                  directory + ": the log begins at step " + std::to_string((*recorded)->head.step) +
                      "; replay needs it from step 1, with the files before it");
    }
    const auto agrees = run.step(**recorded);
    if (!agrees) return tl::make_unexpected(agrees.error());
    if (!*agrees) return run.report;
    options.progress(run.report.steps);
  }
  run.report.ok = true;
  return run.report;
}

}  // namespace payops::memory
