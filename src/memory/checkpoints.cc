#include "payops/memory/checkpoints.h"

#include "payops/core/json_fields.h"
#include "payops/core/text.h"

namespace payops::memory {

std::string checkpoints_text(const Checkpoints& checkpoints) {
  return dump(to_json(checkpoints)) + "\n";
}

Result<Checkpoints> parse_checkpoints(const std::string& text) {
  const Json object = Json::parse(text, nullptr, false);
  if (object.is_discarded()) return fail(ErrorCode::corrupt, "checkpoints.json is not JSON");
  auto read = from_json<Checkpoints>(object);
  if (!read) return fail(ErrorCode::corrupt, "checkpoints.json: " + read.error().message);
  if (checkpoints_text(*read) != text) {
    return fail(ErrorCode::corrupt, "checkpoints.json is not as payops writes it");
  }
  return read;
}

Result<Checkpoints> read_checkpoints(const std::string& directory) {
  const auto text = read_file(directory + "/" + kCheckpointsFile);
  if (!text) return tl::make_unexpected(text.error());
  return parse_checkpoints(*text);
}

Result<Checkpoint> parse_checkpoint(const std::string& text) {
  const Json object = Json::parse(text, nullptr, false);
  if (object.is_discarded()) return fail(ErrorCode::corrupt, "the checkpoint is not JSON");
  Checkpoint checkpoint;
  if (object.is_object() && object.contains("checkpoints")) {
    const auto file = from_json<Checkpoints>(object);
    if (!file) return tl::make_unexpected(file.error());
    if (file->checkpoints.empty()) return fail(ErrorCode::corrupt, "holds no checkpoint");
    const FileCheckpoint& last = file->checkpoints.back();
    checkpoint = {.seq = last.seq, .hash = last.hash, .ts_ms = last.ts_ms, .sig = last.sig};
  } else {
    auto message = from_json<Checkpoint>(object);
    if (!message) return message;
    checkpoint = std::move(*message);
  }
  if (checkpoint.seq == 0 || checkpoint.hash.size() != kNoHash.size()) {
    return fail(ErrorCode::corrupt,
                "neither a checkpoint message (seq, hash, ts_ms, sig) nor a checkpoints.json");
  }
  return checkpoint;
}

}  // namespace payops::memory
