#include "payops/core/codec.h"
#include "payops/core/digest.h"
#include "payops/core/json_fields.h"
#include "payops/runtime/step.h"

namespace payops {
namespace {

template <class T>
std::string body_of(const T& value) {
  const std::string object = dump(to_json(value));
  return object.substr(1, object.size() - 2);
}

template <class T>
Result<T> parse_body(std::string_view body) {
  const Json object = Json::parse("{" + std::string(body) + "}", nullptr, false);
  if (object.is_discarded()) return fail(ErrorCode::corrupt, "the line's body is not JSON");
  return from_json<T>(object);
}

}  // namespace

std::string outbox_digest(const std::vector<OutboxEntry>& outbox) {
  return outbox.empty() ? "" : sha256_hex(encode(outbox));
}

std::vector<AuditRecord> step_records(const StepHead& head, const StepOutput& output,
                                      const std::optional<SnapshotMark>& snapshot) {
  std::vector<AuditRecord> records;
  records.reserve(output.audit.size() + 2);
  records.push_back({.kind = "step", .ts_ms = output.ts_ms, .body = body_of(head)});
  records.insert(records.end(), output.audit.begin(), output.audit.end());
  if (snapshot) {
    records.push_back({.kind = "snapshot", .ts_ms = output.ts_ms, .body = body_of(*snapshot)});
  }
  return records;
}

Result<StepHead> parse_step_head(std::string_view body) { return parse_body<StepHead>(body); }

Result<SnapshotMark> parse_snapshot_mark(std::string_view body) {
  return parse_body<SnapshotMark>(body);
}

}  // namespace payops
