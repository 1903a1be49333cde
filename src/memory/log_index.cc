#include "payops/memory/log_index.h"

#include <algorithm>

#include "disk.h"
#include "file_names.h"
#include "payops/memory/audit_reader.h"
#include "payops/memory/checkpoints.h"

namespace payops::memory {
namespace {

constexpr std::size_t kIndexChunkBytes = 256 << 10;

// Hands the file's whole lines from `offset` on to `take`, with their offsets, until it says no.
// Gives the offset after the last line taken.
Result<uint64_t> each_line(const std::string& path, uint64_t offset,
                           const std::function<Result<bool>(std::string_view, uint64_t)>& take) {
  const auto file = disk::File::open_to_read(path);
  if (!file) return tl::make_unexpected(file.error());
  std::string text;  // read, and not taken yet; begins at `offset`
  for (uint64_t read_to = offset;;) {
    const auto chunk = file->read_at(read_to, kIndexChunkBytes);
    if (!chunk) return tl::make_unexpected(chunk.error());
    if (chunk->empty()) return offset;
    read_to += chunk->size();
    text += *chunk;
    std::size_t begin = 0;
    for (std::size_t end; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1) {
      const auto more = take(std::string_view(text).substr(begin, end - begin), offset + begin);
      if (!more) return tl::make_unexpected(more.error());
      if (!*more) return offset + end + 1;
    }
    text.erase(0, begin);
    offset += begin;
    if (text.size() > kAuditLineBytesMax) {
      return fail(ErrorCode::corrupt, path + ": a line longer than a line may be");
    }
  }
}

}  // namespace

Status LogIndex::take_line(std::string_view text, uint64_t offset, const Visit& visit) {
  const auto wrong = [&](const std::string& what) {
    return fail(ErrorCode::corrupt,
                files_.back() + " at byte " + std::to_string(offset) + ": " + what);
  };
  const auto line = parse_line(text);
  if (!line) return wrong(line.error().message);
  const bool first = last_seq_ == 0;  // of what is there: older files may have been taken away
  if (!first && (line->seq != last_seq_ + 1 || line->prev != last_hash_)) {
    return wrong("the line does not continue the chain");
  }
  if (line->kind == "step") {
    const auto head = parse_step_head(line->body);
    if (!head) return wrong(head.error().message);
    steps_.push_back({.step = head->step,
                      .first_seq = line->seq,
                      .ts_ms = line->ts_ms,
                      .offset = offset,
                      .file = files_.size() - 1});
  } else if (steps_.empty()) {
    return wrong("a step's first line belongs here");
  }
  last_seq_ = line->seq;
  last_hash_ = line->hash;
  visit(*line);
  return {};
}

// On to the file after the one that was read last; false when there is none.
Result<bool> LogIndex::next_file() {
  const auto names = disk::list(directory_, kAuditKind.prefix, kAuditKind.suffix);
  if (!names) return tl::make_unexpected(names.error());
  const auto next = files_.empty() ? names->begin()
                                   : std::upper_bound(names->begin(), names->end(), files_.back());
  if (next == names->end()) return false;
  files_.push_back(*next);
  offset_ = 0;
  return true;
}

Status LogIndex::refresh(const Visit& visit) {
  const auto checkpoints = read_checkpoints(directory_);
  if (!checkpoints && checkpoints.error().code == ErrorCode::not_found) return {};
  if (!checkpoints) return tl::make_unexpected(checkpoints.error());
  if (checkpoints->checkpoints.empty()) return {};
  const uint64_t end_seq = checkpoints->checkpoints.back().seq;
  while (last_seq_ < end_seq) {
    if (!files_.empty()) {
      const auto read = each_line(directory_ + "/" + files_.back(), offset_,
                                  [&](std::string_view text, uint64_t at) -> Result<bool> {
                                    if (Status taken = take_line(text, at, visit); !taken) {
                                      return tl::make_unexpected(taken.error());
                                    }
                                    offset_ = at + text.size() + 1;
                                    return last_seq_ < end_seq;
                                  });
      if (!read) return tl::make_unexpected(read.error());
      if (last_seq_ >= end_seq) return {};
    }
    const auto more = next_file();
    if (!more) return tl::make_unexpected(more.error());
    if (!*more) {
      return fail(ErrorCode::corrupt, directory_ + ": the log ends at record " +
                                          std::to_string(last_seq_) + ", its checkpoint is at " +
                                          std::to_string(end_seq));
    }
  }
  return {};
}

Result<std::string> LogIndex::line_from(const Place& place, uint64_t seq) const {
  std::string found;
  uint64_t at_seq = place.first_seq;
  const auto read = each_line(directory_ + "/" + files_[place.file], place.offset,
                              [&](std::string_view text, uint64_t) -> Result<bool> {
                                if (at_seq++ < seq) return true;
                                found = text;
                                return false;
                              });
  if (!read) return tl::make_unexpected(read.error());
  if (found.empty()) return fail(ErrorCode::corrupt, "record " + std::to_string(seq) + " is gone");
  return found;
}

Result<std::string> LogIndex::line(uint64_t seq) const {
  if (steps_.empty() || seq < first_seq() || seq > last_seq_) {
    return fail(ErrorCode::not_found, "there is no record " + std::to_string(seq) +
                                          "; the log has " + std::to_string(first_seq()) + " to " +
                                          std::to_string(last_seq_));
  }
  const auto after =
      std::upper_bound(steps_.begin(), steps_.end(), seq,
                       [](uint64_t wanted, const Place& p) { return wanted < p.first_seq; });
  return line_from(*std::prev(after), seq);
}

Result<RecordedStep> LogIndex::step(std::size_t i) const {
  const auto text = line_from(steps_[i], steps_[i].first_seq);
  if (!text) return tl::make_unexpected(text.error());
  const auto line = parse_line(*text);
  if (!line) return tl::make_unexpected(line.error());
  auto head = parse_step_head(line->body);
  if (!head) return tl::make_unexpected(head.error());
  auto block = read_block(directory_, *head);
  if (!block) return tl::make_unexpected(block.error());
  return RecordedStep{.step = head->step,
                      .ts_ms = line->ts_ms,
                      .block = std::move(*block),
                      .digest = std::move(head->digest)};
}

}  // namespace payops::memory
