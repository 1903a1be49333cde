#include "json_index.h"

#include <simdjson.h>

#include <cstring>

#include "payops/core/check.h"

namespace payops::observation {

struct JsonIndex::Stage {
  std::unique_ptr<simdjson::internal::dom_parser_implementation> parser;
};

JsonIndex::JsonIndex(std::size_t max_bytes)
    : max_bytes_(max_bytes),
      buffer_(max_bytes + simdjson::SIMDJSON_PADDING + 1),
      stage_(std::make_unique<Stage>()) {
  const auto error = simdjson::get_active_implementation()->create_dom_parser_implementation(
      max_bytes, 1, stage_->parser);
  PAYOPS_CHECK(error == simdjson::SUCCESS);
}

JsonIndex::~JsonIndex() = default;
JsonIndex::JsonIndex(JsonIndex&&) noexcept = default;
JsonIndex& JsonIndex::operator=(JsonIndex&&) noexcept = default;

bool JsonIndex::index(std::string_view bytes, DeadReason& reason) {
  const auto refuse = [&](DeadReason why) {
    reason = why;
    return false;
  };
  if (bytes.empty()) return refuse(DeadReason::empty);
  if (bytes.size() > max_bytes_) return refuse(DeadReason::too_large);
  // Before the copy: a load from bytes just stored in other widths waits.
  escapes_ = std::memchr(bytes.data(), '\\', bytes.size()) != nullptr;
  std::memcpy(buffer_.data(), bytes.data(), bytes.size());
  buffer_[bytes.size()] = '\0';
  auto& parser = *stage_->parser;
  const auto error = parser.stage1(reinterpret_cast<const uint8_t*>(buffer_.data()), bytes.size(),
                                   simdjson::stage1_mode::regular);
  if (error == simdjson::UTF8_ERROR) return refuse(DeadReason::invalid_utf8);
  if (error != simdjson::SUCCESS) return refuse(DeadReason::malformed_json);
  begin_ = parser.structural_indexes.get();
  end_ = begin_ + parser.n_structural_indexes;
  return true;
}

}  // namespace payops::observation
