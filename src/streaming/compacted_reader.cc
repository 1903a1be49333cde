#include "payops/streaming/compacted_reader.h"

namespace payops::streaming {

struct CompactedReader::Impl {
  std::unique_ptr<Consumer> consumer;
  std::vector<Watermarks> ends_at_open;
};

CompactedReader::CompactedReader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
CompactedReader::~CompactedReader() = default;

Result<std::unique_ptr<CompactedReader>> CompactedReader::open(const StreamingConfig& config,
                                                               const std::string& topic) {
  auto consumer = Consumer::open(config, {topic}, 256);
  if (!consumer) return tl::make_unexpected(consumer.error());
  auto ends = (*consumer)->watermarks();
  if (!ends) return tl::make_unexpected(ends.error());
  if (const Status assigned = (*consumer)->assign(beginnings(*ends)); !assigned) {
    return tl::make_unexpected(assigned.error());
  }
  return std::unique_ptr<CompactedReader>(
      new CompactedReader(std::make_unique<Impl>(Impl{std::move(*consumer), std::move(*ends)})));
}

std::span<const Record> CompactedReader::poll(int timeout_ms) {
  return impl_->consumer->poll(timeout_ms).records;
}

bool CompactedReader::caught_up() const {
  return impl_->consumer->has_read_to(impl_->ends_at_open);
}

bool CompactedReader::broker_up() const { return impl_->consumer->broker_up(); }

}  // namespace payops::streaming
